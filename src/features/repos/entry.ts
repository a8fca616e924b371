/** One entry of an archive, whatever its format. */
import { PloinkyError } from '../../core/error.ts'

export interface Entry {
  /** As it is written in the archive: not to be trusted. */
  readonly path: string
  readonly kind: 'file' | 'directory' | 'link'
  /** Bytes, as announced. */
  readonly size: number
  readonly executable: boolean
  /** Where a link leads. */
  readonly target: string
  /** May be called once. */
  data(): AsyncIterable<Uint8Array>
}

export function archiveInvalid(problem: string, cause?: unknown): PloinkyError {
  return new PloinkyError('ARCHIVE_INVALID', `Cannot unpack the archive: ${problem}`, {
    hint: 'Make it anew from a folder of agents: tar -czf agents.tgz -C FOLDER .',
    ...(cause === undefined ? {} : { cause }),
  })
}
