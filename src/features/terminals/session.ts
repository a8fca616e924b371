/** One program in a terminal, with everybody who looks at it. It is the router's: it goes on when nobody does. */
import type { TtySession } from '../../../runtimes/adapter.ts'
import type { Logger } from '../../core/log.ts'
import { messageOf } from '../../core/error.ts'
import type { WebSocketPeer } from '../../platform/index.ts'
import type { TerminalLibrary } from './library.ts'
import { MAX_SIZE, plainText } from './messages.ts'
import { createPeer, type Peer } from './peer.ts'
import { CLOSE, type TtyClientMessage, type TtyRole, type TtyServerMessage, type TtyView } from './protocol.ts'
import type { Recorder } from './recorder.ts'
import { createScreen } from './screen.ts'
import { createQuestionWatch, createTyping } from './typing.ts'

const MAX_UNREAD_INPUT_BYTES = 1024 * 1024

export interface SessionOptions {
  readonly id: string
  readonly agent: string
  readonly command: string
  readonly tty: TtySession
  readonly library: TerminalLibrary
  readonly scrollback: number
  readonly size: { readonly cols: number; readonly rows: number }
  readonly log: Logger
  readonly name: string
  /** Starts a recording; `full` is called when it ends by itself. */
  record(about: RecordingRequest): Promise<Recorder>
}

export interface RecordingRequest {
  readonly agent: string
  readonly cols: number
  readonly rows: number
  readonly title: string
  readonly command: string
  full(): void
}

export interface Joining {
  readonly id: string
  readonly name: string
  readonly role: TtyRole
  readonly link: WebSocketPeer
  readonly size: { readonly cols: number; readonly rows: number } | null
}

export interface Session {
  readonly id: string
  readonly agent: string
  readonly startedAt: number
  /** Since when nobody looks at it, ms since 1970; null: somebody does. */
  readonly detachedAt: number | null
  readonly peers: ReadonlyMap<string, Peer>
  view(): TtyView
  join(joining: Joining): Peer
  leave(peer: Peer): void
  input(peer: Peer, data: Uint8Array): void
  message(peer: Peer, message: TtyClientMessage): void
  rename(name: string): void
  /** Everybody who looks at it. */
  tell(message: TtyServerMessage): void
  /** Starts or ends the recording. */
  record(on: boolean): Promise<void>
  /** Ends the program and all that it started. */
  end(): Promise<void>
  /** Resolves after everybody has been told. */
  readonly closed: Promise<number>
}

