/** The dashboard: which agents there are, how they are, and the first things one wants to do about it. */
import { effect } from '@preact/signals'
import { render } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { FilesDrawer } from '../shared/files-drawer.tsx'
import { Button, Command } from '../shared/ui.tsx'
import { AgentTable, ProblemNote } from './agents.tsx'
import './dashboard.css'
import { ConfirmDialog, LogDrawer } from './dialogs.tsx'
import { ActivityPanel, Header, Notices, RouterPanel } from './frame.tsx'
import type { Status } from './model.ts'
import { countStates } from './model.ts'
import { filesOf, filter, loadProblem, refresh, shownAgents, startPage, status } from './store.ts'
import { strings } from './strings.ts'

/** Below this everything is in sight, and a search field would only be in the way. */
const FILTER_FROM = 6

function Page() {
  const current = status.value
  const problem = loadProblem.value
  return (
    <>
      <a class="skip-link" href="#agents">
        {strings.skip}
      </a>
      <Header workspace={current?.workspace.name ?? ''} />
      <main>
        <h1 class="visually-hidden">{strings.title}</h1>
        {problem !== null && (
          <div class="load-problem" role="alert">
            <ProblemNote
              problem={{ code: problem.code, hint: problem.hint, message: `${strings.loadFailed}: ${problem.message}` }}
            />
            <Button icon="restart" label={strings.retry} onClick={() => void refresh()} />
          </div>
        )}
        {current === null ? problem === null && <Loading /> : <Loaded status={current} />}
      </main>
      <ConfirmDialog />
      <LogDrawer />
      <Files />
      <Notices />
    </>
  )
}

function Files() {
  const agent = filesOf.value
  return agent === null ? null : <FilesDrawer key={agent} agent={agent} onClose={() => (filesOf.value = null)} />
}

function Loaded({ status: current }: { status: Status }) {
  const { agents } = current
  return (
    <div class="columns">
      <section id="agents" class="main-column" tabIndex={-1} aria-labelledby="agents-title">
        <div class="section-head">
          <h2 id="agents-title">{strings.agents}</h2>
          <span class="muted small">
            {countStates(agents)
              .map(({ state, count }) => strings.countOf(count, state))
              .join(' · ')}
          </span>
          {agents.length >= FILTER_FROM && <Filter />}
        </div>
        {agents.length === 0 ? <Empty /> : <AgentTable agents={shownAgents.value} />}
        {agents.length > 0 && shownAgents.value.length === 0 && (
          <p class="muted panel">{strings.noMatch(filter.value)}</p>
        )}
      </section>
      <aside class="side-column" aria-label={strings.router.title}>
        <RouterPanel status={current} />
        <ActivityPanel />
      </aside>
    </div>
  )
}

function Filter() {
  const ref = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const typing =
        event.target instanceof HTMLElement && event.target.matches('input, textarea, select, [contenteditable]')
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      ref.current?.focus()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  return (
    <input
      ref={ref}
      class="field filter"
      type="search"
      aria-label={strings.filterHint}
      aria-keyshortcuts="/"
      placeholder={`${strings.filter}  /`}
      value={filter.value}
      onInput={(event) => {
        filter.value = event.currentTarget.value
      }}
    />
  )
}

function Loading() {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">{strings.loading}</span>
      {[0, 1, 2].map((index) => (
        <div key={index} class="card skeleton" />
      ))}
    </div>
  )
}

function Empty() {
  const { title, text, commands, after } = strings.empty
  return (
    <div class="card empty">
      <h3>{title}</h3>
      <p class="muted">{text}</p>
      {commands.map((command) => (
        <Command key={command} text={command} />
      ))}
      <p class="muted small">{after}</p>
    </div>
  )
}

effect(() => {
  document.title = strings.pageTitle(status.value?.workspace.name ?? '')
})
const root = document.getElementById('app')
if (root !== null) {
  root.replaceChildren()
  render(<Page />, root)
  startPage()
}
