/** One tab: a session of the router, its connection, and the terminal that shows it. */
import { effect, signal } from '@preact/signals'
import type { Signal } from '@preact/signals'
import type { TtyRole, TtyServerMessage, TtyView } from '../../src/features/terminals/protocol.ts'
import { routerUrl } from '../shared/api.ts'
import { loadAgain } from '../shared/load-again.ts'
import type { Connection, ConnectionState } from './connection.ts'
import { openConnection } from './connection.ts'
import type { Modifiers } from './keys.ts'
import { bytesOf, withModifiers } from './keys.ts'
import type { BarKey } from './keys.ts'
import { createOutput } from './output.ts'
import { checkPaste } from './paste.ts'
import type { Paste } from './paste.ts'
import { settings } from './settings.ts'
import { otherTypist } from './typist.ts'
import { colourChanges } from './colours.ts'
import type { Size, TerminalView } from './terminal.ts'
import { createTerminalView } from './terminal.ts'

export interface Problem {
  readonly code: string
  readonly message: string
  readonly hint: string | null
}

export interface SessionWish {
  readonly agent: string
  /** Joins this one; none: makes one. */
  readonly session?: string
  readonly command?: string
  readonly share?: string
}

/** What a session asks of the page around it. */
export interface SessionHost {
  /** False: the key is the page's, not the program's. */
  onKey(event: KeyboardEvent): boolean
  askPaste(paste: Paste, proceed: () => void): void
  askClipboard(session: TtySession, text: string): void
  onSelect(text: string): void
  onOpen(address: string): void
  onFocus(): void
  announce(kind: ConnectionState['kind']): void
  /** An error that did not end the connection. */
  onError(problem: Problem): void
  /** It has an id now, or another one. */
  onIdentity(): void
  /** It can take the focus now. */
  onReady(): void
}

export type TtySession = ReturnType<typeof openSession>

/** For the parts of the page that draw a terminal; whoever waits longer is told. */
const LOAD_MS = 20_000
/** An error is followed by the end of the connection at once, or not at all. */
const ERROR_SETTLES_MS = 300
const encoder = new TextEncoder()
const bytesOfText = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text)
const latin1 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (char) => char.charCodeAt(0) & 0xff)

interface State {
  readonly agent: string
  readonly id: Signal<string | null>
  readonly view: Signal<TtyView | null>
  readonly self: Signal<string>
  readonly role: Signal<TtyRole>
  readonly connection: Signal<ConnectionState>
  readonly problem: Signal<Problem | null>
  readonly ended: Signal<{ readonly code: number; readonly seconds: number } | null>
  readonly latency: Signal<number | null>
  readonly link: Signal<string | null>
  /** Of the terminal, which is the one of whoever typed last. */
  readonly size: Signal<Size>
  /** What this window has room for. */
  readonly room: Signal<Size | null>
  readonly modifiers: Signal<Modifiers>
  readonly terminal: Signal<TerminalView | null>
}

const NO_MODIFIERS: Modifiers = { ctrl: false, alt: false }

function createState({ agent, session }: SessionWish): State {
  return {
    agent,
    id: signal(session ?? null),
    view: signal(null),
    self: signal(''),
    role: signal('owner'),
    connection: signal<ConnectionState>({ kind: 'connecting' }),
    problem: signal(null),
    ended: signal(null),
    latency: signal(null),
    link: signal(null),
    size: signal({ cols: 80, rows: 24 }),
    room: signal(null),
    modifiers: signal(NO_MODIFIERS),
    terminal: signal(null),
  }
}

