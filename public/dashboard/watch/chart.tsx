/** A line chart of the last hour: drawn once a sample, read by pointer, by keyboard and by screen reader, and as a table. */
import { useId, useMemo, useRef, useState } from 'preact/hooks'
import { clockTime } from '../../shared/format.ts'
import { words } from '../views/charts-strings.ts'
import { niceMax, stretches, summaryOf } from './metrics-model.ts'

export interface Line {
  readonly name: string
  readonly values: readonly (number | null)[]
  /** Colour and dashes, 0 to 6. */
  readonly look: number
}
export interface ChartProps {
  readonly title: string
  readonly explain: string
  readonly lines: readonly Line[]
  /** End of the last step, milliseconds since 1970. */
  readonly at: number
  readonly stepSeconds: number
  readonly base?: 10 | 1024
  format(value: number): string
}

/** In units of the drawing; it is stretched to its place. */
const WIDTH = 600
const HEIGHT = 160
const GRID = [0, 0.5, 1]
const TICKS = [60, 45, 30, 15, 0]
const TABLE_STEP_SECONDS = 300

export function Chart(props: ChartProps) {
  const { title, explain, lines, format } = props
  const id = useId()
  const shown = lines.filter(({ values }) => values.some((value) => value !== null))
  const length = Math.max(0, ...lines.map(({ values }) => values.length))
  const most = Math.max(0, ...shown.flatMap(({ values }) => values.map((value) => value ?? 0)))
  const max = niceMax(most, props.base ?? 10)
  const [place, setPlace] = useState<number | null>(null)
  const parts = shown.map(({ name, values }) => {
    const { last, max: top } = summaryOf(values)
    return words.series(name, last === null ? words.none : format(last), top === null ? words.none : format(top))
  })
  return (
    <section class="card chart" aria-labelledby={`${id}-title`}>
      <div class="chart-head">
        <h2 id={`${id}-title`}>{title}</h2>
        <span class="muted small">{explain}</span>
      </div>
      {shown.length === 0 ? (
        <p class="muted chart-empty">{words.empty}</p>
      ) : (
        <Plot {...props} lines={shown} {...{ max, length, place, setPlace, summary: words.summary(title, parts) }} />
      )}
      <Legend {...props} lines={shown} place={place} length={length} />
      {shown.length > 0 && <Table {...props} lines={shown} length={length} />}
    </section>
  )
}

interface PlotProps extends ChartProps {
  readonly max: number
  readonly length: number
  readonly place: number | null
  readonly summary: string
  setPlace(place: number | null): void
}

function Plot({ lines, max, length, place, setPlace, summary, format, at, stepSeconds }: PlotProps) {
  const box = useRef<HTMLDivElement>(null)
  const hint = useId()
  const last = length - 1
  const follow = (event: PointerEvent): void => {
    const area = box.current?.getBoundingClientRect()
    if (area === undefined || area.width === 0) return
    const x = (event.clientX - area.left) / area.width
    setPlace(Math.min(last, Math.max(0, Math.round(x * last))))
  }
  const onKey = (event: KeyboardEvent): void => {
    const now = place ?? last
    const far = event.shiftKey || event.key.startsWith('Page') ? 30 : 1
    const moves: Readonly<Record<string, number | null>> = {
      ...{ ArrowLeft: now - far, ArrowRight: now + far, PageUp: now - far, PageDown: now + far },
      ...{ Home: 0, End: last, Escape: null },
    }
    const next = moves[event.key]
    if (next === undefined) return
    event.preventDefault()
    setPlace(next === null ? null : Math.min(last, Math.max(0, next)))
  }
  return (
    <div class="plot">
      <div class="plot-scale small muted" aria-hidden="true">
        {GRID.toReversed().map((share) => (
          <span key={share}>{format(max * share)}</span>
        ))}
      </div>
      <div
        ref={box}
        class="plot-area"
        role="group"
        tabIndex={0}
        aria-label={summary}
        aria-describedby={hint}
        onKeyDown={onKey}
        onFocus={() => place === null && setPlace(last)}
        onBlur={() => setPlace(null)}
        onPointerMove={follow}
        onPointerLeave={() => document.activeElement !== box.current && setPlace(null)}
      >
        <Drawing {...{ lines, max, length, place }} />
      </div>
      <div class="plot-times small muted" aria-hidden="true">
        {TICKS.map((minutes) => (
          <span key={minutes}>{words.minutesAgo(minutes)}</span>
        ))}
      </div>
      <span id={hint} class="visually-hidden">
        {words.hint}
      </span>
      <span class="visually-hidden" role="status">
        {place === null ? '' : spokenAt({ lines, place, length, at, stepSeconds, format })}
      </span>
    </div>
  )
}

