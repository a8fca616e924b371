/** Appends lines to a log that is rotated. */
import { messageOf } from '../../core/error.ts'
import type { FileSystem } from '../../platform/index.ts'
import type { Rotation } from './rotation.ts'

/** Bytes after which the size of the file is looked at, and time after which its age is. */
const CHECK_BYTES = 64 * 1024
const CHECK_MS = 3_600_000

export interface LogWriter {
  /** Written when it returns: the last words of a process that crashes are its most important ones. */
  write(line: string): void
  /** Resolves when a rotation that is under way has ended. */
  settled(): Promise<void>
}

export interface LogWriterOptions {
  readonly fs: FileSystem
  readonly path: string
  readonly rotation: Rotation
  onError(message: string): void
}

export function createLogWriter({ fs, path, rotation, onError }: LogWriterOptions): LogWriter {
  // The first line looks: a command writes but a few.
  let unchecked = CHECK_BYTES
  let checkedAt = 0
  let rotating: Promise<unknown> = Promise.resolve()

  function check(): void {
    unchecked = 0
    checkedAt = Date.now()
    rotating = rotating
      .then(() => rotation.rotate(path))
      .catch((error: unknown) => onError(`log not rotated: ${messageOf(error)}`))
  }

  return {
    write(line) {
      const text = `${line}\n`
      fs.appendSync(path, text, { mode: 0o600 })
      unchecked += text.length
      if (unchecked >= CHECK_BYTES || Date.now() - checkedAt > CHECK_MS) check()
    },
    settled: async () => void (await rotating),
  }
}
