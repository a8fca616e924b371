/** The last hour in lines: processor, memory, requests, times, failures. Loaded once, then carried on by the live stream. */
import { useEffect, useState } from 'preact/hooks'
import { call } from '../../shared/api.ts'
import type { ApiError } from '../../shared/api.ts'
import { shellWord } from '../../shared/format.ts'
import { Button, Command } from '../../shared/ui.tsx'
import { ViewHead } from '../head.tsx'
import { Loading } from '../loading.tsx'
import { ProblemNote } from '../problem.tsx'
import { setQuery } from '../route.ts'
import { asApiError, live, status } from '../store.ts'
import type { ViewProps } from '../view.ts'
import type { Line } from '../watch/chart.tsx'
import { Chart } from '../watch/chart.tsx'
import { Menu, Select } from '../watch/controls.tsx'
import type { Report, Series } from '../watch/metrics-model.ts'
import { errorShare, extend, perSecond, readReport } from '../watch/metrics-model.ts'
import { lastSample } from '../watch/metrics.ts'
import { bytes, milliseconds, percent, rate } from '../watch/units.ts'
import { words } from './charts-strings.ts'

/** Lines that can be told apart in one drawing. */
const MOST = 6
const STEP_SECONDS = 10
const QUANTILES = Object.entries(words.quantiles) as ['p50Ms' | 'p95Ms', string][]

export function View({ query }: ViewProps) {
  const known = status.value
  if (known === null) return <Loading label={words.loading} />
  const names = known.agents.filter(({ container }) => container !== '').map(({ name }) => name)
  const asked = query.get('agent')
  const chosen = (asked === null ? names : asked.split(',').filter((name) => name !== '')).slice(0, MOST)
  const quantile = query.get('of') === 'p50Ms' ? 'p50Ms' : 'p95Ms'
  return (
    <>
      <ViewHead title={words.title} note={words.note}>
        <Choice names={[...new Set([...names, ...chosen])]} chosen={chosen} />
        <Select
          label={words.quantile}
          value={quantile}
          options={QUANTILES}
          onChange={(value) => setQuery({ of: value === 'p95Ms' ? null : value })}
        />
      </ViewHead>
      <Charts key={chosen.join(',')} chosen={chosen} quantile={quantile} />
    </>
  )
}

function Choice({ names, chosen }: { names: readonly string[]; chosen: readonly string[] }) {
  return (
    <Menu label={words.agents(chosen.length)}>
      <fieldset class="menu-list">
        <legend class="small muted">{words.choose(MOST)}</legend>
        {names.map((name) => (
          <label key={name} class="choice">
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              disabled={!chosen.includes(name) && chosen.length >= MOST}
              onChange={({ currentTarget: { checked } }) => {
                const next = names.filter((other) => (other === name ? checked : chosen.includes(other)))
                setQuery({ agent: next.length === 0 ? ',' : next.join(',') })
              }}
            />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
    </Menu>
  )
}

/** Whatever was missed while the connection was away is read again. */
function useReport(chosen: readonly string[]): { report: Report | null; problem: ApiError | null; load: () => void } {
  const [report, setReport] = useState<Report | null>(null)
  const [problem, setProblem] = useState<ApiError | null>(null)
  const load = async (): Promise<void> => {
    const query = new URLSearchParams({
      agent: chosen.length === 0 ? ',' : chosen.join(','),
      step: String(STEP_SECONDS),
    })
    try {
      setReport(readReport(await call('GET', `api/v1/metrics?${query.toString()}`)))
      setProblem(null)
    } catch (error) {
      setProblem(asApiError(error))
    }
  }
  useEffect(
    () =>
      live.subscribe(({ kind }) => {
        if (kind === 'live') void load()
      }),
    [],
  )
  useEffect(
    () =>
      lastSample.subscribe((sample) => {
        if (sample !== null) setReport((now) => (now === null ? now : extend(now, sample)))
      }),
    [],
  )
  return { report, problem, load: () => void load() }
}

function Charts({ chosen, quantile }: { chosen: readonly string[]; quantile: 'p50Ms' | 'p95Ms' }) {
  const { report, problem, load } = useReport(chosen)
  if (problem !== null) {
    return (
      <div class="load-problem" role="alert">
        <ProblemNote problem={problem} />
        <Button icon="restart" label={words.retry} onClick={load} />
      </div>
    )
  }
  if (report === null) return <Loading label={words.loading} />
  const { at, stepSeconds } = report
  const linesOf = (pick: (series: Series) => readonly (number | null)[], withAll = false): Line[] => [
    ...(withAll && report.total !== null ? [{ name: words.all, values: pick(report.total), look: MOST }] : []),
    ...chosen.flatMap((name, look) => {
      const series = report.agents.get(name)
      return series === undefined ? [] : [{ name, values: pick(series), look }]
    }),
  ]
  const time = { at, stepSeconds }
  const { charts, explain } = words
  return (
    <>
      {report.total === null && <p class="muted">{words.emptyAll}</p>}
      <div class="charts">
        <Chart
          {...{ ...time, title: charts.cpu, explain: explain.cpu, format: percent }}
          lines={linesOf(({ cpuPercent }) => cpuPercent)}
        />
        <Chart
          {...{ ...time, title: charts.memory, explain: explain.memory, format: bytes, base: 1024 }}
          lines={linesOf(({ memoryBytes }) => memoryBytes)}
        />
        <Chart
          {...{ ...time, title: charts.requests, explain: explain.requests, format: rate }}
          lines={linesOf(({ requests }) => perSecond(requests, stepSeconds), true)}
        />
        <Chart
          {...{ ...time, title: charts.latency, explain: explain.latency, format: milliseconds }}
          lines={linesOf((series) => series[quantile], true)}
        />
        <Chart
          {...{ ...time, title: charts.errors, explain: explain.errors, format: percent }}
          lines={linesOf(errorShare, true)}
        />
      </div>
      <div class="same no-print">
        <span class="muted small">{words.same}</span>
        <Command
          text={['ploinky metrics', ...(chosen.length === 0 ? [] : [`--agent ${shellWord(chosen.join(','))}`])].join(
            ' ',
          )}
        />
      </div>
    </>
  )
}
