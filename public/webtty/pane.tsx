/** One terminal in sight, with everything that is told about it. */
import { useLayoutEffect, useRef } from 'preact/hooks'
import { duration } from '../shared/format.ts'
import { Icon } from '../shared/icons.tsx'
import { Badge, Button } from '../shared/ui.tsx'
import { useDrop } from './drop.ts'
import { ProblemPanel } from './problem-panel.tsx'
import { SearchBar } from './search-bar.tsx'
import type { TtySession } from './session.ts'
import { focusedSession, guest, layout, nameOf, now, searching, select } from './store.ts'
import { strings } from './strings.ts'

export function Pane({ session }: { session: TtySession }) {
  const place = useRef<HTMLDivElement>(null)
  // Before the terminal can be there: it asks for a program of the size of its place, and takes the focus.
  useLayoutEffect(() => {
    const element = place.current
    if (element === null) return
    session.mount(element)
    let frame = 0
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(session.fit)
    })
    observer.observe(element)
    return () => {
      cancelAnimationFrame(frame)
      observer.disconnect()
    }
  }, [session])
  const drop = useDrop(session)
  const isFront = focusedSession.value?.key === session.key
  const isSplit = layout.value.shown.length > 1
  const { kind } = session.connection.value
  return (
    <section
      id={`pane-${session.key}`}
      class={isFront && isSplit ? 'pane front' : 'pane'}
      role="tabpanel"
      aria-label={strings.paneOf(nameOf(session))}
      data-region="pane"
      data-session={session.id.value ?? ''}
      data-connection={kind}
    >
      <Banner session={session} />
      {searching.value === session.key && <SearchBar session={session} />}
      <div
        class="terminal-place"
        ref={place}
        onMouseDown={() => {
          if (!isFront) select(session.key)
        }}
        onClick={({ target }) => {
          // Beside a terminal that is smaller than its place.
          if (target instanceof Element && target.matches('.terminal-place, .terminal-box')) session.focus()
        }}
        {...drop.handlers}
      >
        {drop.isOver && (
          <p class="drop-hint" aria-hidden="true">
            <Icon name="upload" />
            <span>{strings.files.drop(session.agent)}</span>
          </p>
        )}
        {kind === 'closed' && session.ended.value === null && <ProblemPanel session={session} />}
      </div>
      <ExitLine session={session} />
      <StatusLine session={session} />
    </section>
  )
}

function Banner({ session }: { session: TtySession }) {
  const state = session.connection.value
  const known = session.view.value !== null
  if (state.kind === 'open' || state.kind === 'closed') return null
  // The first connection takes a moment, and says so quietly in the line below.
  if (state.kind === 'connecting') return known ? <div class="banner tone-info">{strings.connecting}</div> : null
  const seconds = Math.max(0, Math.ceil((state.retryAt - now.value) / 1000))
  return (
    <div class="banner tone-warn">
      <Icon name="warning" />
      <p>
        <strong>{strings.waiting(seconds)}</strong> {navigator.onLine ? strings.waitingText : strings.offline}
      </p>
      <Button icon="restart" label={strings.reconnect} onClick={session.retryNow} />
    </div>
  )
}

function ExitLine({ session }: { session: TtySession }) {
  const ended = session.ended.value
  if (ended === null) return null
  const tone = ended.code === 0 ? 'idle' : 'bad'
  return (
    <div class={`banner exit tone-${tone}`} role="status">
      <p>
        <strong>{strings.exited(ended.code, duration(ended.seconds))}</strong> {!guest.value && strings.again}
      </p>
      {!guest.value && (
        <Button
          icon="restart"
          label={strings.startAgain}
          onClick={() => {
            session.restart()
            session.focus()
          }}
        />
      )}
    </div>
  )
}

function StatusLine({ session }: { session: TtySession }) {
  const view = session.view.value
  const link = session.link.value
  const latency = session.latency.value
  const isOpen = session.connection.value.kind === 'open'
  return (
    <footer class="status small">
      {link !== null ? (
        <span class="link-hint">{strings.link(link)}</span>
      ) : (
        <>
          {session.connection.value.kind === 'connecting' && view === null && (
            <span class="muted">{strings.connecting}</span>
          )}
          {session.role.value === 'viewer' && (
            <Badge tone="info">
              <span title={strings.readOnlyTitle}>{strings.readOnly}</span>
            </Badge>
          )}
          {view?.recording === true && (
            <Badge tone="bad" icon="record">
              <span title={strings.recordingTitle}>{strings.recording}</span>
            </Badge>
          )}
          <Peers session={session} />
          <OtherSize session={session} />
          <span class="muted command-words" title={view?.command}>
            {view?.command ?? ''}
          </span>
        </>
      )}
      {isOpen && latency !== null && (
        <span class="muted latency" title={strings.latencyTitle}>
          {strings.latency(latency)}
        </span>
      )}
    </footer>
  )
}

/** Colours of the design that can be told apart on both schemes; the name is beside them. */
const TONES = ['ok', 'info', 'warn', 'bad', 'idle'] as const

function Peers({ session }: { session: TtySession }) {
  const peers = session.view.value?.peers ?? []
  if (peers.length < 2) return null
  return (
    <ul class="peers" aria-label={strings.peersTitle}>
      {peers.map((peer, index) => {
        const name = peer.id === session.self.value ? strings.you : peer.name === '' ? strings.unnamed : peer.name
        return (
          <li
            key={peer.id}
            class={`peer tone-${TONES[index % TONES.length] ?? 'idle'}`}
            title={`${strings.peerOf(name, peer.role)}${peer.active ? `, ${strings.typing}` : ''}`}
          >
            {peer.active && <span class="peer-active" aria-hidden="true" />}
            <span>{name}</span>
            <span class="visually-hidden">
              {`, ${strings.role(peer.role)}${peer.active ? `, ${strings.typing}` : ''}`}
            </span>
          </li>
        )
      })}
    </ul>
  )
}

/** The terminal has one size, that of whoever typed last. */
function OtherSize({ session }: { session: TtySession }) {
  const { cols, rows } = session.size.value
  const room = session.room.value
  const isOther = room !== null && (room.cols !== cols || room.rows !== rows)
  const alone = (session.view.value?.peers.length ?? 0) < 2
  if (!isOther || alone || session.role.value === 'viewer') return null
  return (
    <button type="button" class="button quiet take" title={strings.takeTitle(cols, rows)} onClick={session.take}>
      {`${cols} × ${rows} · ${strings.take}`}
    </button>
  )
}
