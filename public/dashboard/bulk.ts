/** Several agents at once: which are chosen, and one thing after the other done to them. */
import { signal } from '@preact/signals'
import type { ApiError } from '../shared/api.ts'
import { call } from '../shared/api.ts'
import { plainText, shellWord } from '../shared/format.ts'
import { ask } from './ask.tsx'
import type { Bulk, BulkAction, BulkItem } from './bulk-model.ts'
import { words } from './bulk-strings.ts'
import type { Action, Agent } from './model.ts'
import { actionsFor, commandFor } from './model.ts'
import { asApiError, busy, refresh, shownAgents } from './store.ts'

/** A line for a terminal with more than these is no help any more. */
const MOST_IN_COMMAND = 5

export const selected = signal<ReadonlySet<string>>(new Set())
/** What is being done, or was done last. */
export const bulk = signal<Bulk | null>(null)
let anchor: string | null = null
let isStopping = false

export const isRunning = (): boolean => bulk.value?.items.some(({ step }) => step === 'running') ?? false
/** Only what is in sight: nothing happens to an agent that a filter hides. */
export const chosenAgents = (): readonly Agent[] => shownAgents.value.filter(({ name }) => selected.value.has(name))

/** Chooses one or lets it go; with `toAnchor` all from the one before to this one become as this one. */
export function toggle(name: string, toAnchor = false): void {
  const next = new Set(selected.value)
  const isOn = !next.has(name)
  const names = shownAgents.value.map((agent) => agent.name)
  const [from, to] = [names.indexOf(anchor ?? name), names.indexOf(name)]
  const range = toAnchor && from >= 0 ? names.slice(Math.min(from, to), Math.max(from, to) + 1) : [name]
  for (const one of range)
    if (isOn) next.add(one)
    else next.delete(one)
  anchor = name
  selected.value = next
}

export function selectAll(isOn: boolean): void {
  selected.value = new Set(isOn ? shownAgents.value.map(({ name }) => name) : [])
}

const canDo = ({ state }: Agent, action: BulkAction): boolean =>
  action === 'disable' ? state !== 'disabled' : actionsFor(state).includes(action)

/** Those of the chosen ones that an action makes sense for. */
export const fitting = (action: BulkAction): readonly string[] =>
  chosenAgents()
    .filter((agent) => canDo(agent, action))
    .map(({ name }) => name)

const lineFor = (action: BulkAction, name: string): string =>
  action === 'disable' ? `ploinky disable agent ${shellWord(name)}` : commandFor(action, name)

/** One question for all of them, which names them. */
export function requestBulk(action: BulkAction): void {
  const names = fitting(action)
  if (names.length === 0 || isRunning()) return
  const lines = names.map((name) => lineFor(action, name))
  ask({
    title: words.question(action, names.length),
    text: `${words.list(names.map(plainText))}. ${words.consequence[action]}`,
    command: names.length <= MOST_IN_COMMAND ? lines.join(' && ') : null,
    label: words.action[action],
    name: words.doAll(action, names.length),
    icon: action === 'start' ? 'start' : action === 'restart' ? 'restart' : 'stopped',
    run: () => void run(action, names),
  })
}

/** What was begun is finished; the rest is left as it is. */
export function stopAfterThis(): void {
  isStopping = true
}

function update(name: string, change: Partial<BulkItem>): void {
  if (bulk.value === null) return
  const items = bulk.value.items.map((item) => (item.name === name ? { ...item, ...change } : item))
  bulk.value = { ...bulk.value, items }
}

/** One after the other: the router changes one thing at a time, and what fails stops nothing. */
async function run(action: BulkAction, names: readonly string[]): Promise<void> {
  isStopping = false
  bulk.value = { action, items: names.map((name) => ({ name, step: 'waiting', problem: null })) }
  for (const name of names) {
    if (isStopping) {
      update(name, { step: 'left' })
      continue
    }
    update(name, { step: 'running' })
    const problem = await runOne(action, name)
    update(name, { step: problem === null ? 'done' : 'failed', problem })
    if (problem !== null) continue
    selected.value = new Set([...selected.value].filter((one) => one !== name))
  }
  await refresh()
}

async function runOne(action: BulkAction, name: string): Promise<ApiError | null> {
  const path = `api/v1/agents/${encodeURIComponent(name)}`
  if (action !== 'disable') busy.value = new Map(busy.value).set(name, action satisfies Action)
  try {
    await (action === 'disable' ? call('DELETE', path) : call('POST', `${path}/${action}`))
    return null
  } catch (error) {
    return asApiError(error)
  } finally {
    busy.value = new Map([...busy.value].filter(([one]) => one !== name))
  }
}
