import type { EventBus } from '../../core/events.ts'
import type { Logger } from '../../core/log.ts'
import type { FileSystem } from '../../platform/index.ts'

export interface EventWriterOptions {
  readonly events: EventBus
  readonly fs: Pick<FileSystem, 'append'>
  readonly pid: number
  readonly log: Logger
  readonly file: string
  /** Told after each line: the file may have become too long. */
  rotate(file: string): Promise<unknown>
}

/** Events are facts: each is a line of a file as well, whoever emits it. The result resolves when all are written. */
export function keepEvents({ events, fs, pid, log, file, rotate }: EventWriterOptions): () => Promise<void> {
  let writing: Promise<void> = Promise.resolve()
  events.on((event) => {
    if (event.type === 'routing.changed' || event.relayed) return
    const line = `${JSON.stringify({ ...event, pid })}\n`
    writing = writing
      .then(async () => {
        await fs.append(file, line, { mode: 0o600 })
        await rotate(file)
      })
      .catch((error: unknown) => log.warn('event not written', { error }))
  })
  return () => writing
}
