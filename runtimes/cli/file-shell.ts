/** Files of an instance through its own shell, see `file-scripts.ts`. What comes back is an agent's word: limited and checked. */
import { concat } from '../../src/core/bytes.ts'
import { PloinkyError } from '../../src/core/error.ts'
import type { ExecSession, FileContent, FileEntry, Folder, NewFile, RuntimeAdapter } from '../adapter.ts'
import * as paths from '../file-path.ts'
import type { FilePath } from '../file-path.ts'
import * as scripts from './file-scripts.ts'

const { SAID } = scripts
/** Of a listing with its sizes. */
const MAX_LISTING_BYTES = 8 * 1024 * 1024
const MAX_HEAD_BYTES = 8192
const MAX_SAID_BYTES = 2000
/** A listing that takes longer will not come. */
const LIST_MS = 30_000
/** A shell that is not there. */
const NO_SHELL = new Set([126, 127])

export interface ShellCall {
  readonly name: string
  readonly at: FilePath
  /** Real paths that alone may be used; none: all that the instance sees. */
  readonly roots?: readonly string[]
  /** Real folders in them that are hidden. */
  readonly hidden?: readonly string[]
  readonly signal?: AbortSignal | undefined
}

/** Null as a result: the instance has no shell. */
export interface FileShell {
  list(call: ShellCall, limit: number): Promise<Folder | null>
  read(call: ShellCall): Promise<FileContent | { link: string } | null>
  write(call: ShellCall, file: NewFile): Promise<{ path: string; replaced: boolean } | null>
  /** Makes an empty file of a temporary name in the folder. */
  prepare(call: ShellCall, file: { temporary: string; overwrite: boolean }): Promise<{ folder: string } | null>
  /** Gives the temporary file its name. */
  commit(call: ShellCall, file: { temporary: string; overwrite: boolean; size: number }): Promise<{ replaced: boolean }>
  drop(call: ShellCall, temporary: string): Promise<void>
}

/** What an exit code means; null: that there is no shell. */
function explain(code: number, path: string, said: string): PloinkyError | null {
  if (NO_SHELL.has(code)) return null
  switch (code) {
    case SAID.missing:
      return paths.notFound(path)
    case SAID.notFolder:
      return paths.notFolder(path)
    case SAID.denied:
      return paths.denied(path, "the agent's user may not, or it is read-only")
    case SAID.outside:
      return paths.denied(path, 'it is of the kernel, or outside the folders of the agent')
    case SAID.exists:
      return paths.exists(path)
    case SAID.notFile:
      return paths.notFile(path)
    case SAID.wrongSize:
      return paths.wrongSize(path)
    case SAID.unwritten:
      return paths.unwritten(path, said || 'no reason was given')
    default:
      return new PloinkyError(
        'RUNTIME_FAILED',
        `Files cannot be reached: the shell ended with ${code} ${said}`.trim(),
        {
          hint: 'Run: ploinky doctor',
        },
      )
  }
}

const decoder = new TextDecoder()

async function firstBytes(source: AsyncIterable<Uint8Array>, most: number): Promise<string> {
  let text = ''
  for await (const chunk of source)
    if (text.length < most) text += decoder.decode(chunk.subarray(0, most), { stream: true })
  return text
    .slice(0, most)
    .replace(/[\p{Cc}]+/gu, ' ')
    .trim()
}

async function allBytes(source: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of source) {
    size += chunk.byteLength
    if (size > most) return null
    chunks.push(chunk)
  }
  return concat(chunks)
}

