/** Files that are dropped on a page. */

/** It carries files, whatever else. */
export const hasFiles = (transfer: DataTransfer | null): boolean => transfer?.types.includes('Files') === true

/** A folder that is dropped comes as a file without content: not taken for one. */
export function filesOf(transfer: DataTransfer | null): File[] {
  return [...(transfer?.items ?? [])].flatMap((item) => {
    const file = item.kind === 'file' && item.webkitGetAsEntry()?.isDirectory !== true ? item.getAsFile() : null
    return file === null ? [] : [file]
  })
}
