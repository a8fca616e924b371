/** Logs of a plain process: what the files hold, both streams in the order of time, then what comes. */
import { delay } from '../../src/core/time.ts'
import type { FileSystem } from '../../src/platform/index.ts'
import type { LogLine, LogOptions } from '../adapter.ts'
import { concat } from '../../src/core/bytes.ts'
import { createLogFiles, STREAMS, type Clock, type LogFiles, type Stream } from './log-files.ts'
import { createLineSplitter, tailOffset, type OffsetLine } from './log-lines.ts'
import type { ProcessRecord } from './record.ts'
import { readState, type ProcessContext } from './state.ts'

const POLL_MS = 100

interface Follow {
  readonly context: ProcessContext
  readonly record: ProcessRecord
  readonly options: LogOptions
  readonly ended: AbortSignal
}

export async function* readLogs({ context, record, options, ended }: Follow): AsyncGenerator<LogLine> {
  const { fs } = context.platform
  const files = createLogFiles(fs, context.records.paths(record.name).log)
  // Asked before the files are read: what the program wrote until its end is then in them.
  let running = await isRunning(context, record)
  let moment = await files.sample()
  const since = options.since === undefined ? null : Date.parse(options.since)
  const readers = await Promise.all(STREAMS.map((stream) => openReader({ fs, files, stream, options, since })))
  const wanted = ({ at }: LogLine): boolean => since === null || Date.parse(at ?? '') >= since
  const follow = options.follow === true

  const first = merge(
    readers.map((reader, i) => reader.read(moment.sizes[STREAMS[i] ?? 'stdout'], !follow || !running)),
  )
  for await (const line of options.tail === undefined ? first : lastOf(first, options.tail)) {
    if (ended.aborted) return
    if (wanted(line)) yield line
  }
  while (follow && running) {
    const interrupted = await delay(POLL_MS, ended).catch(() => true)
    if (interrupted === true) return
    running = await isRunning(context, record)
    moment = await files.sample()
    const at = new Date(moment.at).toISOString()
    for (const [i, reader] of readers.entries()) {
      for await (const line of reader.read(moment.sizes[STREAMS[i] ?? 'stdout'], !running, at)) {
        if (ended.aborted) return
        if (wanted(line)) yield line
      }
    }
  }
}

/** Of the same run: a restart or a replacement is another program. */
async function isRunning(context: ProcessContext, record: ProcessRecord): Promise<boolean> {
  const now = await context.records.read(record.name)
  return now?.run === record.run && (await readState(context, now)).state === 'running'
}

interface Reader {
  /** Lines up to the size that the file had; the unended last one too when there will be no more. `at` is the time of all. */
  read(size: number, last: boolean, at?: string): AsyncGenerator<LogLine>
}

interface Open {
  readonly fs: FileSystem
  readonly files: LogFiles
  readonly stream: Stream
  readonly options: LogOptions
  readonly since: number | null
}

async function openReader({ fs, files, stream, options, since }: Open): Promise<Reader> {
  const [clock, older, current] = await Promise.all([
    files.clock(stream),
    files.olderSize(stream),
    fs.stat(files.path(stream)),
  ])
  let offset = -older
  if (since !== null) offset = Math.max(offset, clock.offsetBefore(since))
  if (options.tail !== undefined) {
    const read = (start: number, end: number) => readBoth(fs, files, { stream, older, start, end })
    offset = Math.max(offset, (await tailOffset(read, older + (current?.size ?? 0), options.tail)) - older)
  }
  const splitter = createLineSplitter(offset)

  async function* read(size: number, last: boolean, at?: string): AsyncGenerator<LogLine> {
    const stamped = (lines: OffsetLine[]): LogLine[] => lines.map((line) => toLine({ line, stream, clock, at }))
    // Emptied since the last time: what we had not read yet is at the end of the older generation.
    if (offset > size) {
      const moved = await files.olderSize(stream)
      for await (const chunk of bytes(fs, files.olderPath(stream), { start: offset, end: moved }))
        yield* stamped(splitter.push(chunk))
      offset = 0
    }
    if (offset < 0) {
      for await (const chunk of bytes(fs, files.olderPath(stream), { start: older + offset, end: older })) {
        yield* stamped(splitter.push(chunk))
      }
      offset = 0
    }
    for await (const chunk of bytes(fs, files.path(stream), { start: offset, end: size })) {
      offset += chunk.byteLength
      yield* stamped(splitter.push(chunk))
    }
    if (last) yield* stamped(splitter.rest())
  }
  return { read }
}

const toLine = (parts: { line: OffsetLine; stream: Stream; clock: Clock; at: string | undefined }): LogLine => ({
  stream: parts.stream,
  at: parts.at ?? parts.clock.at(parts.line.end),
  text: parts.line.text,
})

/** Bytes `start` to `end` (exclusive); nothing when the file is gone or shorter. */
async function* bytes(
  fs: FileSystem,
  path: string,
  { start, end }: { start: number; end: number },
): AsyncGenerator<Uint8Array> {
  if (start >= end || (await fs.stat(path)) === null) return
  yield* fs.readStream(path, { start, end: end - 1 })
}

/** A range of both generations as if they were one file. */
async function readBoth(
  fs: FileSystem,
  files: LogFiles,
  range: { stream: Stream; older: number; start: number; end: number },
): Promise<Uint8Array> {
  const { stream, older, start, end } = range
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes(fs, files.olderPath(stream), { start, end: Math.min(end, older) })) chunks.push(chunk)
  const from = Math.max(0, start - older)
  for await (const chunk of bytes(fs, files.path(stream), { start: from, end: end - older })) chunks.push(chunk)
  return concat(chunks)
}

/** By time; of the same moment, stdout comes first. */
async function* merge(sources: readonly AsyncGenerator<LogLine>[]): AsyncGenerator<LogLine> {
  const heads = await Promise.all(sources.map((source) => source.next()))
  for (;;) {
    let earliest = -1
    for (const [i, head] of heads.entries()) {
      if (head.done) continue
      const best = earliest < 0 ? undefined : heads[earliest]
      if (best === undefined || best.done || (head.value.at ?? '') < (best.value.at ?? '')) earliest = i
    }
    const head = heads[earliest]
    const source = sources[earliest]
    if (head === undefined || head.done || source === undefined) return
    yield head.value
    heads[earliest] = await source.next()
  }
}

/** The last lines of all. */
async function* lastOf(lines: AsyncIterable<LogLine>, count: number): AsyncGenerator<LogLine> {
  const kept: LogLine[] = []
  for await (const line of lines) {
    kept.push(line)
    if (kept.length > count) kept.shift()
  }
  yield* kept
}
