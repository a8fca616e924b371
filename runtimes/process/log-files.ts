/**
 * The log files of an instance. Programs write them directly, so lines carry no time; what is known is how large the files
 * were at certain moments (`times`: milliseconds, bytes of stdout, bytes of stderr). A line's time is that of the first
 * moment at which it was complete: never too early, and about a second late while a router watches.
 */
import { join } from 'node:path'
import type { FileSystem } from '../../src/platform/index.ts'

export type Stream = 'stdout' | 'stderr'
export const STREAMS: readonly Stream[] = ['stdout', 'stderr']

/** Beyond this, every second moment is forgotten: times get coarser, the file stays small. */
const MAX_TIMES_BYTES = 512 * 1024

interface Moment {
  readonly at: number
  readonly stdout: number
  readonly stderr: number
}

export interface LogFiles {
  path(stream: Stream): string
  olderPath(stream: Stream): string
  olderSize(stream: Stream): Promise<number>
  /** Notes the present sizes when they have changed, and gives the time of the note that holds for them. */
  sample(): Promise<{ at: number; sizes: Record<Stream, number> }>
  /**
   * When the byte before `end` was there, by stream. Offsets count from the start of the present file; those of the older
   * generation are negative.
   */
  clock(stream: Stream): Promise<Clock>
}

export interface Clock {
  at(end: number): string
  /** Everything before this offset was there before `time` (milliseconds). */
  offsetBefore(time: number): number
}

export function createLogFiles(fs: FileSystem, folder: string): LogFiles {
  const path = (stream: Stream): string => join(folder, `${stream}.log`)
  const olderPath = (stream: Stream): string => join(folder, `${stream}.old`)
  const times = join(folder, 'times')
  const sizeOf = async (file: string): Promise<number> => (await fs.stat(file))?.size ?? 0

  async function sizes(): Promise<Record<Stream, number>> {
    const [stdout, stderr] = await Promise.all(STREAMS.map((stream) => sizeOf(path(stream))))
    return { stdout: stdout ?? 0, stderr: stderr ?? 0 }
  }

  async function readMoments(): Promise<Moment[]> {
    // Only whole lines count: another process may be writing one.
    const text = (await fs.readText(times)) ?? ''
    return text.split('\n').flatMap((line) => {
      const [at, stdout, stderr] = line.split(' ').map(Number)
      return at && stdout !== undefined && stderr !== undefined ? [{ at, stdout, stderr }] : []
    })
  }

  const toLine = ({ at, stdout, stderr }: Moment): string => `${at} ${stdout} ${stderr}\n`
  let last: Moment | null = null

  async function sample(): Promise<{ at: number; sizes: Record<Stream, number> }> {
    const now = await sizes()
    if (last === null) last = (await readMoments()).at(-1) ?? { at: 0, stdout: 0, stderr: 0 }
    if (now.stdout === last.stdout && now.stderr === last.stderr) return { at: last.at, sizes: now }
    last = { at: Date.now(), ...now }
    // The folder may have been removed meanwhile; then nobody will ask for the times either.
    if ((await fs.stat(folder)) !== null) await note(last)
    return { at: last.at, sizes: now }
  }

  async function note(moment: Moment): Promise<void> {
    await fs.append(times, toLine(moment), { mode: 0o600 })
    if ((await sizeOf(times)) <= MAX_TIMES_BYTES) return
    const kept = (await readMoments()).filter((_moment, index, all) => index % 2 === 1 || index === all.length - 1)
    await fs.writeAtomic(times, kept.map(toLine).join(''), { mode: 0o600 })
  }

  return {
    path,
    olderPath,
    olderSize: (stream) => sizeOf(olderPath(stream)),
    sample,
    async clock(stream) {
      return createClock(await readMoments(), { stream, olderSize: await sizeOf(olderPath(stream)) })
    },
  }
}

function createClock(moments: readonly Moment[], { stream, olderSize }: { stream: Stream; olderSize: number }): Clock {
  // A size that shrinks marks the change of generation: before it, offsets are those of the older file.
  const points: { at: number; end: number }[] = []
  let generation = 0
  let next: Moment | null = null
  for (const moment of [...moments].reverse()) {
    if (next !== null && moment[stream] > next[stream]) generation += 1
    if (generation > 1) break
    points.unshift({ at: moment.at, end: generation === 0 ? moment[stream] : moment[stream] - olderSize })
    next = moment
  }
  const indexOf = (end: number): number => {
    let low = 0
    let high = points.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((points[middle]?.end ?? 0) >= end) high = middle
      else low = middle + 1
    }
    return low
  }
  return {
    at: (end) => new Date(points[indexOf(end)]?.at ?? Date.now()).toISOString(),
    offsetBefore(time) {
      let offset = 0 - olderSize
      for (const point of points) {
        if (point.at >= time) break
        offset = point.end
      }
      return offset
    },
  }
}
