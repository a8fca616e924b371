/** What a line of the event log says. */
import * as z from 'zod/mini'
import { parseJson } from '../../core/json.ts'

export type Outcome = 'ok' | 'failed' | 'refused'

export interface EventRecord {
  /** Names a line of the log: which process wrote it, and its number there. */
  readonly id: string
  readonly at: string
  readonly type: string
  readonly subject: string
  /** Who asked for it; null for what happened by itself. */
  readonly principal: string | null
  readonly outcome: Outcome
  readonly data: Readonly<Record<string, unknown>>
}

const MAX_NAME = 300
const name = z.string().check(z.maxLength(MAX_NAME))
const schema = z.object({
  seq: z.catch(z.number(), 0),
  pid: z.catch(z.number(), 0),
  type: z.string().check(z.minLength(1), z.maxLength(MAX_NAME)),
  at: z.string().check(z.maxLength(40)),
  subject: z.catch(name, ''),
  principal: z.catch(z.optional(name), undefined),
  data: z.catch(z.record(z.string(), z.unknown()), {}),
})

const REFUSED = /\.(?:refused|denied|blocked)$/
const FAILED = /\.(?:failed|lost|crashed|unready)$/

/** How it came out, by the past tense of its name and by its data. */
export function outcomeOf(type: string, data: Readonly<Record<string, unknown>>): Outcome {
  if (REFUSED.test(type) || data['allowed'] === false || data['outcome'] === 'refused') return 'refused'
  const status = typeof data['status'] === 'number' ? data['status'] : 0
  return FAILED.test(type) || data['outcome'] === 'failed' || status >= 400 ? 'failed' : 'ok'
}

/** Null: no event. The file may have been written by anybody who may write to the workspace. */
export function readRecord(line: string): EventRecord | null {
  const json = parseJson(line)
  const parsed = schema.safeParse(json.ok ? json.value : null)
  if (!parsed.success) return null
  const { seq, pid, type, at, subject, principal, data } = parsed.data
  return {
    ...{ id: `${pid}-${seq}`, at, type, subject },
    ...{ principal: principal ?? null, outcome: outcomeOf(type, data), data },
  }
}

export interface EventFilter {
  /** Begin of the type: `agent.`, `agent.started`; several are alternatives. */
  readonly types?: readonly string[]
  /** Subjects, or agents named in the data. */
  readonly agents?: readonly string[]
  readonly principal?: string
  readonly outcome?: Outcome
  /** ISO 8601. */
  readonly since?: string
  readonly until?: string
  /** Only what somebody asked for. */
  readonly audit?: boolean
}

const isNamed = (record: EventRecord, agent: string): boolean =>
  record.subject === agent || record.data['agent'] === agent || record.data['caller'] === `agent:${agent}`

export function matches(record: EventRecord, filter: EventFilter): boolean {
  const { types, agents, principal, outcome, since, until, audit } = filter
  if (audit === true && record.principal === null) return false
  if (since !== undefined && record.at < since) return false
  if (until !== undefined && record.at > until) return false
  if (outcome !== undefined && record.outcome !== outcome) return false
  if (principal !== undefined && record.principal !== principal) return false
  if (types !== undefined && !types.some((type) => record.type.startsWith(type))) return false
  return agents === undefined || agents.some((agent) => isNamed(record, agent))
}
