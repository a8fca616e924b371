/** Logs of agents and of the router, live: several as one, searched, filtered, saved. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { shellWord } from '../../shared/format.ts'
import { Button, Command } from '../../shared/ui.tsx'
import { ViewHead } from '../head.tsx'
import { ProblemNote } from '../problem.tsx'
import { setQuery } from '../route.ts'
import { status } from '../store.ts'
import type { ViewProps } from '../view.ts'
import { Menu, Select, Toggle, useKeys } from '../watch/controls.tsx'
import { createLogBuffer } from '../watch/log-buffer.ts'
import type { LogBuffer } from '../watch/log-buffer.ts'
import { LogList } from '../watch/log-list.tsx'
import { type Level, LEVELS, type LogLine } from '../watch/log-line.ts'
import { readSearch } from '../watch/log-search.ts'
import type { StreamState } from '../watch/log-stream.ts'
import { openLogStream } from '../watch/log-stream.ts'
import { Save, SEARCH_ID, SearchField } from '../watch/log-tools.tsx'
import { words } from './logs-strings.ts'

const ROUTER = 'router'
const AMOUNTS = Object.entries(words.amounts)
const RANGES = Object.entries(words.ranges)
const LEVEL_OPTIONS = LEVELS.map((level) => [level, words.levels[level]] as const)

/** What is asked for, as the address says it. */
interface Asked {
  readonly sources: readonly string[]
  readonly lines: number
  readonly range: string
  readonly since: string
  readonly until: string
}

function askedIn(query: URLSearchParams, known: readonly string[]): Asked {
  const named = (query.get('agent') ?? '').split(',').filter((name) => name !== '')
  const lines = Number(query.get('lines') ?? 1000)
  const range = query.get('range') ?? ''
  const time = (name: string): string => {
    const at = Date.parse(query.get(name) ?? '')
    return range === 'custom' && !Number.isNaN(at) ? new Date(at).toISOString() : ''
  }
  return {
    sources: query.has('agent') ? named : [ROUTER, ...known.slice(0, 1)].toReversed(),
    lines: Number.isInteger(lines) && lines > 0 && lines <= 100_000 ? lines : 1000,
    ...{ range, since: range === 'custom' ? time('from') : range, until: time('until') },
  }
}

export function View({ query }: ViewProps) {
  const agents = (status.value?.agents ?? []).filter(({ state }) => state !== 'disabled').map(({ name }) => name)
  const isKnown = status.value !== null
  const asked = askedIn(query, agents)
  const key = JSON.stringify(asked)
  return (
    <div class="logs-view">
      <ViewHead title={words.title} />
      {isKnown && (
        <>
          <Choices asked={asked} agents={agents} query={query} />
          {asked.sources.length === 0 ? (
            <p class="muted panel card">{words.none}</p>
          ) : (
            <Reader key={key} asked={asked} query={query} />
          )}
        </>
      )}
    </div>
  )
}

function Choices({ asked, agents, query }: { asked: Asked; agents: readonly string[]; query: URLSearchParams }) {
  const all = [...agents, ROUTER]
  const choose = (sources: readonly string[]): void =>
    setQuery({ agent: sources.length === 0 ? ',' : sources.join(',') })
  return (
    <div class="log-choices no-print">
      <Menu label={words.sources(asked.sources.length, asked.sources[0] ?? '')}>
        <fieldset class="menu-list">
          <legend class="small muted">{words.choose}</legend>
          {all.map((name) => (
            <label key={name} class="choice">
              <input
                type="checkbox"
                checked={asked.sources.includes(name)}
                onChange={({ currentTarget: { checked } }) =>
                  choose(all.filter((other) => (other === name ? checked : asked.sources.includes(other))))
                }
              />
              <span>{name === ROUTER ? words.router : name}</span>
            </label>
          ))}
        </fieldset>
        <div class="menu-actions">
          <Button kind="quiet" label={words.chooseAll} onClick={() => choose(all.slice(0, 64))} />
          <Button kind="quiet" label={words.chooseNone} onClick={() => choose([])} />
        </div>
      </Menu>
      <Select
        label={words.range}
        value={asked.range}
        options={RANGES}
        onChange={(range) => setQuery({ range, from: null, until: null })}
      />
      {asked.range === 'custom' &&
        (['from', 'until'] as const).map((name) => (
          <label key={name} class="time-field small">
            <span class="muted">{words[name]}</span>
            <input
              class="field"
              type="datetime-local"
              step="1"
              value={query.get(name) ?? ''}
              onChange={({ currentTarget: { value } }) => setQuery({ [name]: value })}
            />
          </label>
        ))}
      <Select
        label={words.amount}
        value={String(asked.lines)}
        options={AMOUNTS}
        onChange={(lines) => setQuery({ lines })}
      />
    </div>
  )
}

/** Lines arrive in bursts; they are shown once a frame. */
function useLog(asked: Asked): { buffer: LogBuffer; state: StreamState; tick: number; redraw: () => void } {
  const buffer = useMemo(() => createLogBuffer(), [])
  const [state, setState] = useState<StreamState>({ kind: 'connecting' })
  const [tick, setTick] = useState(0)
  const redraw = (): void => setTick((count) => count + 1)
  useEffect(() => {
    let waiting: LogLine[] = []
    let frame = 0
    const flush = (): void => {
      frame = 0
      buffer.append(waiting)
      waiting = []
      redraw()
    }
    const close = openLogStream({
      ...asked,
      onState: setState,
      onLines(lines) {
        waiting = waiting.length === 0 ? lines : waiting.concat(lines)
        frame ||= requestAnimationFrame(flush)
      },
    })
    return () => {
      cancelAnimationFrame(frame)
      close()
    }
  }, [])
  return { buffer, state, tick, redraw }
}

