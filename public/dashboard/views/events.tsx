/** What happened and who asked for it: the event log, newest first, and what is added to it. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { call } from '../../shared/api.ts'
import type { ApiError } from '../../shared/api.ts'
import { clockTime, fullTime, shellWord } from '../../shared/format.ts'
import type { IconName } from '../../shared/icons.tsx'
import { Badge, Button, Command, CopyButton } from '../../shared/ui.tsx'
import type { Tone } from '../../shared/ui.tsx'
import { ViewHead } from '../head.tsx'
import { Loading } from '../loading.tsx'
import { ProblemNote } from '../problem.tsx'
import { hrefOf, setQuery } from '../route.ts'
import { asApiError, onEvent, status } from '../store.ts'
import type { ViewProps } from '../view.ts'
import { saveFile, Select, Toggle } from '../watch/controls.tsx'
import type { EventFilter, EventRow, Outcome } from '../watch/events-model.ts'
import { eventsAddress, mergeRows, OUTCOMES, passes, readEvent, readPage } from '../watch/events-model.ts'
import { words } from './events-strings.ts'

const PAGE = 100
/** Rows of the newest events; those that were loaded by hand come on top. */
const NEWEST = 200
/** New events are shown together: a table is laid out as a whole. */
const SHOW_MS = 250
const LOOKS: Record<Outcome, { tone: Tone; icon: IconName }> = {
  ok: { tone: 'ok', icon: 'check' },
  failed: { tone: 'bad', icon: 'failed' },
  refused: { tone: 'warn', icon: 'disabled' },
}
/** Told by the stream and not kept in the log. */
const UNKEPT = new Set(['routing.changed'])

function filterIn(query: URLSearchParams): EventFilter {
  const text = (name: string): string => query.get(name) ?? ''
  return {
    ...{ type: text('type'), agent: text('agent'), principal: text('principal'), since: text('since') },
    outcome: OUTCOMES.find((known) => known === query.get('outcome')) ?? '',
    audit: query.get('audit') === '1',
  }
}

export function View({ query }: ViewProps) {
  const filter = filterIn(query)
  return (
    <>
      <ViewHead title={words.title} />
      <Filters filter={filter} />
      <List key={JSON.stringify(filter)} filter={filter} chosen={query.get('event')} />
    </>
  )
}

function Filters({ filter }: { filter: EventFilter }) {
  const agents = (status.value?.agents ?? []).map(({ name }) => name)
  const named = filter.agent === '' || agents.includes(filter.agent) ? agents : [filter.agent, ...agents]
  const change = (name: string) => (value: string) => setQuery({ [name]: value, event: null })
  return (
    <div class="event-filters no-print">
      <Select label={words.type} value={filter.type} options={Object.entries(words.types)} onChange={change('type')} />
      <Select
        label={words.agent}
        value={filter.agent}
        options={[['', words.anyAgent], ...named.map((name) => [name, name] as const)]}
        onChange={change('agent')}
      />
      <Select
        label={words.outcomeLabel}
        value={filter.outcome}
        options={Object.entries(words.outcomes)}
        onChange={change('outcome')}
      />
      <Select
        label={words.since}
        value={filter.since}
        options={Object.entries(words.ranges)}
        onChange={change('since')}
      />
      <input
        class="field principal"
        type="search"
        aria-label={words.principal}
        placeholder={words.principal}
        value={filter.principal}
        onChange={({ currentTarget: { value } }) => change('principal')(value.trim())}
      />
      <Toggle
        label={words.audit}
        title={words.auditTitle}
        isOn={filter.audit}
        onChange={(isOn) => change('audit')(isOn ? '1' : '')}
      />
    </div>
  )
}

interface Loaded {
  readonly rows: readonly EventRow[] | null
  readonly next: string | null
  readonly problem: ApiError | null
  /** Rows that are kept. */
  readonly room: number
}

