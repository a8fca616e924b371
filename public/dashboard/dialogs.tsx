/** The drawer with an agent's log. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { clockTime, fullTime, plainText, shellWord } from '../shared/format.ts'
import { Button, Command, CopyButton, Dialog } from '../shared/ui.tsx'
import type { LogLine } from './model.ts'
import { ProblemNote } from './problem.tsx'
import { logView, refreshLog } from './store.ts'
import type { LogView } from './store.ts'
import { strings } from './strings.ts'

export function LogDrawer() {
  const view = logView.value
  return view === null ? null : <Drawer key={view.agent} view={view} />
}

const { logsPane } = strings

function Drawer({ view }: { view: LogView }) {
  const [filter, setFilter] = useState('')
  const name = plainText(view.agent)
  const close = (): void => {
    logView.value = null
  }
  const all = view.lines ?? []
  const shown = filter === '' ? all : all.filter(({ text }) => text.toLowerCase().includes(filter.toLowerCase()))
  return (
    <Dialog class="drawer" labelledBy="log-title" onClose={close}>
      <div class="drawer-head">
        <h2 id="log-title">{strings.logsOf(name)}</h2>
        <Button iconOnly kind="quiet" icon="close" label={logsPane.close} onClick={close} />
      </div>
      <div class="drawer-tools">
        <input
          class="field"
          type="search"
          aria-label={logsPane.filter}
          placeholder={logsPane.filter}
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        <Button icon="restart" label={logsPane.refresh} busy={view.loading} onClick={() => void refreshLog()} />
        <CopyButton text={shown.map(({ text }) => text).join('\n')} name={logsPane.copy} />
      </div>
      {view.problem !== null && <ProblemNote problem={view.problem} />}
      <LogLines lines={view.lines === null ? null : shown} total={all.length} />
      <div class="drawer-foot">
        <span class="muted small" role="status">
          {view.lines === null ? '' : logsPane.shown(shown.length, all.length)}
        </span>
        <Command text={logsPane.follow(shellWord(view.agent))} />
      </div>
    </Dialog>
  )
}

function LogLines({ lines, total }: { lines: readonly LogLine[] | null; total: number }) {
  const ref = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  // New lines are followed only by a reader who is at the end: nobody's place is lost.
  useEffect(() => {
    if (atEnd.current && ref.current !== null) ref.current.scrollTop = ref.current.scrollHeight
  }, [lines])
  const note =
    lines === null ? logsPane.loading : lines.length > 0 ? null : total === 0 ? logsPane.empty : logsPane.noMatch
  return (
    <div
      class="log"
      ref={ref}
      role="log"
      aria-live="off"
      aria-labelledby="log-title"
      tabIndex={0}
      onScroll={({ currentTarget: box }) => {
        atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < 24
      }}
    >
      {note !== null && <p class="muted">{note}</p>}
      {(lines ?? []).map((line, index) => (
        <div key={index} class={line.isError ? 'line from-stderr' : 'line'}>
          <time dateTime={line.at} title={fullTime(line.at)}>
            {clockTime(line.at)}
          </time>
          <span>
            {line.isError && <span class="visually-hidden">{logsPane.error}: </span>}
            {line.text}
          </span>
        </div>
      ))}
    </div>
  )
}