export function createFileShell(adapter: Pick<RuntimeAdapter, 'exec'>): FileShell {
  const argv = (script: string, { at, roots = [], hidden = [] }: ShellCall, rest: readonly string[]): string[] => [
    ...['/bin/sh', '-c', script, 'ploinky-files', at.folder, String(roots.length), ...roots, ...hidden, '--', ...rest],
  ]
  const options = ({ signal }: ShellCall) => (signal === undefined ? {} : { signal })

  /** Runs a script whose answer is short. Null: there is no shell. */
  async function ask(
    call: ShellCall,
    script: string,
    how: { rest: readonly string[]; most: number; stdin?: AsyncIterable<Uint8Array> },
  ): Promise<Uint8Array | null> {
    const { stdin } = how
    const input = stdin === undefined ? {} : { stdin }
    const session = await adapter.exec(call.name, argv(script, call, how.rest), { ...options(call), ...input })
    const [out, said] = await Promise.all([
      allBytes(session.stdout, how.most),
      firstBytes(session.stderr, MAX_SAID_BYTES),
    ])
    if (out === null) {
      await session.kill()
      throw new PloinkyError('RUNTIME_FAILED', 'The instance answers with more than a listing can be')
    }
    const code = await session.exit
    if (code === 0) return out
    const failure = explain(code, call.at.path, said)
    if (failure !== null) throw failure
    return null
  }

  return {
    async list(call, limit) {
      const signal = AbortSignal.any([
        AbortSignal.timeout(LIST_MS),
        ...(call.signal === undefined ? [] : [call.signal]),
      ])
      const at = { ...call.at, folder: call.at.path }
      const out = await ask({ ...call, at, signal }, scripts.LIST, { rest: [String(limit)], most: MAX_LISTING_BYTES })
      return out === null ? null : parseListing(out, { limit, path: call.at.path })
    },
    read: (call) =>
      readThrough(call, (parts) => adapter.exec(call.name, argv(scripts.READ, call, parts), options(call))),
    async write(call, file) {
      const temporary = temporaryName()
      const guarded = guard(file.bytes)
      const rest = [call.at.name, temporary, file.overwrite ? '1' : '0', String(file.size)]
      try {
        const out = await ask(call, scripts.WRITE, { rest, most: MAX_HEAD_BYTES, stdin: guarded.bytes })
        if (out === null) return null
        const [folder = '', old] = decoder.decode(out).split('\0')
        return { path: join(folder, call.at.name), replaced: old === '1' }
      } catch (error) {
        throw guarded.failure() ?? error
      }
    },
    async prepare(call, { temporary, overwrite }) {
      const rest = [call.at.name, temporary, overwrite ? '1' : '0']
      const out = await ask(call, scripts.PREPARE, { rest, most: MAX_HEAD_BYTES })
      return out === null ? null : { folder: decoder.decode(out).split('\0')[0] ?? '' }
    },
    async commit(call, { temporary, overwrite, size }) {
      const rest = [call.at.name, temporary, overwrite ? '1' : '0', String(size)]
      const out = await ask(call, scripts.COMMIT, { rest, most: MAX_HEAD_BYTES })
      if (out === null) throw paths.unwritten(call.at.path, 'the shell is gone')
      return { replaced: decoder.decode(out).split('\0')[1] === '1' }
    },
    async drop(call, temporary) {
      await ask(call, scripts.DROP, { rest: [call.at.name, temporary], most: MAX_HEAD_BYTES })
    },
  }
}

export const temporaryName = (): string => `.ploinky-upload-${crypto.randomUUID()}`
const join = (folder: string, name: string): string => `${folder === '/' ? '' : folder}/${name}`

/** A source whose failure ends it, and is told later: a program waits for the end of its input. */
export function guard(source: AsyncIterable<Uint8Array>): { bytes: AsyncIterable<Uint8Array>; failure(): unknown } {
  let failed: unknown = null
  async function* bytes(): AsyncGenerator<Uint8Array> {
    try {
      yield* source
    } catch (error) {
      failed = error
    }
  }
  return { bytes: bytes(), failure: () => failed }
}

const KINDS: Readonly<Record<string, FileEntry['kind']>> = { l: 'symlink', d: 'directory', f: 'file' }