/** Begins at once; the terminal appears in its place as soon as both are there. */
export function openSession(key: string, wish: SessionWish, host: SessionHost) {
  const state = createState(wish)
  const output = createOutput(
    () => state.terminal.value?.screen,
    (bytes) => connection?.send({ type: 'ack', bytes }),
  )
  let connection: Connection | null = null
  let place: HTMLElement | null = null
  let stopApplying: (() => void) | null = null
  let stopNaming: (() => void) | null = null
  let disposed = false
  let toldRoom = ''

  const self = {
    key,
    wish,
    ...state,
    /** Shows the terminal in `element`. */
    mount(element: HTMLElement): void {
      place = element
      state.terminal.value?.mount(element)
      fit()
    },
    fit,
    focus: (): void => state.terminal.value?.term.focus(),
    /** As if it were typed. */
    type(text: string): void {
      input(bytesOfText(text))
    },
    press(name: BarKey): void {
      const application = state.terminal.value?.term.modes.applicationCursorKeysMode ?? false
      input(bytesOfText(bytesOf(name, state.modifiers.value, application)))
      state.modifiers.value = NO_MODIFIERS
    },
    paste,
    take: (): void => {
      fit()
      connection?.send({ type: 'take' })
    },
    rename: (name: string): void => connection?.send({ type: 'rename', name }),
    record: (on: boolean): void => connection?.send({ type: 'record', on }),
    end: (): void => connection?.send({ type: 'end' }),
    retryNow: (): void => connection?.retryNow(),
    /** A new program in the same tab. */
    restart(): void {
      state.id.value = null
      start()
    },
    /** Tries the same session, or the same wish, again. */
    again: start,
    dispose(): void {
      disposed = true
      clearTimeout(loading)
      connection?.close()
      stopApplying?.()
      stopNaming?.()
      state.terminal.value?.dispose()
    },
  }

  const loading = setTimeout(missing, LOAD_MS)
  createTerminalView(settings.value, {
    onInput: (data, binary) => typed(data, binary),
    onSize: (size) => {
      state.size.value = size
    },
    onKey: (event) => host.onKey(event),
    onPaste: (text) => paste(text),
    onSelect: (text) => host.onSelect(text),
    onLink: (address) => {
      state.link.value = address
    },
    onOpen: (address) => host.onOpen(address),
    onClipboard: (text) => host.askClipboard(self, text),
    onBell: () => {},
  }).then(appear, () => loadAgain() || missing())
  return self

  /** Should it come after all, it appears. */
  function missing(): void {
    clearTimeout(loading)
    if (!disposed && state.terminal.value === null) told({ kind: 'closed', reason: 'incomplete' })
  }

  function told(next: ConnectionState): void {
    const before = state.connection.value.kind
    state.connection.value = next
    if (next.kind !== before) host.announce(next.kind)
  }

  function appear(view: TerminalView): void {
    clearTimeout(loading)
    if (disposed) return view.dispose()
    state.terminal.value = view
    if (place !== null) view.mount(place)
    view.term.textarea?.addEventListener('focus', () => host.onFocus())
    stopApplying = effect(() => {
      void colourChanges.value
      view.apply(settings.value, state.role.value === 'viewer')
      queueMicrotask(fit)
    })
    stopNaming = effect(() => view.nameCursor(otherTypist(state.view.value?.peers, state.self.value)))
    fit()
    start()
    host.onReady()
  }

  function start(): void {
    connection?.close()
    state.problem.value = null
    state.ended.value = null
    connection = openConnection({
      url: () => socketUrl(wish, state),
      onMessage: take,
      onOutput: (bytes) => output.write(bytes),
      onState: told,
      onLatency: (milliseconds) => {
        state.latency.value = milliseconds
      },
    })
  }

  function take(message: TtyServerMessage): void {
    switch (message.type) {
      case 'attached':
        state.id.value = message.session.id
        state.self.value = message.self
        state.role.value = message.role
        state.view.value = message.session
        output.begin(message.snapshotBytes, message.session)
        host.onIdentity()
        toldRoom = ''
        return fit()
      case 'snapshot':
        return output.begin(message.bytes, message)
      case 'output':
        return output.write(bytesOfText(message.data))
      case 'session':
        state.view.value = message.session
        // The router may have changed what this visitor may do.
        state.role.value = message.session.peers.find(({ id }) => id === state.self.value)?.role ?? state.role.value
        return
      case 'size':
        return output.resize(message)
      case 'exit':
        state.ended.value = message
        return
      case 'error':
        return failed(message)
      case 'pong':
    }
  }

  function failed({ code, message, hint }: Problem): void {
    const problem = { code, message, hint }
    state.problem.value = problem
    setTimeout(() => {
      if (state.connection.value.kind !== 'open' || state.problem.value !== problem) return
      state.problem.value = null
      host.onError(problem)
    }, ERROR_SETTLES_MS)
  }

  function typed(data: string, binary: boolean): void {
    const held = state.modifiers.value
    if (binary || (!held.ctrl && !held.alt)) return input(binary ? latin1(data) : bytesOfText(data))
    state.modifiers.value = NO_MODIFIERS
    input(bytesOfText(withModifiers(data, held)))
  }

  function input(bytes: Uint8Array<ArrayBuffer>): void {
    if (state.ended.value !== null) {
      // Enter, and nothing else: a person may still be typing what the program was meant to read.
      if (bytes.length === 1 && bytes[0] === 0x0d) self.restart()
      return
    }
    if (state.role.value !== 'viewer') connection?.input(bytes)
  }

  function paste(text: string): void {
    const view = state.terminal.value
    if (view === null || state.role.value === 'viewer' || state.ended.value !== null) return
    const checked = checkPaste(text, view.term.modes.bracketedPasteMode)
    if (checked.text === '') return
    const proceed = (): void => view.term.paste(checked.text)
    if (checked.asks) host.askPaste(checked, proceed)
    else proceed()
  }

  /** Tells the router how much room there is. The size itself comes back from there. */
  function fit(): void {
    const room = state.terminal.value?.fitting() ?? null
    if (room === null) return
    state.room.value = room
    const { kind } = state.connection.value
    if (kind !== 'open') {
      if (state.view.value === null) state.terminal.value?.term.resize(room.cols, room.rows)
      return
    }
    const told = `${room.cols}x${room.rows}`
    if (state.role.value === 'viewer' || told === toldRoom) return
    toldRoom = told
    connection?.send({ type: 'resize', ...room })
  }
}

function socketUrl({ agent, command, share }: SessionWish, { id, view, room, size }: State): string {
  const url = new URL(routerUrl(`webtty/${encodeURIComponent(agent)}/ws`))
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  const { cols, rows } = room.value ?? size.value
  const words = id.value === null ? (view.value?.command ?? command) : undefined
  const query = { session: id.value, share, command: words, cols: String(cols), rows: String(rows) }
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) url.searchParams.set(name, value)
  }
  return url.href
}
