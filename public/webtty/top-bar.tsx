/** Tabs, and the tools for the terminal that has the focus. */
import { useEffect, useRef } from 'preact/hooks'
import { routerUrl } from '../shared/api.ts'
import { Icon, Mark } from '../shared/icons.tsx'
import { strings as shared } from '../shared/strings.ts'
import { Button } from '../shared/ui.tsx'
import { onAction } from './actions.ts'
import { neighbourOf } from './layout.ts'
import { Menu } from './menu.tsx'
import type { TtySession } from './session.ts'
import { closeTab, focusedSession, guest, layout, nameOf, openFiles, select, sessions } from './store.ts'
import { strings } from './strings.ts'

export function TopBar() {
  const hasTabs = layout.value.tabs.length > 0
  return (
    <header class="tty-top" data-region="top">
      <a class="brand" href={routerUrl('dashboard/')} title={strings.menuItems.dashboard}>
        <Mark />
        <span class="visually-hidden">{shared.product}</span>
      </a>
      {hasTabs && <Tabs />}
      {hasTabs && (
        <div class="tools" role="group" aria-label={strings.toolbar}>
          {!guest.value && (
            <Button iconOnly kind="quiet" icon="add" label={strings.newTab} onClick={() => onAction('newTab')} />
          )}
          {!guest.value && (
            <span class="wide-only">
              <Button iconOnly kind="quiet" icon="folder" label={strings.files.open} onClick={openFilesOfFront} />
            </span>
          )}
          <Button iconOnly kind="quiet" icon="search" label={strings.search} onClick={() => onAction('search')} />
          {!guest.value && (
            <Button
              iconOnly
              kind="quiet"
              icon="splitRow"
              label={layout.value.shown.length > 1 ? strings.unsplit : strings.split}
              onClick={() => onAction('split')}
            />
          )}
          <Menu />
        </div>
      )}
    </header>
  )
}

function openFilesOfFront(): void {
  const session = focusedSession.value
  if (session !== null) openFiles(session)
}

function Tabs() {
  const { tabs } = layout.value
  const front = focusedSession.value?.key
  return (
    <div
      class="tabs"
      role="tablist"
      aria-label={strings.tabs}
      onKeyDown={(event) => {
        const target = event.currentTarget
        const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : null
        const next = step === null ? null : neighbourOf(layout.value, step)
        if (next === null) return
        event.preventDefault()
        layoutSelect(next)
        requestAnimationFrame(() => target.querySelector<HTMLElement>('[aria-selected=true]')?.focus())
      }}
    >
      {tabs.map((key) => {
        const session = sessions.value.get(key)
        return session === undefined ? null : <Tab key={key} session={session} isFront={key === front} />
      })}
    </div>
  )
}

/** Without giving the focus to the terminal: who walks along the tabs stays there. */
const layoutSelect = (key: string): void => select(key, false)

function Tab({ session, isFront }: { session: TtySession; isFront: boolean }) {
  const ref = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (isFront) ref.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [isFront])
  const name = nameOf(session)
  const isShown = layout.value.shown.includes(session.key)
  const { kind } = session.connection.value
  const mark = session.ended.value !== null ? 'ended' : kind === 'open' ? 'open' : kind
  return (
    <button
      ref={ref}
      type="button"
      role="tab"
      id={`tab-${session.key}`}
      class={isShown ? 'tab shown' : 'tab'}
      aria-selected={isFront}
      aria-controls={isShown ? `pane-${session.key}` : undefined}
      aria-keyshortcuts="Delete"
      tabIndex={isFront ? 0 : -1}
      title={`${name} – ${session.agent}`}
      onClick={() => select(session.key)}
      onAuxClick={(event) => {
        if (event.button === 1) close(session)
      }}
      onKeyDown={(event) => {
        if (event.key === 'Delete') close(session)
      }}
    >
      <span class={`mark ${mark}`} aria-hidden="true" />
      <span class="tab-name">{name}</span>
      <span class="tab-agent muted">{session.agent}</span>
      {!guest.value && (
        <span
          class="tab-close"
          aria-hidden="true"
          title={strings.closeTab(name)}
          onClick={(event) => {
            event.stopPropagation()
            close(session)
          }}
        >
          <Icon name="close" />
        </span>
      )}
    </button>
  )
}

function close(session: TtySession): void {
  if (!guest.value) closeTab(session.key)
}