/** The log, and what is added to it. */
function useEvents(filter: EventFilter): Loaded & { older: () => void } {
  const [state, setState] = useState<Loaded>({ rows: null, next: null, problem: null, room: NEWEST })
  const load = async (before: string | null): Promise<void> => {
    try {
      const { rows, next } = readPage(await call('GET', eventsAddress(filter, PAGE, before)))
      setState(({ rows: before, room: roomBefore }) => {
        const room = before === null ? roomBefore : roomBefore + rows.length
        return { rows: mergeRows(before ?? [], rows, room), next, problem: null, room }
      })
    } catch (error) {
      setState((now) => ({ ...now, problem: asApiError(error) }))
    }
  }
  useEffect(() => {
    void load(null)
    let waiting: EventRow[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const flush = (): void => {
      timer = undefined
      const fresh = waiting
      waiting = []
      setState((now) => (now.rows === null ? now : { ...now, rows: mergeRows(fresh, now.rows, now.room) }))
    }
    const off = onEvent(({ event, data }) => {
      if (UNKEPT.has(event)) return
      const row = readEvent(parsed(data))
      if (row === null || !passes(row, filter)) return
      waiting.push(row)
      timer ??= setTimeout(flush, SHOW_MS)
    })
    return () => {
      off()
      clearTimeout(timer)
    }
  }, [])
  return { ...state, older: () => void load(state.next) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function List({ filter, chosen }: { filter: EventFilter; chosen: string | null }) {
  const { rows, next, problem, older } = useEvents(filter)
  const row = useMemo(() => rows?.find(({ key }) => key === chosen) ?? null, [rows, chosen])
  if (problem !== null && rows === null) return <Broken problem={problem} onRetry={older} />
  if (rows === null) return <Loading label={words.loading} />
  const isFiltered = Object.values(filter).some((value) => value !== '' && value !== false)
  return (
    <div class={row === null ? 'events' : 'events with-details'}>
      <div class="events-main">
        <div class="section-head">
          <span class="muted small" role="status">
            {words.shown(rows.length)}
          </span>
          {rows.length > 0 && <Download rows={rows} />}
        </div>
        {rows.length === 0 ? (
          <p class="card panel muted">{isFiltered ? words.noMatch : words.empty}</p>
        ) : (
          <Table rows={rows} chosen={chosen} />
        )}
        {problem !== null && <ProblemNote problem={problem} />}
        {next !== null && <Button icon="next" label={words.older} onClick={older} />}
        <Same filter={filter} />
      </div>
      {row !== null && <Details row={row} />}
    </div>
  )
}

function Broken({ problem, onRetry }: { problem: ApiError; onRetry: () => void }) {
  return (
    <div class="load-problem" role="alert">
      <ProblemNote problem={problem} />
      <Button icon="restart" label={words.retry} onClick={onRetry} />
    </div>
  )
}

const linesOf = (rows: readonly EventRow[]): string =>
  rows
    .map(({ at, type, subject, principal, outcome, data }) =>
      JSON.stringify({ at, type, subject, principal, outcome, data }),
    )
    .join('\n')

function Download({ rows }: { rows: readonly EventRow[] }) {
  return (
    <Button
      kind="quiet"
      icon="download"
      label={words.download}
      onClick={() => saveFile('events.ndjson', `${linesOf(rows)}\n`, 'application/x-ndjson')}
    />
  )
}

function Table({ rows, chosen }: { rows: readonly EventRow[]; chosen: string | null }) {
  const { at, type, subject, principal, outcome } = words.columns
  return (
    <div class="card table-box" tabIndex={0} role="region" aria-labelledby="view-title">
      <table class="event-table">
        <colgroup>
          {['time', 'type', 'subject', 'principal', 'outcome'].map((name) => (
            <col key={name} class={`col-${name}`} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {[at, type, subject, principal, outcome].map((label) => (
              <th key={label} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.key} row={row} isChosen={row.key === chosen} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Row({ row, isChosen }: { row: EventRow; isChosen: boolean }) {
  const look = LOOKS[row.outcome]
  const toggle = (): void => setQuery({ event: isChosen ? null : row.key })
  return (
    <tr class={isChosen ? 'chosen' : undefined} data-type={row.type}>
      <td>
        <time class="muted" dateTime={row.at} title={fullTime(row.at)}>
          {clockTime(row.at)}
        </time>
      </td>
      <td>
        <button type="button" class="link" aria-expanded={isChosen} onClick={toggle}>
          {row.type}
        </button>
        {row.about !== '' && <span class="muted small about">{row.about}</span>}
      </td>
      <td>{row.subject}</td>
      <td>{row.principal ?? <span class="muted">{words.byItself}</span>}</td>
      <td>
        <Badge tone={look.tone} icon={look.icon}>
          {words.outcome(row.outcome)}
        </Badge>
      </td>
    </tr>
  )
}

function Details({ row }: { row: EventRow }) {
  const { key: _key, about: _about, ...shown } = row
  const text = JSON.stringify(shown, null, 2)
  return (
    <aside class="card event-details" aria-label={words.detailsOf(row.type)}>
      <div class="drawer-head">
        <h2>{row.type}</h2>
        <span>
          <CopyButton text={text} name={words.copy} />
          <Button iconOnly kind="quiet" icon="close" label={words.close} onClick={() => setQuery({ event: null })} />
        </span>
      </div>
      <p class="muted small">{fullTime(row.at)}</p>
      <pre tabIndex={0} aria-label={words.detailsOf(row.type)}>
        {text}
      </pre>
      {row.subject !== '' && !['router', 'workspace'].includes(row.subject) && (
        <a class="button" href={hrefOf('logs', null, { agent: row.subject })}>
          {words.logsOf(row.subject)}
        </a>
      )}
    </aside>
  )
}

function Same({ filter }: { filter: EventFilter }) {
  const options = (['type', 'agent', 'principal', 'outcome', 'since'] as const).flatMap((name) =>
    filter[name] === '' ? [] : [`--${name} ${shellWord(filter[name])}`],
  )
  const command = ['ploinky events', ...options, ...(filter.audit ? ['--audit'] : [])].join(' ')
  return (
    <div class="same no-print">
      <span class="muted small">{words.same}</span>
      <Command text={command} />
    </div>
  )
}
