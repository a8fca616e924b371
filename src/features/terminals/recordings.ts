/** Recordings of terminals: files in `.ploinky/recordings/`, readable by their owner only. */
import { join } from 'node:path'
import * as z from 'zod/mini'
import { PloinkyError } from '../../core/error.ts'
import { parseJson } from '../../core/json.ts'
import type { FileSystem, Hashing } from '../../platform/index.ts'
import { plainText } from './messages.ts'

const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,120}$/
const HEAD_BYTES = 4096
const DAY_MS = 86_400_000

const headerSchema = z.object({
  version: z.number(),
  term: z.object({ cols: z.number(), rows: z.number() }),
  timestamp: z.number(),
  title: z.optional(z.string()),
  command: z.optional(z.string()),
})

export interface Recording {
  readonly recording: string
  readonly title: string
  readonly command: string
  readonly cols: number
  readonly rows: number
  /** ISO 8601. */
  readonly startedAt: string
  readonly bytes: number
}

export interface Recordings {
  list(): Promise<Recording[]>
  /** Path of the file. SESSION_NOT_FOUND when there is none. */
  find(recording: string): Promise<{ path: string; size: number; mtimeMs: number }>
  remove(recording: string): Promise<void>
  /** A name for a new one; the oldest go when all together are too large or too old. */
  create(agent: string): Promise<{ recording: string; path: string }>
}

export interface RecordingsOptions {
  readonly fs: FileSystem
  readonly hash: Pick<Hashing, 'randomToken'>
  readonly dir: string
  readonly maxAgeDays: number
  readonly maxTotalBytes: number
}

export function createRecordings(options: RecordingsOptions): Recordings {
  const { fs, dir } = options
  const pathOf = (id: string): string => join(dir, `${id}.cast`)

  async function files() {
    const ids = (await fs.list(dir)).flatMap((name) => {
      const id = name.endsWith('.cast') ? name.slice(0, -'.cast'.length) : ''
      return ID.test(id) ? [id] : []
    })
    const found = await Promise.all(ids.map(async (id) => ({ id, info: await fs.lstat(pathOf(id)) })))
    return found.flatMap(({ id, info }) => (info?.kind === 'file' ? [{ id, info }] : []))
  }

  async function header(id: string): Promise<z.infer<typeof headerSchema> | null> {
    let text = ''
    for await (const chunk of fs.readStream(pathOf(id), { start: 0, end: HEAD_BYTES - 1 }))
      text += new TextDecoder().decode(chunk)
    const json = parseJson(text.split('\n', 1)[0] ?? '')
    const parsed = json.ok ? headerSchema.safeParse(json.value) : null
    return parsed?.success === true ? parsed.data : null
  }

  async function find(recording: string) {
    const info = ID.test(recording) ? await fs.lstat(pathOf(recording)) : null
    if (info?.kind === 'file') return { path: pathOf(recording), size: info.size, mtimeMs: info.mtimeMs }
    throw new PloinkyError('SESSION_NOT_FOUND', `There is no recording ${JSON.stringify(recording.slice(0, 80))}`, {
      hint: 'Run: ploinky terminal recordings',
    })
  }

  async function sweep(): Promise<void> {
    const found = (await files()).sort((a, b) => b.info.mtimeMs - a.info.mtimeMs)
    let total = 0
    for (const { id, info } of found) {
      total += info.size
      const isOld = Date.now() - info.mtimeMs > options.maxAgeDays * DAY_MS
      if (isOld || total > options.maxTotalBytes) await fs.remove(pathOf(id))
    }
  }

  return {
    find,
    async list() {
      const found = await Promise.all((await files()).map(async (file) => ({ ...file, head: await header(file.id) })))
      return found
        .flatMap(({ id, info, head }) =>
          head === null
            ? []
            : [
                {
                  ...{ recording: id, title: plainText(head.title ?? ''), command: plainText(head.command ?? '') },
                  ...{ cols: head.term.cols, rows: head.term.rows, bytes: info.size },
                  startedAt: new Date(head.timestamp * 1000).toISOString(),
                },
              ],
        )
        .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
    },
    async remove(recording) {
      await fs.remove((await find(recording)).path)
    },
    async create(agent) {
      await fs.mkdir(dir, { mode: 0o700 })
      await sweep()
      const at = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')
      const recording = `${at}-${agent.replaceAll(/[^A-Za-z0-9_-]/g, '_')}-${options.hash.randomToken(6).replaceAll(/^[-_]|[-_]$/g, 'x')}`
      return { recording, path: pathOf(recording) }
    },
  }
}
