/** One list of the lists of all agents; those that cannot be asked are told beside it and hide nobody. */
import { isObject } from '../../../core/json.ts'
import { asFailure, isBug } from './failure.ts'
import { KINDS, type Kind } from './lists.ts'
import { type Json, textOf } from './message.ts'
import type { Problem, View } from './view.ts'

export const META_UNAVAILABLE = 'ploinky/unavailable'

export interface Gathered {
  readonly result: Json
  /** How long all of it may be used again. */
  readonly ttlMs: number
}

export async function gather(
  view: View,
  kind: Kind,
  onBug: (agent: string, error: unknown) => void,
): Promise<Gathered> {
  const lists = new Map<string, readonly Json[]>()
  const problems: Problem[] = []
  const agents = view.agents(kind)
  const settled = await Promise.allSettled(agents.map((agent) => view.list(agent, kind)))
  let ttlMs = Number.POSITIVE_INFINITY
  for (const [index, outcome] of settled.entries()) {
    const agent = agents[index] as string
    if (outcome.status === 'fulfilled') {
      lists.set(agent, outcome.value.items)
      ttlMs = Math.min(ttlMs, outcome.value.ttlMs)
    } else {
      if (isBug(outcome.reason)) onBug(agent, outcome.reason)
      problems.push(problemOf(agent, outcome.reason))
    }
  }
  const shown = view.show(kind, lists)
  problems.push(...shown.problems)
  const meta = problems.length === 0 ? {} : { _meta: { [META_UNAVAILABLE]: problems } }
  // What is missing now may be back in a moment.
  const isComplete = problems.length === 0 && Number.isFinite(ttlMs)
  return { result: { [KINDS[kind].field]: shown.items, ...meta }, ttlMs: isComplete ? ttlMs : 0 }
}

function problemOf(agent: string, thrown: unknown): Problem {
  const { error } = asFailure(thrown)
  const code = isObject(error.data) ? textOf(error.data['code']) : undefined
  return { agent, code: code ?? `JSONRPC ${error.code}`, message: error.message.slice(0, 500) }
}
