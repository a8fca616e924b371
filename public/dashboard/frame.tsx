/** What is around the agents: head of the page, router, activity. */
import { useState } from 'preact/hooks'
import { routerUrl } from '../shared/api.ts'
import { clockTime, duration, fullTime } from '../shared/format.ts'
import { Mark } from '../shared/icons.tsx'
import { strings as shared } from '../shared/strings.ts'
import { savedTheme, saveTheme, THEMES } from '../shared/theme.ts'
import { Badge, Button } from '../shared/ui.tsx'
import type { Activity, Status } from './model.ts'
import { MenuButton } from './nav.tsx'
import { BellButton } from './notifications.tsx'
import { PaletteButton } from './palette-button.tsx'
import { activity, live, now, reconnect, signOut } from './store.ts'
import { strings } from './strings.ts'

export function Header({ workspace }: { workspace: string }) {
  return (
    <header class="top">
      <span class="menu-button">
        <MenuButton />
      </span>
      <a class="brand" href={routerUrl('dashboard/')}>
        <Mark />
        <span>{shared.product}</span>
      </a>
      {workspace !== '' && <span class="workspace muted">{workspace}</span>}
      <span class="top-end">
        <PaletteButton />
        <Connection />
        <BellButton />
        <ThemeButton />
        <Button iconOnly kind="quiet" icon="signOut" label={strings.signOut} onClick={() => void signOut()} />
      </span>
    </header>
  )
}

function Connection() {
  const state = live.value
  const waiting = state.kind === 'waiting'
  // Only the change between connected and not is announced, not each second of the countdown.
  const spoken = state.kind === 'waiting' ? strings.live.waiting(0).split(',')[0] : strings.live[state.kind]
  return (
    <span class="connection" data-live={state.kind}>
      <span class="visually-hidden" role="status">
        {spoken}
      </span>
      <span aria-hidden="true">
        {state.kind === 'live' && (
          <Badge tone="ok" icon="live">
            {strings.live.live}
          </Badge>
        )}
        {state.kind === 'connecting' && (
          <Badge tone="info" icon="starting" spin>
            {strings.live.connecting}
          </Badge>
        )}
        {state.kind === 'paused' && (
          <Badge tone="idle" icon="pause">
            {strings.live.paused}
          </Badge>
        )}
        {state.kind === 'waiting' && (
          <Badge tone="warn" icon="warning">
            {strings.live.waiting(Math.max(0, Math.ceil((state.retryAt - now.value) / 1000)))}
          </Badge>
        )}
      </span>
      {waiting && <Button iconOnly kind="quiet" icon="restart" label={strings.live.retry} onClick={reconnect} />}
    </span>
  )
}

function ThemeButton() {
  const [theme, setTheme] = useState(savedTheme)
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto'
  return (
    <Button
      iconOnly
      kind="quiet"
      icon={theme}
      label={strings.theme[theme]}
      onClick={() => {
        saveTheme(next)
        setTheme(next)
      }}
    />
  )
}

export function RouterPanel({ status }: { status: Status }) {
  const { router, workspace, profile } = status
  const facts: readonly (readonly [string, string])[] = [
    [strings.router.workspace, workspace.root],
    [strings.router.profile, profile],
    [strings.router.version, router.version],
    [strings.router.port, String(router.port)],
    [strings.router.uptime, duration((now.value - router.startedAt) / 1000)],
    [strings.router.pid, String(router.pid)],
  ]
  return (
    <section class="card panel" aria-labelledby="router-title">
      <h2 id="router-title">{strings.router.title}</h2>
      <dl class="facts">
        {facts
          .filter(([, value]) => value !== '' && value !== '0')
          .map(([name, value]) => (
            <div key={name}>
              <dt class="muted small">{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </section>
  )
}

export function ActivityPanel() {
  const { title, empty } = strings.activity
  return (
    <section class="card panel" aria-labelledby="activity-title">
      <h2 id="activity-title">{title}</h2>
      {activity.value.length === 0 ? (
        <p class="muted">{empty}</p>
      ) : (
        <ol class="activity" tabIndex={0} aria-labelledby="activity-title">
          {activity.value.map((event) => (
            <ActivityItem key={event.key} event={event} />
          ))}
        </ol>
      )}
    </section>
  )
}

/** Drawn once: times in words are dear. */
function ActivityItem({ event }: { event: Activity }) {
  return (
    <li>
      <time class="muted small" dateTime={event.at} title={fullTime(event.at)}>
        {clockTime(event.at)}
      </time>
      <span class={`dot tone-${event.tone}`} />
      <span>
        <strong>{event.subject}</strong> {event.what}
        {event.who !== null && <span class="muted"> {strings.activity.by(event.who)}</span>}
      </span>
    </li>
  )
}
