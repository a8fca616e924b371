/** Lines of a log across its rotated files: each once, in the order of the files, also while it is written and rotated. */
import type { FileSystem, OpenFile } from '../../platform/index.ts'
import { rotatedFiles } from './rotation.ts'

/** Someone who opened a file before it was renamed may write a last line as long after, ms. */
const LINGER_MS = 10_000
/** A file that was renamed between two looks at the folder is looked for again. */
const TRIES = 10

/** Whole lines of one file, from an offset on. What is not a whole line yet is read again. */
async function* linesOf(file: OpenFile, from: { offset: number }): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  let read = from.offset
  for await (const chunk of file.bytes(from.offset)) {
    read += chunk.byteLength
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    // Counted before they are given out: whoever stops in between goes on after what he was given.
    from.offset = read - new TextEncoder().encode(rest).byteLength
    yield* parts
  }
}

interface Opened {
  readonly file: OpenFile
  /** When another file was found to have taken its name; null while none has. */
  leftAt: number | null
  readonly at: { offset: number }
}

export interface LogTail {
  /** Lines since the last call. */
  next(): AsyncGenerator<string>
  close(): Promise<void>
}

export interface TailOptions {
  /** Begin with what is written from now on. */
  readonly fromEnd?: boolean
  /** Begin at most so many bytes before the end. */
  readonly lastBytes?: number
}

/** All files as they are at one moment, oldest first; the last one is the one that is written, if there is one. */
async function openAll(fs: FileSystem, path: string): Promise<OpenFile[]> {
  for (let tries = 1; ; tries++) {
    const names = await rotatedFiles(fs, path)
    const opened = await Promise.all([...names, path].map((name) => fs.openRead(name)))
    const again = await rotatedFiles(fs, path)
    if (again.at(-1) === names.at(-1) || tries === TRIES) return opened.filter((file) => file !== null)
    await Promise.all(opened.filter((file) => file !== null).map((file) => file.close()))
  }
}

export function createLogTail(fs: FileSystem, path: string, options: TailOptions = {}): LogTail {
  let open: Opened[] | null = null

  async function begin(): Promise<Opened[]> {
    const files = await openAll(fs, path)
    let left = options.fromEnd ? 0 : (options.lastBytes ?? Number.POSITIVE_INFINITY)
    const found: Opened[] = []
    for (const file of files.reverse()) {
      const size = await file.size()
      const leftAt = found.length === 0 ? null : Date.now()
      found.unshift({ file, at: { offset: Math.max(0, size - left) }, leftAt })
      left = Math.max(0, left - size)
    }
    return found
  }

  /** The files that were read before, and those that came since. */
  async function renew(before: Opened[]): Promise<Opened[]> {
    const isKept = ({ leftAt }: Opened): boolean => leftAt === null || Date.now() - leftAt < LINGER_MS
    await Promise.all(before.filter((item) => !isKept(item)).map(({ file }) => file.close()))
    const kept = before.filter(isKept)
    const last = kept.at(-1)?.file.id
    const current = await fs.openRead(path)
    await current?.close()
    if (current !== null && current.id === last) return kept
    const files = await openAll(fs, path)
    // While we hold it open, its id is no other file's. One that was removed was the oldest: all others came after it.
    const old = files.findIndex(({ id }) => id === last) + 1
    await Promise.all(files.slice(0, old).map((file) => file.close()))
    const fresh = files.slice(old).map((file) => ({ file, at: { offset: 0 }, leftAt: null }))
    const all: Opened[] = [...kept, ...fresh]
    for (const item of all.slice(0, -1)) item.leftAt ??= Date.now()
    return all
  }

  return {
    async *next() {
      open = open === null ? await begin() : await renew(open)
      for (const { file, at } of open) yield* linesOf(file, at)
    },
    async close() {
      await Promise.all((open ?? []).map(({ file }) => file.close()))
      open = []
    },
  }
}