/** `folder NUL (kind ./name NUL)* NUL (size time mode ./name LF)*` */
function parseListing(out: Uint8Array, { limit, path }: { limit: number; path: string }): Folder {
  const text = decoder.decode(out)
  const end = text.indexOf('\0\0')
  const [folder = path, ...words] = (end < 0 ? text : text.slice(0, end)).split('\0')
  const known = new Map<string, { size: number; mtimeMs: number; mode: number }>()
  for (const line of end < 0 ? [] : text.slice(end + 2).split('\n')) {
    const [, size, seconds, mode, name] = /^(\d{1,16}) (-?\d{1,12}) ([0-9a-f]{1,8}) \.\/(.+)$/.exec(line) ?? []
    if (name === undefined || known.has(name)) continue
    known.set(name, {
      size: Number(size),
      mtimeMs: Number(seconds) * 1000,
      mode: Number.parseInt(mode ?? '0', 16) & 0o7777,
    })
  }
  const entries = words.flatMap((word): FileEntry[] => {
    const name = word.slice(3)
    if (word.slice(1, 3) !== './' || !paths.isEntryName(name)) return []
    const about = known.get(name)
    const kind = KINDS[word[0] ?? ''] ?? 'other'
    return [{ name, kind, size: null, mtimeMs: null, mode: null, ...about, ...(kind === 'file' ? {} : { size: null }) }]
  })
  return { path: folder, entries: sorted(entries).slice(0, limit), truncated: entries.length > limit }
}

export const sorted = (entries: readonly FileEntry[]): FileEntry[] =>
  entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))

/** Starts the script that gives a line about the file and then the file. */
async function readThrough(
  call: ShellCall,
  start: (rest: readonly string[]) => Promise<ExecSession>,
): Promise<FileContent | { link: string } | null> {
  const session = await start([call.at.name])
  const said = firstBytes(session.stderr, MAX_SAID_BYTES)
  const iterator = session.stdout[Symbol.asyncIterator]()
  const { head, rest } = await takeHead(iterator)
  const [, size, seconds, folder] = /^(\d{1,16}) (-?\d{1,12}) (\/[^\0]*)$/.exec(head ?? '') ?? []
  if (head === null || size === undefined) {
    await iterator.return?.()
    const code = await session.exit
    if (code === SAID.elsewhere && head !== null && head.startsWith('/')) return { link: head }
    const failure = explain(code, call.at.path, await said)
    if (failure === null) return null
    throw failure
  }
  async function* bytes(): AsyncGenerator<Uint8Array> {
    let left = Number(size)
    try {
      for (let chunk: Uint8Array | undefined = rest; left > 0;) {
        if (chunk !== undefined && chunk.byteLength > 0) {
          const piece = chunk.subarray(0, left)
          left -= piece.byteLength
          yield piece
          if (left === 0) break
        }
        const next: IteratorResult<Uint8Array> = await iterator.next()
        if (next.done === true) throw paths.cutShort(call.at.path)
        chunk = next.value
      }
    } finally {
      // A file that grows has more to say than was announced.
      await iterator.return?.()
      await session.kill()
    }
  }
  const mtimeMs = Number(seconds) < 0 ? null : Number(seconds) * 1000
  return { path: join(folder ?? '', call.at.name), size: Number(size), mtimeMs, bytes: bytes() }
}

async function takeHead(iterator: AsyncIterator<Uint8Array>): Promise<{ head: string | null; rest: Uint8Array }> {
  let seen: Uint8Array = new Uint8Array()
  for (;;) {
    const end = seen.indexOf(0)
    if (end >= 0) return { head: decoder.decode(seen.subarray(0, end)), rest: seen.subarray(end + 1) }
    if (seen.byteLength > MAX_HEAD_BYTES) return { head: null, rest: seen }
    const next = await iterator.next()
    if (next.done === true) return { head: null, rest: seen }
    const joined = new Uint8Array(seen.byteLength + next.value.byteLength)
    joined.set(seen)
    joined.set(next.value, seen.byteLength)
    seen = joined
  }
}
