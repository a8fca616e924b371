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
/** Without these it is no event; the rest may be missing. */
const schema = z.object({
  type: z.string().check(z.minLength(1), z.maxLength(MAX_NAME)),
  at: z.string().check(z.maxLength(40)),
  seq: z.optional(z.unknown()),
  pid: z.optional(z.unknown()),
  subject: z.optional(z.unknown()),
  principal: z.optional(z.unknown()),
  data: z.optional(z.unknown()),
})

const nameIn = (value: unknown): string | null => (typeof value === 'string' ? value.slice(0, MAX_NAME) : null)
const numberIn = (value: unknown): number => (typeof value === 'number' ? value : 0)
const recordIn = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

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
  const { seq, pid, type, at, subject, principal } = parsed.data
  const data = recordIn(parsed.data.data)
  return {
    ...{ id: `${numberIn(pid)}-${numberIn(seq)}`, at, type, subject: nameIn(subject) ?? '' },
    ...{ principal: nameIn(principal), outcome: outcomeOf(type, data), data },
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
