/** What agents use now, as the stream tells it: one signal for each, so that a row changes when its own agent does. */
import { signal } from '@preact/signals'
import type { Signal } from '@preact/signals'
import type { Point, Sample } from './metrics-model.ts'
import { readSample } from './metrics-model.ts'

export interface Use extends Point {
  /** Processor of the last samples, oldest first. */
  readonly recentCpu: readonly (number | null)[]
}

const RECENT = 30
const uses = new Map<string, Signal<Use | null>>()

export const lastSample = signal<Sample | null>(null)

export function useOf(agent: string): Signal<Use | null> {
  const known = uses.get(agent)
  if (known !== undefined) return known
  const made = signal<Use | null>(null)
  uses.set(agent, made)
  return made
}

export function takeSample(data: string): void {
  const sample = readSample(data)
  if (sample === null) return
  lastSample.value = sample
  for (const [agent, entry] of uses) if (!sample.agents.has(agent) && entry.value !== null) entry.value = null
  for (const [agent, point] of sample.agents) {
    const entry = useOf(agent)
    const before = entry.peek()?.recentCpu ?? []
    entry.value = { ...point, recentCpu: [...before, point.cpuPercent].slice(-RECENT) }
  }
}
