/** A list of any length of which only what is in sight is laid out. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { spansOf } from '../../shared/ansi.ts'
import { clockTime, fullTime } from '../../shared/format.ts'
import { words } from '../views/logs-strings.ts'
import type { LogLine } from './log-line.ts'
import type { Rows } from './log-rows.ts'
import { equalRows, wrappedRows } from './log-rows.ts'
import { findsIn, markSpans } from './log-search.ts'

const ROW = 20
/** Rows beyond the edges that are laid out already: a scroll shows them at once. */
const BEYOND = 12
const AT_END = 4
const PROBE = 'x'.repeat(100)
const LETTERS = { debug: 'D', info: 'I', warn: 'W', error: 'E' } as const

export interface LogListProps {
  readonly lines: readonly LogLine[]
  readonly version: number
  readonly withSource: boolean
  readonly isWrapped: boolean
  readonly isFollowing: boolean
  readonly pattern: RegExp | null
  /** Row to bring into sight; changes with each request. */
  readonly target: { readonly index: number } | null
  readonly labelledBy: string
  /** The reader went away from the end, or came back to it. */
  onFollow(isFollowing: boolean): void
}

interface Sight {
  readonly top: number
  readonly height: number
}

export function LogList(props: LogListProps) {
  const { lines, version, withSource, isWrapped, isFollowing, target } = props
  const box = useRef<HTMLDivElement>(null)
  const [sight, setSight] = useState<Sight>({ top: 0, height: 600 })
  const columns = useColumns(box, [withSource, isWrapped])
  const rows: Rows = useMemo(
    () => (isWrapped ? wrappedRows(lines, columns, ROW) : equalRows(lines.length, ROW)),
    [lines, version, isWrapped, columns],
  )
  const look = (): void => {
    const { current } = box
    if (current !== null) setSight({ top: current.scrollTop, height: current.clientHeight })
  }
  useLayoutEffect(() => {
    const { current } = box
    if (current !== null && isFollowing) current.scrollTop = rows.height
    look()
  }, [rows, isFollowing])
  useLayoutEffect(() => {
    const { current } = box
    if (current === null || target === null) return
    current.scrollTop = Math.max(0, rows.top(target.index) - current.clientHeight / 2)
    look()
  }, [target])
  useEffect(() => {
    const watcher = new ResizeObserver(look)
    if (box.current !== null) watcher.observe(box.current)
    return () => watcher.disconnect()
  }, [])
  const first = Math.max(0, rows.at(sight.top) - BEYOND)
  const last = Math.min(lines.length, rows.at(sight.top + sight.height) + 1 + BEYOND)
  return (
    <div
      class={`log-list${isWrapped ? ' wrapped' : ''}${withSource ? ' with-source' : ''}`}
      ref={box}
      role="log"
      aria-live="off"
      aria-labelledby={props.labelledBy}
      tabIndex={0}
      onScroll={({ currentTarget: at }) => {
        look()
        const isAtEnd = at.scrollHeight - at.scrollTop - at.clientHeight <= AT_END
        if (isAtEnd !== isFollowing) props.onFollow(isAtEnd)
      }}
    >
      <div class="log-rows" style={{ blockSize: `${rows.height}px` }}>
        <div class="log-sight" style={{ transform: `translateY(${rows.top(first)}px)` }}>
          {lines.slice(first, last).map((line, index) => (
            <Row key={line.id} line={line} isTarget={target?.index === first + index} {...props} />
          ))}
        </div>
      </div>
    </div>
  )
}

function Row({ line, isTarget, withSource, pattern }: LogListProps & { line: LogLine; isTarget: boolean }) {
  const spans = markSpans(spansOf(line.raw), pattern === null ? [] : findsIn(pattern, line.text))
  const classes = `log-row level-${line.level}${isTarget ? ' target' : ''}`
  return (
    <div class={classes}>
      <time dateTime={line.at} title={fullTime(line.at)}>
        {clockTime(line.at)}
      </time>
      {withSource && <span class="log-source">{line.source}</span>}
      <span class="log-level" title={words.levelName(line.level)}>
        {LETTERS[line.level]}
      </span>
      <span class="log-text">
        {line.isError && <span class="visually-hidden">{words.errorStream}: </span>}
        {spans.map(({ text, look, isMark }, index) =>
          isMark ? (
            <mark key={index} class={look}>
              {text}
            </mark>
          ) : look === '' ? (
            text
          ) : (
            <span key={index} class={look}>
              {text}
            </span>
          ),
        )}
      </span>
    </div>
  )
}

/** How many characters fit into a line: measured, since fonts differ. */
function useColumns(box: { readonly current: HTMLDivElement | null }, causes: readonly unknown[]): number {
  const [columns, setColumns] = useState(100)
  useLayoutEffect(() => {
    const { current } = box
    if (current === null) return
    const measure = (): void => {
      const probe = document.createElement('div')
      probe.className = 'log-row probe'
      for (const name of ['time', 'log-source', 'log-level', 'log-text']) {
        const part = document.createElement(name === 'time' ? 'time' : 'span')
        if (name !== 'time') part.className = name
        if (name === 'log-text') part.textContent = PROBE
        probe.append(part)
      }
      current.append(probe)
      const text = probe.lastElementChild as HTMLElement
      const room = text.clientWidth
      const range = document.createRange()
      const width = charWidth(range, text)
      probe.remove()
      if (width > 0 && room > 0) setColumns(Math.max(1, Math.floor(room / width)))
    }
    measure()
    const watcher = new ResizeObserver(measure)
    watcher.observe(current)
    return () => watcher.disconnect()
  }, causes)
  return columns
}

function charWidth(range: Range, text: HTMLElement): number {
  const node = text.firstChild
  if (node === null) return 0
  range.setStart(node, 0)
  range.setEnd(node, 1)
  return range.getBoundingClientRect().width
}
