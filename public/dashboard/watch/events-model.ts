/** Events as the page shows them: read from the log and from the stream alike, and filtered in the same way. */
import { asRecord, listOf, textOr, textOrNull } from '../../shared/api.ts'
import { plainText } from '../../shared/format.ts'

export const OUTCOMES = ['ok', 'failed', 'refused'] as const
export type Outcome = (typeof OUTCOMES)[number]

export interface EventRow {
  readonly key: string
  readonly at: string
  readonly type: string
  readonly subject: string
  readonly principal: string | null
  readonly outcome: Outcome
  /** The sentence of it, where there is one. */
  readonly about: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface EventFilter {
  /** Begin of the type; '' for all. */
  readonly type: string
  readonly agent: string
  readonly principal: string
  readonly outcome: '' | Outcome
  readonly audit: boolean
  /** As the command takes it: `1h`. */
  readonly since: string
}

const clean = (value: unknown): string => plainText(textOr(value, ''))
const REFUSED = /\.(?:refused|denied|blocked)$/
const FAILED = /\.(?:failed|lost|crashed|unready)$/

/** Null for what is none. An event of the stream tells no outcome: it follows from its name, as in the log. */
export function readEvent(value: unknown): EventRow | null {
  const { at, type, subject, principal, outcome, data } = asRecord(value)
  const name = clean(type)
  if (name === '' || typeof at !== 'string') return null
  const record = asRecord(data)
  const about = [record['message'], record['reason'], record['command'], record['tool'], record['method']]
  return {
    ...{ key: `${at} ${name} ${clean(subject)}`, at, type: name, subject: clean(subject), data: record },
    principal: textOrNull(principal) === null ? null : clean(principal),
    outcome: OUTCOMES.find((known) => known === outcome) ?? outcomeOf(name, record),
    about: clean(about.find((text) => typeof text === 'string' && text !== '')),
  }
}

function outcomeOf(type: string, data: Record<string, unknown>): Outcome {
  if (REFUSED.test(type) || data['allowed'] === false) return 'refused'
  const status = typeof data['status'] === 'number' ? data['status'] : 0
  return FAILED.test(type) || status >= 400 ? 'failed' : 'ok'
}

export function readPage(body: unknown): { rows: EventRow[]; next: string | null } {
  const { events, next } = asRecord(body)
  return { rows: listOf(events).flatMap((value) => readEvent(value) ?? []), next: textOrNull(next) }
}

/** Events of the stream pass the filter that the router applied to those of the log. */
export function passes(row: EventRow, { type, agent, principal, outcome, audit }: EventFilter): boolean {
  if (!row.type.startsWith(type)) return false
  const { data } = row
  if (agent !== '' && row.subject !== agent && data['agent'] !== agent && data['caller'] !== `agent:${agent}`)
    return false
  if (principal !== '' && row.principal !== principal) return false
  return (outcome === '' || row.outcome === outcome) && (!audit || row.principal !== null)
}

const queryOf = (filter: EventFilter): [string, string][] =>
  Object.entries({ ...filter, audit: filter.audit ? 'true' : '' }).filter(([, value]) => value !== '') as [
    string,
    string,
  ][]

export const eventsAddress = (filter: EventFilter, limit: number, before: string | null): string =>
  `api/v1/events/log?${new URLSearchParams([
    ...queryOf(filter),
    ['limit', String(limit)],
    ...(before === null ? [] : [['before', before] as [string, string]]),
  ]).toString()}`

/** Newest first, each once. */
export function mergeRows(now: readonly EventRow[], more: readonly EventRow[], limit: number): EventRow[] {
  const seen = new Set<string>()
  const all = [...now, ...more].filter(({ key }) => !seen.has(key) && seen.add(key) !== undefined)
  return all.toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, limit)
}
