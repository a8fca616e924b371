/** Which agents there are, how they are, and the first things one wants to do about it. */
import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Command } from '../../shared/ui.tsx'
import { AgentTable } from '../agents.tsx'
import { BulkResults, ListBar } from '../bulk-bar.tsx'
import { ActivityPanel, RouterPanel } from '../frame.tsx'
import { tellFailure } from '../do.ts'
import { ViewHead } from '../head.tsx'
import type { Status } from '../model.ts'
import { countStates } from '../model.ts'
import { isPlainKey, KeysDialog, useListKeys } from '../list-keys.tsx'
import { Loading } from '../loading.tsx'
import { asApiError, filter, loadProblem, shownAgents, status } from '../store.ts'
import { strings } from '../strings.ts'
import type { ViewProps } from '../view.ts'

/** Below this everything is in sight, and a search field would only be in the way. */
const FILTER_FROM = 6

/** One agent has its own part, loaded when it is looked at. */
const detail = signal<ComponentType<{ name: string }> | null>(null)

export function View({ param }: ViewProps) {
  const current = status.value
  useEffect(() => {
    if (param === null || detail.peek() !== null) return
    import('../agent-detail.tsx').then(
      ({ AgentDetail }) => {
        detail.value = AgentDetail
      },
      (error: unknown) => tellFailure(strings.notLoaded.text, asApiError(error)),
    )
  }, [param])
  if (param !== null) {
    const Detail = detail.value
    return Detail === null ? <Loading label={strings.loadingView} /> : <Detail name={param} />
  }
  if (current !== null) return <Loaded status={current} />
  return (
    <>
      <ViewHead title={strings.agents} />
      {loadProblem.value === null && <Loading label={strings.loading} />}
    </>
  )
}

function Loaded({ status: current }: { status: Status }) {
  const { agents } = current
  useListKeys()
  const counts = countStates(agents).map(({ state, count }) => strings.countOf(count, state))
  return (
    <>
      <ViewHead title={strings.agents} note={counts.join(' · ')}>
        {agents.length >= FILTER_FROM && <Filter />}
      </ViewHead>
      <div class="columns">
        <section class="main-column" aria-labelledby="view-title">
          {agents.length > 0 && <ListBar />}
          <BulkResults />
          {agents.length === 0 ? <Empty /> : <AgentTable agents={shownAgents.value} />}
          <KeysDialog />
          {agents.length > 0 && shownAgents.value.length === 0 && (
            <p class="muted panel">{strings.noMatch(filter.value)}</p>
          )}
        </section>
        <aside class="side-column" aria-label={strings.router.title}>
          <RouterPanel status={current} />
          <ActivityPanel />
        </aside>
      </div>
    </>
  )
}

function Filter() {
  const ref = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== '/' || !isPlainKey(event)) return
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

function Empty() {
  const { title, text, commands, after } = strings.empty
  return (
    <div class="card empty">
      <h2>{title}</h2>
      <p class="muted">{text}</p>
      {commands.map((command) => (
        <Command key={command} text={command} />
      ))}
      <p class="muted small">{after}</p>
    </div>
  )
}