export function createSession(options: SessionOptions): Session {
  const { tty, log, id, agent } = options
  const peers = new Map<string, Peer>()
  const startedAt = Date.now()
  let { name } = options
  let title = ''
  let lastActiveAt = startedAt
  let detachedAt: number | null = startedAt
  let exitCode: number | null = null
  let active: Peer | null = null
  let recorder: Recorder | null = null
  let changingRecorder: Promise<void> = Promise.resolve()
  const typing = createTyping((data) => tty.write(data))
  const asks = createQuestionWatch()
  const screen = createScreen({
    library: options.library,
    scrollback: options.scrollback,
    ...options.size,
    reply: (data) => tty.write(new TextEncoder().encode(data)),
    titled(text) {
      title = plainText(text)
      changed()
    },
  })

  const view = (): TtyView => ({
    ...{ id, agent, name, command: options.command, cols: screen.cols, rows: screen.rows, title },
    startedAt: new Date(startedAt).toISOString(),
    lastActiveAt: new Date(lastActiveAt).toISOString(),
    exitCode,
    recording: recorder !== null,
    peers: [...peers.values()].map((peer) => ({
      ...{ id: peer.id, name: peer.name, role: peer.role },
      active: peer === active,
    })),
  })

  const broadcast = (message: TtyServerMessage): void => peers.forEach((peer) => peer.control(message))
  const changed = (): void => broadcast({ type: 'session', session: view() })

  function resize({ cols, rows }: { cols: number; rows: number }): void {
    if (exitCode !== null || (cols === screen.cols && rows === screen.rows)) return
    screen.resize(Math.min(cols, MAX_SIZE), Math.min(rows, MAX_SIZE))
    // The program sees the window of who types before it sees the key.
    typing.hold(
      tty.resize(cols, rows).catch((error: unknown) => {
        log.debug('terminal not resized', { error: messageOf(error) })
      }),
    )
    recorder?.resize(cols, rows)
    broadcast({ type: 'size', cols, rows })
  }

  /** The size of the terminal follows the one who typed last. */
  function activate(peer: Peer): void {
    if (active !== peer) {
      active = peer
      changed()
    }
    if (peer.size !== null) resize(peer.size)
  }

  async function pump(): Promise<void> {
    try {
      for await (const bytes of tty.output) {
        lastActiveAt = Date.now()
        for (const peer of peers.values()) peer.output(bytes)
        screen.write(bytes)
        // A key that overtook the answer would be read as part of it.
        if (asks(bytes)) typing.hold(screen.answered())
        recorder?.output(bytes)
        const full = screen.full()
        if (full !== null) await full
      }
    } catch (error) {
      log.debug('a terminal ended early', { session: id, error: messageOf(error) })
    }
  }

  async function run(): Promise<number> {
    const [code] = await Promise.all([tty.closed.catch(() => 1), pump()])
    exitCode = code
    await recorder?.end(code)
    const seconds = Math.round((Date.now() - startedAt) / 1000)
    changed()
    await Promise.all([...peers.values()].map((peer) => new Promise<void>((resolve) => peer.finish(resolve))))
    for (const peer of peers.values()) {
      peer.control({ type: 'exit', code, seconds })
      peer.link.close(CLOSE.ended, 'ended')
    }
    return code
  }

  /** It begins with the screen as it is. */
  async function setRecording(on: boolean): Promise<void> {
    if (on === (recorder !== null) || exitCode !== null) return
    const before = recorder
    recorder = null
    if (before !== null) await before.end(null)
    else {
      const full = (): void => {
        recorder = null
        changed()
      }
      const { cols, rows } = screen
      const started = await options.record({ agent, cols, rows, title: name, command: options.command, full })
      screen.snapshot((shot, since) => {
        started.output(shot.bytes)
        since.forEach(started.output)
        recorder = started
        changed()
      })
    }
    changed()
  }

  return {
    ...{ id, agent, startedAt, peers, view, tell: broadcast },
    get detachedAt() {
      return detachedAt
    },
    join(joining) {
      const peer: Peer = createPeer({
        ...joining,
        screen,
        attached: (snapshotBytes) => ({
          ...{ type: 'attached', session: view(), self: joining.id, role: joining.role, snapshotBytes },
        }),
      })
      peer.size = joining.size
      peers.set(peer.id, peer)
      detachedAt = null
      const isAlone = [...peers.values()].every((other) => other === peer || other.role === 'viewer')
      if (isAlone && peer.role !== 'viewer') activate(peer)
      peer.begin()
      changed()
      return peer
    },
    leave(peer) {
      peer.dispose()
      if (!peers.delete(peer.id)) return
      if (active === peer) active = null
      if (peers.size === 0) detachedAt = Date.now()
      changed()
    },
    input(peer, data) {
      if (peer.role === 'viewer' || exitCode !== null) return
      lastActiveAt = Date.now()
      // A program that reads nothing must not fill our memory with what is typed.
      if ((tty.unwritten ?? 0) > MAX_UNREAD_INPUT_BYTES) {
        const hint = 'Press Ctrl-C, or end the terminal'
        peer.control({ type: 'error', code: 'RATE_LIMITED', message: 'The program does not read what is typed', hint })
        return
      }
      activate(peer)
      typing.write(data)
    },
    message(peer, message) {
      switch (message.type) {
        case 'input':
          return this.input(peer, new TextEncoder().encode(message.data))
        case 'resize':
          peer.size = { cols: message.cols, rows: message.rows }
          if (active === peer) resize(peer.size)
          return
        case 'take':
          if (peer.role !== 'viewer') activate(peer)
          return
        case 'ack':
          return peer.acknowledge(message.bytes)
        case 'ping':
          return peer.control({ type: 'pong', at: message.at })
        case 'rename':
          if (peer.role === 'owner') this.rename(message.name)
          return
        case 'record':
          if (peer.role === 'owner') this.record(message.on).catch(() => {})
          return
        case 'end':
          if (peer.role === 'owner') void this.end().catch(() => {})
          return
      }
    },
    rename(next) {
      name = plainText(next) || name
      changed()
    },
    record(on) {
      // One after the other: a recording has one beginning.
      const next = changingRecorder.then(() => setRecording(on))
      changingRecorder = next.catch(() => {})
      return next
    },
    end: () => tty.kill(),
    closed: run().finally(() => screen.dispose()),
  }
}
