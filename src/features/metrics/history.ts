/** The last hour in slots, one ring for each measure of each agent: bounded, and never copied but to be read. */
export const MEASURES = ['cpuPercent', 'memoryBytes', 'requests', 'errors', 'p50Ms', 'p95Ms'] as const
export type Measure = (typeof MEASURES)[number]
export type Point = Readonly<Record<Measure, number | null>>

/** Columns of equal length, oldest first; null where nothing is known. */
export type Series = Readonly<Record<Measure, readonly (number | null)[]>>

interface Rings {
  readonly of: Record<Measure, Float32Array>
  /** Number of the slot that was written last. */
  lastSlot: number
}

/** How several slots become one. Requests and errors are counts; the slowest of several says more than their middle. */
const JOIN: Readonly<Record<Measure, 'mean' | 'sum' | 'max'>> = {
  ...{ cpuPercent: 'mean', memoryBytes: 'max', requests: 'sum', errors: 'sum', p50Ms: 'mean', p95Ms: 'max' },
}

const newRings = (slots: number): Rings => ({
  of: Object.fromEntries(
    MEASURES.map((measure) => [measure, new Float32Array(slots).fill(Number.NaN)]),
  ) as unknown as Rings['of'],
  lastSlot: -1,
})

function joined(values: readonly number[], how: 'mean' | 'sum' | 'max'): number | null {
  if (values.length === 0) return null
  if (how === 'max') return Math.max(...values)
  const sum = values.reduce((a, b) => a + b, 0)
  return how === 'sum' ? sum : sum / values.length
}

export interface History {
  /** Writes one slot of every name that is given; those that are not are unknown in it. */
  write(slot: number, points: ReadonlyMap<string, Point>): void
  /** The slots up to `slot`, each `join` of them as one. Null: never heard of it. */
  read(name: string, slot: number, join: number): Series | null
  names(): string[]
}

export function createHistory(slots: number): History {
  const rings = new Map<string, Rings>()

  /** Slots between the last one that was written and this one are those of another hour. */
  function forget(entry: Rings, slot: number): void {
    const first = Math.max(entry.lastSlot + 1, slot - slots + 1)
    for (const measure of MEASURES)
      for (let each = first; each <= slot; each++) entry.of[measure][each % slots] = Number.NaN
  }

  return {
    write(slot, points) {
      for (const [name, point] of points) {
        const entry = rings.get(name) ?? newRings(slots)
        rings.set(name, entry)
        forget(entry, slot)
        for (const measure of MEASURES) entry.of[measure][slot % slots] = point[measure] ?? Number.NaN
        entry.lastSlot = slot
      }
      for (const [name, { lastSlot }] of rings) if (lastSlot <= slot - slots) rings.delete(name)
    },
    read(name, slot, join) {
      const entry = rings.get(name)
      if (entry === undefined) return null
      const count = Math.floor(slots / join)
      const column = (measure: Measure): (number | null)[] =>
        Array.from({ length: count }, (_, index) => {
          const begin = slot - (count - index) * join + 1
          const values: number[] = []
          for (let each = begin; each < begin + join; each++) {
            const isKept = each >= 0 && each <= entry.lastSlot && each > entry.lastSlot - slots
            const value = isKept ? (entry.of[measure][each % slots] ?? Number.NaN) : Number.NaN
            if (!Number.isNaN(value)) values.push(value)
          }
          return joined(values, JOIN[measure])
        })
      return Object.fromEntries(MEASURES.map((measure) => [measure, column(measure)])) as unknown as Series
    },
    names: () => [...rings.keys()].toSorted(),
  }
}
