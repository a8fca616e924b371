/** Which terminals are open, on disk: a router that was killed cannot end them, the next one does. */
import * as z from 'zod/mini'
import { messageOf } from '../../core/error.ts'
import { parseJson } from '../../core/json.ts'
import type { Logger } from '../../core/log.ts'
import type { FileSystem } from '../../platform/index.ts'

const MAX_ENTRIES = 1000
const entrySchema = z.object({ tag: z.string(), workload: z.string(), runtime: z.string() })
const fileSchema = z.array(entrySchema).check(z.maxLength(MAX_ENTRIES))
export type OpenTerminal = z.infer<typeof entrySchema>

export function createLeftovers({ fs, path, log }: { fs: FileSystem; path: string; log: Logger }) {
  const open = new Map<string, OpenTerminal>()
  let writing: Promise<void> = Promise.resolve()
  const write = (): Promise<void> =>
    (writing = writing
      .then(() => fs.writeAtomic(path, JSON.stringify([...open.values()]), { mode: 0o600 }))
      .catch((error: unknown) => log.warn('open terminals not written down', { error: messageOf(error) })))
  return {
    /** Before its program starts. */
    async add(entry: OpenTerminal): Promise<void> {
      open.set(entry.tag, entry)
      await write()
    },
    remove(tag: string): void {
      if (open.delete(tag)) void write()
    },
    settled: (): Promise<void> => writing,
  }
}

/** Ends what an earlier router left behind; gives how many terminals that were. */
export async function sweepLeftovers(
  { fs, path, log }: { fs: FileSystem; path: string; log: Logger },
  end: (terminal: OpenTerminal) => Promise<void>,
): Promise<number> {
  const text = await fs.readText(path)
  if (text === null) return 0
  const json = parseJson(text)
  const parsed = json.ok ? fileSchema.safeParse(json.value) : null
  const entries = parsed?.success === true ? parsed.data : []
  // Taken away first: what is opened from now on is written by another.
  await fs.remove(path)
  for (const entry of entries) {
    await end(entry).catch((error: unknown) =>
      log.warn('a terminal of an earlier router was not ended', { workload: entry.workload, error: messageOf(error) }),
    )
  }
  if (entries.length > 0) log.info('terminals of an earlier router ended', { count: entries.length })
  return entries.length
}
