/** Words that all pages share. */
export const strings = {
  product: 'ploinky',
  copied: 'Copied',
  failed: 'Could not copy: select the text and copy it by hand',
  copyCommand: (command: string) => `Copy command: ${command}`,
} as const
