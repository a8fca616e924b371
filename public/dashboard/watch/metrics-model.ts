/** The last hour as the page holds it: loaded once, then carried on by what the stream tells. */
import { asRecord, listOf, textOr } from '../../shared/api.ts'
import { plainText } from '../../shared/format.ts'

export const MEASURES = ['cpuPercent', 'memoryBytes', 'requests', 'errors', 'p50Ms', 'p95Ms'] as const
export type Measure = (typeof MEASURES)[number]
export type Point = Readonly<Record<Measure, number | null>>
export type Series = Readonly<Record<Measure, readonly (number | null)[]>>

export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly slotSeconds: number
  readonly total: Point
  readonly agents: ReadonlyMap<string, Point>
}
export interface Report {
  /** End of the last step, milliseconds since 1970. */
  readonly at: number
  readonly stepSeconds: number
  readonly total: Series | null
  readonly agents: ReadonlyMap<string, Series>
}

const HOUR_SECONDS = 3600
const finite = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)

function readPoint(value: unknown): Point {
  const record = asRecord(value)
  return Object.fromEntries(MEASURES.map((measure) => [measure, finite(record[measure])])) as unknown as Point
}

function readSeries(value: unknown, length: number): Series {
  const record = asRecord(value)
  const column = (measure: Measure): (number | null)[] => listOf(record[measure]).slice(-length).map(finite)
  return Object.fromEntries(MEASURES.map((measure) => [measure, column(measure)])) as unknown as Series
}

/** Null for what is no sample. */
export function readSample(data: string): Sample | null {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    return null
  }
  const { at, slotSeconds, total, agents } = asRecord(value)
  const time = Date.parse(textOr(at, ''))
  const seconds = finite(slotSeconds)
  if (Number.isNaN(time) || seconds === null || seconds <= 0) return null
  const points = Object.entries(asRecord(agents)).map(([name, point]) => [plainText(name), readPoint(point)] as const)
  return { at: time, slotSeconds: seconds, total: readPoint(total), agents: new Map(points) }
}

export function readReport(body: unknown): Report {
  const { at, stepSeconds, total, agents } = asRecord(body)
  const seconds = finite(stepSeconds) ?? 60
  const length = Math.max(1, Math.floor(HOUR_SECONDS / seconds))
  const series = listOf(agents).map((value) => {
    return [plainText(textOr(asRecord(value)['agent'], '')), readSeries(value, length)] as const
  })
  return {
    at: Date.parse(textOr(at, '')) || Date.now(),
    stepSeconds: seconds,
    total: total === null || total === undefined ? null : readSeries(total, length),
    agents: new Map(series),
  }
}

const EMPTY: Point = {
  ...{ cpuPercent: null, memoryBytes: null, requests: null, errors: null, p50Ms: null, p95Ms: null },
}

/** Puts a sample of one slot at the end of a report whose steps are slots. One that came before changes nothing. */
export function extend(report: Report, sample: Sample): Report {
  const steps = Math.round((sample.at - report.at) / (report.stepSeconds * 1000))
  if (steps <= 0) return report
  const length = Math.floor(HOUR_SECONDS / report.stepSeconds)
  const gap = Math.min(steps - 1, length)
  const grown = (series: Series | undefined, point: Point): Series =>
    Object.fromEntries(
      MEASURES.map((measure) => {
        const before = series?.[measure] ?? Array.from({ length }, () => null)
        return [measure, [...before, ...Array.from({ length: gap }, () => null), point[measure]].slice(-length)]
      }),
    ) as unknown as Series
  const names = new Set([...report.agents.keys(), ...sample.agents.keys()])
  return {
    ...report,
    at: sample.at,
    total: grown(report.total ?? undefined, sample.total),
    agents: new Map([...names].map((name) => [name, grown(report.agents.get(name), sample.agents.get(name) ?? EMPTY)])),
  }
}

/** A count of a step as a rate. */
export const perSecond = (values: readonly (number | null)[], stepSeconds: number): (number | null)[] =>
  values.map((value) => (value === null ? null : value / stepSeconds))

/** Errors of each hundred requests; nothing where there were none. */
export const errorShare = ({ requests, errors }: Series): (number | null)[] =>
  requests.map((count, index) => (count === null || count === 0 ? null : ((errors[index] ?? 0) / count) * 100))

export interface Summary {
  readonly last: number | null
  readonly mean: number | null
  readonly max: number | null
}

export function summaryOf(values: readonly (number | null)[]): Summary {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return { last: null, mean: null, max: null }
  return {
    last: known.at(-1) ?? null,
    mean: known.reduce((a, b) => a + b, 0) / known.length,
    max: Math.max(...known),
  }
}

/** The end of an axis: the next of 1, 2, 2.5, 5 and 10 times a power of ten (of 1024 for bytes). */
export function niceMax(value: number, base: 10 | 1024): number {
  if (!(value > 0)) return 1
  const unit = base === 1024 ? 1024 ** Math.floor(Math.log(value) / Math.log(1024)) : 1
  const scaled = value / unit
  const power = 10 ** Math.floor(Math.log10(scaled))
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= scaled) ?? 10
  return step * power * unit
}

/** Points of a line, one list for each stretch without a gap; `x` from 0 to 1, `y` from 0 (bottom) to 1. */
export function stretches(values: readonly (number | null)[], max: number): { x: number; y: number }[][] {
  const found: { x: number; y: number }[][] = []
  let current: { x: number; y: number }[] = []
  values.forEach((value, index) => {
    if (value === null) {
      if (current.length > 0) found.push(current)
      current = []
    } else current.push({ x: values.length < 2 ? 1 : index / (values.length - 1), y: Math.min(1, value / max) })
  })
  return current.length > 0 ? [...found, current] : found
}
