/** Logs of a container: both streams, in the order of their times as far as they can be told. */
import { PloinkyError } from '../../src/core/error.ts'
import type { RunningProcess } from '../../src/core/process.ts'
import type { LogLine, LogOptions } from '../adapter.ts'
import { bufferBytes } from './bytes.ts'
import { notFound, type Containers } from './containers.ts'
import type { Engine } from './dialect.ts'
import { timedLines, type TimedLine } from './log-lines.ts'
import { logsArgs } from './oci.ts'
import { checkAborted } from './signals.ts'

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/
/** Lines of one stream that wait for the reader before the engine is held back. */
const WAITING_LINES = 200
/** Kept of the engine's own messages. */
const MAX_SAID = 4096

function checkedOptions(options: LogOptions): { follow: boolean; tail?: number; since?: string } {
  const { tail, since } = options
  if (tail !== undefined && (!Number.isInteger(tail) || tail < 0)) {
    throw new PloinkyError('USAGE_INVALID', `Invalid number of lines: ${tail}`, {
      hint: 'Use a whole number from 0 on',
    })
  }
  if (since !== undefined && !ISO.test(since)) {
    throw new PloinkyError('USAGE_INVALID', `Invalid time: "${since.slice(0, 40)}"`, {
      hint: 'Use ISO 8601, for example 2026-01-31T12:00:00Z',
    })
  }
  return {
    follow: options.follow ?? false,
    ...(tail === undefined ? {} : { tail }),
    ...(since === undefined ? {} : { since }),
  }
}

export function createLogs(engine: Engine, containers: Containers) {
  return async function* logs(name: string, options: LogOptions = {}): AsyncGenerator<LogLine> {
    checkAborted(options.signal)
    const parts = checkedOptions(options)
    const container = await containers.owned(name, options)
    if (container === null) throw notFound(name)
    if (parts.tail === 0 && !parts.follow) return
    const child = engine.stream(logsArgs(container.id, parts), {})
    const reading: Reading = { ended: false, wake: () => {} }
    const end = (): void => {
      reading.ended = true
      child.kill('SIGKILL')
      reading.wake()
    }
    const forget = engine.track(end)
    if (options.signal?.aborted) end()
    else options.signal?.addEventListener('abort', end, { once: true })
    try {
      yield* merged(engine, child, reading)
    } catch (error) {
      // Ended by us: whatever the killed program's exit says is not news.
      if (!reading.ended) throw error
    } finally {
      options.signal?.removeEventListener('abort', end)
      forget()
      end()
    }
    checkAborted(options.signal)
  }
}

/** Shared by the reader, who may have enough, and by what waits for lines. */
interface Reading {
  ended: boolean
  wake(): void
}

/** One stream's lines, read ahead within bounds. */
interface Lane {
  readonly stream: LogLine['stream']
  readonly waiting: TimedLine[]
  ended: boolean
  resume(): void
}

function openLane(stream: Lane['stream'], source: AsyncIterable<TimedLine>, changed: (error?: unknown) => void): Lane {
  const lane: Lane = { stream, waiting: [], ended: false, resume: () => {} }
  const pump = async (): Promise<void> => {
    for await (const line of source) {
      lane.waiting.push(line)
      changed()
      while (lane.waiting.length >= WAITING_LINES) {
        await new Promise<void>((resolve) => {
          lane.resume = resolve
        })
      }
    }
  }
  pump().then(
    () => {
      lane.ended = true
      changed()
    },
    (error: unknown) => {
      lane.ended = true
      changed(error)
    },
  )
  return lane
}

/** The engine writes both streams in order, but into two pipes; the time stamps put neighbours in order again. */
async function* merged(engine: Engine, child: RunningProcess, reading: Reading): AsyncGenerator<LogLine> {
  let failure: unknown
  let said = ''
  const changed = (error?: unknown): void => {
    failure ??= error
    reading.wake()
  }
  const block = engine.dialect.logBlockBytes
  const lanes = [
    openLane('stdout', timedLines(bufferBytes(child.stdout).bytes, block), changed),
    openLane('stderr', timedLines(bufferBytes(child.stderr).bytes, block), changed),
  ]
  for (;;) {
    if (failure !== undefined) throw failure
    const lane = oldest(lanes)
    const line = lane?.waiting.shift()
    if (lane !== undefined && line !== undefined) {
      if (lane.waiting.length < WAITING_LINES / 2) lane.resume()
      // Every line of a container has a time; what has none is the engine's own message.
      if (line.at === null && lane.stream === 'stderr') said = `${said}${line.text}\n`.slice(-MAX_SAID)
      else yield { stream: lane.stream, at: line.at, text: line.text }
    } else if (lanes.every((item) => item.ended)) {
      break
    } else if (reading.ended) {
      // Whoever has enough is not held up by a stream whose end is not told.
      return
    } else {
      await new Promise<void>((resolve) => {
        reading.wake = resolve
      })
    }
  }
  const exitCode = await child.exit
  if (exitCode === 0) return
  const error = engine.fail({ exitCode, stderr: said }, 'read the logs')
  // Removed while we followed: that is the end of its logs.
  if (error.code !== 'WORKLOAD_NOT_FOUND') throw error
}

function oldest(lanes: readonly Lane[]): Lane | undefined {
  const ready = lanes.filter((lane) => lane.waiting.length > 0)
  return ready.sort((a, b) => ((a.waiting[0]?.at ?? '') < (b.waiting[0]?.at ?? '') ? -1 : 1))[0]
}