type At = Pick<ChartProps, 'lines' | 'at' | 'stepSeconds' | 'format'> & { place: number; length: number }

const timeAt = ({ at, stepSeconds, place, length }: Pick<At, 'at' | 'stepSeconds' | 'place' | 'length'>): string =>
  clockTime(new Date(at - (length - 1 - place) * stepSeconds * 1000).toISOString())

function spokenAt(where: At): string {
  const values = where.lines.map(({ name, values: all }) => {
    const value = all[where.place] ?? null
    return `${name} ${value === null ? words.none : where.format(value)}`
  })
  return [timeAt(where), ...values].join(', ')
}

type DrawingProps = Pick<PlotProps, 'lines' | 'max' | 'length' | 'place'>

function Drawing({ lines, max, length, place }: DrawingProps) {
  const paths = useMemo(
    () =>
      lines.map(({ values, look, name }) => {
        const parts = stretches(values, max).map((points) =>
          points.map(({ x, y }) => `${(x * WIDTH).toFixed(1)} ${((1 - y) * HEIGHT).toFixed(1)}`).join('L'),
        )
        // A single point has no length, and is drawn as a dot by the round ends of its line.
        return { key: name, look, d: parts.map((part) => `M${part}${part.includes('L') ? '' : 'h0.1'}`).join('') }
      }),
    [lines, max],
  )
  const x = place === null || length < 2 ? null : (place / (length - 1)) * WIDTH
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
      {GRID.map((share) => (
        <line key={share} class="grid" x1={0} x2={WIDTH} y1={share * HEIGHT} y2={share * HEIGHT} />
      ))}
      {paths.map(({ key, look, d }) => (
        <path key={key} class={`line look-${look}`} d={d} />
      ))}
      {x !== null && <line class="cross" x1={x} x2={x} y1={0} y2={HEIGHT} />}
    </svg>
  )
}

function Legend({
  lines,
  place,
  length,
  at,
  stepSeconds,
  format,
}: ChartProps & { place: number | null; length: number }) {
  if (lines.length === 0) return null
  return (
    <div class="legend">
      <span class="small muted legend-time">
        {place === null ? words.minutesAgo(0) : timeAt({ at, stepSeconds, place, length })}
      </span>
      <ul>
        {lines.map(({ name, values, look }) => {
          const value = place === null ? summaryOf(values).last : (values[place] ?? null)
          return (
            <li key={name}>
              <svg class="swatch" viewBox="0 0 24 8" aria-hidden="true">
                <path class={`line look-${look}`} d="M1 4H23" />
              </svg>
              <span class="legend-name">{name}</span>
              <span class="legend-value">{value === null ? words.none : format(value)}</span>
            </li>
          )
        })}
      </ul>
    </div>
  )
}

function Table({ title, lines, length, at, stepSeconds, format }: ChartProps & { length: number }) {
  const [isOpen, setOpen] = useState(false)
  const every = Math.max(1, Math.round(TABLE_STEP_SECONDS / stepSeconds))
  const places: number[] = []
  for (let place = length - 1; place >= 0; place -= every) places.push(place)
  return (
    <details class="chart-table" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary class="small">{words.table}</summary>
      {isOpen && (
        <div class="table-box" tabIndex={0} role="region" aria-label={words.tableOf(title)}>
          <table class="small">
            <thead>
              <tr>
                <th scope="col">{words.time}</th>
                {lines.map(({ name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {places.map((place) => (
                <tr key={place}>
                  <th scope="row">{timeAt({ at, stepSeconds, place, length })}</th>
                  {lines.map(({ name, values }) => {
                    const value = values[place] ?? null
                    return <td key={name}>{value === null ? words.none : format(value)}</td>
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  )
}
