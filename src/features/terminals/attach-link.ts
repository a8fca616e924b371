/** The connection of `attach`: one after another, until the session has ended, or somebody leaves. */
import { asPloinkyError, fromErrorBody, PloinkyError } from '../../core/error.ts'
import { parseJson } from '../../core/json.ts'
import { pause } from '../../core/time.ts'
import type { WebSocketListener, WebSocketOptions, WebSocketPeer } from '../../platform/index.ts'
import { CLOSE, TTY_PROTOCOL, type TtyClientMessage, type TtyServerMessage } from './protocol.ts'

/** A screen with all its lines may be large. */
const MAX_FRAME_BYTES = 256 * 1024 * 1024
/** Between two attempts, and for how long there are any. */
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 3000
const PATIENCE_MS = 60_000
/** A connection that says nothing for so long is none: a line that was cut says nothing either. */
const PING_MS = 10_000
const SILENCE_MS = 25_000

export type Ended =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'left' }
  /** `wasOpen`: the session had been joined before. */
  | { readonly kind: 'failed'; readonly error: PloinkyError; readonly wasOpen: boolean }

export interface LinkOptions {
  connect(listener: {
    readonly options: WebSocketOptions
    opened(peer: WebSocketPeer): WebSocketListener
  }): Promise<WebSocketPeer>
  /** The screen comes, in so many bytes. */
  begin(bytes: number): void
  output(bytes: Uint8Array): void
  /** Told once, until it is there again. */
  lost(): void
  /** Leaves. */
  readonly signal: AbortSignal
}

export interface Link {
  send(message: TtyClientMessage): void
  /** What is typed while there is no connection is lost. */
  input(bytes: Uint8Array): void
  readonly ended: Promise<Ended>
}

const FINAL: readonly number[] = Object.values(CLOSE)

/** How one connection ended; null: another one is worth a try. */
type End = { readonly kind: 'exit'; readonly code: number } | { readonly kind: 'refused'; readonly error: PloinkyError }

export function keepConnected(options: LinkOptions): Link {
  const { signal } = options
  let peer: WebSocketPeer | null = null
  /** When the connection was lost, ms since 1970; null: it was not. */
  let lostAt: number | null = null
  let wasOpen = false
  const send = (message: TtyClientMessage): void => peer?.send(JSON.stringify(message))

  function begin(bytes: number): void {
    wasOpen = true
    lostAt = null
    options.begin(bytes)
  }

  async function once(): Promise<End | null> {
    const heard = createReader({ begin, output: options.output })
    let told: (code: number) => void = () => {}
    const closed = new Promise<number>((resolve) => (told = resolve))
    const opened = await options.connect({
      options: { protocol: TTY_PROTOCOL, maxPayloadBytes: MAX_FRAME_BYTES },
      opened: () => ({ message: heard.message, closed: (code) => told(code) }),
    })
    peer = opened
    const leave = (): void => opened.close(1000, 'detached')
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    const heartbeat = setInterval(() => {
      if (Date.now() - heard.at > SILENCE_MS) opened.terminate()
      else send({ type: 'ping', at: Date.now() })
    }, PING_MS)
    send({ type: 'take' })
    const code = await closed
    clearInterval(heartbeat)
    signal.removeEventListener('abort', leave)
    peer = null
    if (heard.exit !== null) return { kind: 'exit', code: heard.exit }
    return FINAL.includes(code) ? { kind: 'refused', error: heard.error ?? lost() } : null
  }

  async function run(): Promise<Ended> {
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      let error: PloinkyError | null = null
      const end = await once().catch((caught: unknown) => {
        error = asPloinkyError(caught)
        return null
      })
      if (end?.kind === 'exit') return end
      if (signal.aborted) return { kind: 'left' }
      if (end?.kind === 'refused') return { kind: 'failed', error: end.error, wasOpen }
      if (!wasOpen || (lostAt !== null && Date.now() - lostAt > PATIENCE_MS))
        return { kind: 'failed', error: error ?? lost(), wasOpen }
      if (lostAt === null) {
        wait = FIRST_WAIT_MS
        lostAt = Date.now()
        options.lost()
      }
      await pause(wait, signal)
      if (signal.aborted) return { kind: 'left' }
    }
  }
  return { send, input: (bytes) => peer?.send(bytes), ended: run() }
}

const lost = (): PloinkyError =>
  new PloinkyError('ROUTER_FAILED', 'The connection to the router was lost', { hint: 'Run: ploinky status' })

function createReader({ begin, output }: Pick<LinkOptions, 'begin' | 'output'>) {
  const reader = {
    /** When something came last, ms since 1970. */
    at: Date.now(),
    exit: null as number | null,
    error: null as PloinkyError | null,
    message(data: string | Uint8Array): void {
      reader.at = Date.now()
      if (typeof data !== 'string') return output(data)
      const json = parseJson(data)
      if (!json.ok) return
      const told = json.value as TtyServerMessage
      if (told.type === 'attached') begin(told.snapshotBytes)
      else if (told.type === 'snapshot') begin(told.bytes)
      else if (told.type === 'exit') reader.exit = told.code
      else if (told.type === 'error')
        reader.error = fromErrorBody({ error: { ...told, details: { suggestion: told.hint } } }, 'ROUTER_FAILED')
    },
  }
  return reader
}
