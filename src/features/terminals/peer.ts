/**
 * One connection to a session. Output goes out at once; what comes within the same turn of the event loop follows as one
 * frame. A connection that is too far behind gets no more output: when it has caught up, it gets the screen as it is then.
 */
import type { WebSocketPeer } from '../../platform/index.ts'
import { ACK_BYTES, CREDIT_BYTES, type TtyRole, type TtyServerMessage } from './protocol.ts'
import type { Screen, Snapshot } from './screen.ts'

/** Output in one frame, at most. */
const FRAME_BYTES = 256 * 1024
/** Kept for a connection without credit; more makes it fall behind. A reader that is only busy for a moment loses nothing. */
const MAX_PENDING_BYTES = 8 * 1024 * 1024
/** How often it is looked whether a connection that does not acknowledge has caught up. */
const LOOK_MS = 100
/** While a program goes on writing, a new screen makes sense so often: each costs what drawing all of it costs. */
const REFRESH_MS = 500

export interface Peer {
  readonly id: string
  readonly name: string
  readonly role: TtyRole
  readonly link: WebSocketPeer
  /** Of its window; null: it said nothing yet. */
  size: { readonly cols: number; readonly rows: number } | null
  /** Asks for the screen, with which it begins; it may come at once. */
  begin(): void
  output(bytes: Uint8Array): void
  control(message: TtyServerMessage): void
  acknowledge(bytes: number): void
  /** Sends what waits, the screen too if the connection is behind, and calls back in any case. */
  finish(done: () => void): void
  dispose(): void
}

export interface PeerOptions {
  readonly id: string
  readonly name: string
  readonly role: TtyRole
  readonly link: WebSocketPeer
  readonly screen: Screen
  /** The first message, when the snapshot that belongs to it is known. */
  attached(snapshotBytes: number): TtyServerMessage
}

type State = 'joining' | 'live' | 'behind' | 'catching up' | 'gone'

export function createPeer(options: PeerOptions): Peer {
  const { link, screen } = options
  const isBinary = link.protocol !== ''
  /** One character may come in two chunks; text frames hold whole ones. */
  let decoder = new TextDecoder()
  let state: State = 'joining'
  let sent = 0
  let acknowledged = 0
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  let wasSentNow = false
  let refreshedAt = 0
  let looking: ReturnType<typeof setInterval> | undefined

  const sendJson = (message: TtyServerMessage): void => link.send(JSON.stringify(message))

  function sendBytes(bytes: Uint8Array): void {
    if (isBinary) return link.send(bytes)
    const data = decoder.decode(bytes, { stream: true })
    if (data !== '') sendJson({ type: 'output', data })
  }

  /** As much as the connection has credit for, or all. */
  function flush(all = false): void {
    while (pending.length > 0 && (all || lag() < CREDIT_BYTES)) {
      let size = 0
      let count = 0
      while (count < pending.length && size < FRAME_BYTES) size += pending[count++]?.byteLength ?? 0
      const parts = pending.splice(0, count)
      const [first] = parts
      pendingBytes -= size
      sent += size
      sendBytes(parts.length === 1 && first !== undefined ? first : Buffer.concat(parts))
    }
    // Without acknowledgements nobody says when there is credit again.
    if (pending.length > 0) looking ??= setInterval(look, LOOK_MS)
  }

  function look(): void {
    if (state === 'live') flush()
    else catchUp()
    if (state === 'live' && pending.length === 0) stopLooking()
  }

  function stopLooking(): void {
    clearInterval(looking)
    looking = undefined
  }

  const lag = (): number => Math.max(link.buffered, isBinary ? sent - acknowledged : 0)

  function output(bytes: Uint8Array): void {
    if (state !== 'live') return
    pending.push(bytes)
    pendingBytes += bytes.byteLength
    if (pendingBytes > MAX_PENDING_BYTES) return fallBehind()
    if (wasSentNow) return
    flush()
    wasSentNow = true
    setImmediate(() => {
      wasSentNow = false
      if (state === 'live') flush()
    })
  }

  function fallBehind(): void {
    state = 'behind'
    pending = []
    pendingBytes = 0
    looking ??= setInterval(look, LOOK_MS)
  }

  function catchUp(): void {
    if (state !== 'behind' || lag() >= ACK_BYTES) return
    if (screen.isQuiet || performance.now() - refreshedAt > REFRESH_MS) refresh()
  }

  function refresh(): void {
    stopLooking()
    state = 'catching up'
    refreshedAt = performance.now()
    screen.snapshot((shot, since) => {
      if (state !== 'catching up') return
      show({ type: 'snapshot', bytes: shot.bytes.byteLength, cols: shot.cols, rows: shot.rows }, shot, since)
    })
  }

  function show(message: TtyServerMessage, shot: Snapshot, since: readonly Uint8Array[]): void {
    state = 'live'
    sent = 0
    acknowledged = 0
    decoder = new TextDecoder()
    sendJson(message)
    sendBytes(shot.bytes)
    since.forEach(output)
  }

  return {
    ...{ id: options.id, name: options.name, role: options.role, link, size: null, output },
    begin: () =>
      screen.snapshot((shot, since) => {
        if (state === 'joining') show(options.attached(shot.bytes.byteLength), shot, since)
      }),
    control(message) {
      if (state === 'gone' || state === 'joining') return
      if (state === 'live') flush()
      sendJson(message)
    },
    acknowledge(bytes) {
      // More than was sent: of what was sent before the snapshot.
      if (bytes > acknowledged && bytes <= sent) acknowledged = bytes
      if (state === 'live') flush()
      else catchUp()
    },
    finish(done) {
      flush(true)
      if (state === 'live' || state === 'gone') return done()
      if (state === 'behind') refresh()
      // After its own snapshot, which is on its way: jobs of the screen keep their order.
      screen.snapshot(done)
    },
    dispose() {
      state = 'gone'
      pending = []
      pendingBytes = 0
      stopLooking()
    },
  }
}