function Reader({ asked, query }: { asked: Asked; query: URLSearchParams }) {
  const { buffer, state, redraw } = useLog(asked)
  const [isFollowing, setFollowing] = useState(true)
  const [seen, setSeen] = useState(0)
  const [at, setAt] = useState(0)
  const [target, setTarget] = useState<{ index: number } | null>(null)
  const text = query.get('q') ?? ''
  const isRegex = query.get('regex') === '1'
  const onlyFound = query.get('only') === '1'
  const isWrapped = query.get('wrap') === '1'
  const level = LEVELS.find((name) => name === query.get('level')) ?? 'debug'
  const search = useMemo(() => readSearch(text, isRegex), [text, isRegex])
  useEffect(() => {
    buffer.filter({ level, pattern: search.pattern, onlyFound })
    setAt(0)
    redraw()
  }, [level, search, onlyFound])
  const { shown, found } = buffer
  const follow = (isOn: boolean): void => {
    setFollowing(isOn)
    setSeen(buffer.total)
  }
  const jump = (step: 1 | -1): void => {
    if (found.length === 0) return
    const next = at === 0 ? (step > 0 ? 1 : found.length) : ((at - 1 + step + found.length) % found.length) + 1
    follow(false)
    setAt(next)
    setTarget({ index: found[next - 1] ?? 0 })
  }
  useKeys({
    '/': () => document.getElementById(SEARCH_ID)?.focus(),
    f: () => follow(!isFollowing),
    End: () => follow(true),
    Home: () => {
      follow(false)
      setTarget({ index: 0 })
    },
  })
  const withSource = asked.sources.length > 1
  const fresh = isFollowing ? 0 : buffer.total - seen
  return (
    <>
      <div class="log-tools no-print">
        <SearchField text={text} isRegex={isRegex} problem={search.problem} onJump={jump} />
        {text !== '' && search.problem === null && (
          <span class="match-count small">
            <span role="status">{words.count(at, found.length)}</span>
            <Button iconOnly kind="quiet" icon="previous" label={words.previous} onClick={() => jump(-1)} />
            <Button iconOnly kind="quiet" icon="next" label={words.next} onClick={() => jump(1)} />
          </span>
        )}
        <Toggle label={words.only} isOn={onlyFound} onChange={(isOn) => setQuery({ only: isOn ? '1' : null })} />
        <Select
          label={words.level}
          value={level as Level}
          options={LEVEL_OPTIONS}
          onChange={(value) => setQuery({ level: value === 'debug' ? null : value })}
        />
        <span class="tools-end">
          <Toggle label={words.wrap} isOn={isWrapped} onChange={(isOn) => setQuery({ wrap: isOn ? '1' : null })} />
          <Toggle label={words.follow} title={words.followTitle} keys="f" isOn={isFollowing} onChange={follow} />
          <Save
            lines={shown}
            withSource={withSource}
            name={asked.sources.length === 1 ? (asked.sources[0] ?? '') : 'logs'}
          />
        </span>
      </div>
      {state.kind === 'failed' && <ProblemNote problem={state.problem} />}
      <div class="log-frame">
        <LogList
          lines={shown}
          version={buffer.version}
          {...{ withSource, isWrapped, isFollowing, target }}
          pattern={search.pattern}
          labelledBy="view-title"
          onFollow={follow}
        />
        <Note total={buffer.total} shown={shown.length} state={state} />
        {fresh > 0 && (
          <button type="button" class="button primary pill" onClick={() => follow(true)}>
            {words.newLines(fresh)}
          </button>
        )}
      </div>
      <Foot asked={asked} shown={shown.length} total={buffer.total} state={state} />
    </>
  )
}

function Note({ total, shown, state }: { total: number; shown: number; state: StreamState }) {
  if (shown > 0 || state.kind === 'failed') return null
  const text = total > 0 ? words.noMatch : state.kind === 'connecting' ? words.loading : words.empty
  return <p class="log-note muted">{text}</p>
}

interface FootProps {
  readonly asked: Asked
  readonly shown: number
  readonly total: number
  readonly state: StreamState
}

function Foot({ asked, shown, total, state }: FootProps) {
  const options = [
    asked.until === '' ? '-f' : '',
    `-n ${asked.lines}`,
    asked.since === '' ? '' : `--since ${asked.since}`,
    asked.until === '' ? '' : `--until ${asked.until}`,
  ]
  const command = ['ploinky logs', shellWord(asked.sources.join(',')), ...options].filter((part) => part !== '')
  return (
    <div class="log-foot no-print">
      <span class="muted small">
        <span data-stream={state.kind}>{words.states[state.kind]}</span> · <span>{words.shown(shown, total)}</span>
      </span>
      <span class="same">
        <span class="muted small">{words.same}</span>
        <Command text={command.join(' ')} />
      </span>
    </div>
  )
}
