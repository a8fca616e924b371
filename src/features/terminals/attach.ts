/** `attach`: this terminal as one more window of a session, over the same WebSocket that pages use. */
import { fromErrorBody, PloinkyError } from '../../core/error.ts'
import { parseJson } from '../../core/json.ts'
import type { Platform, RawTerminal, WebSocketPeer } from '../../platform/index.ts'
import type { Services } from '../../services.ts'
import { ACK_BYTES, TTY_PROTOCOL, type TtyClientMessage, type TtyServerMessage } from './protocol.ts'

/** A screen with all its lines may be large. */
const MAX_FRAME_BYTES = 256 * 1024 * 1024
/** Ctrl-], as in telnet; then d. */
const ESCAPE = 0x1d
const DETACH = 'd'.charCodeAt(0)

export interface AttachOptions {
  readonly session: string
  readonly signal: AbortSignal
}
export interface AttachResult {
  readonly session: string
  readonly detached: boolean
  readonly exitCode: number | null
}

export function requireTerminal({ terminal }: Pick<Platform, 'terminal'>): void {
  if (terminal.stdin.isTTY && terminal.stdout.isTTY) return
  throw new PloinkyError('USAGE_INVALID', 'Only a terminal can join a terminal', {
    hint: 'Run it where you type, without pipes; for programs: ploinky exec AGENT -- COMMAND',
  })
}

/**
 * Answers of this terminal to questions that were in the output (what it is, where its cursor is): the router has answered
 * them, and a second answer would be typed into the program.
 */
const ANSWERS =
  /\u001b(?:\[[?>][\d;]*c|\[\d+;\d+R|\[\?[\d;]+\$y|\[\d*(?:;\d*)*t|[P\]][^\u0007\u001b]*(?:\u0007|\u001b\\))/g

/** Keys without answers, as bytes one to one. */
export function withoutAnswers(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(0x1b)) return bytes
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  const kept = text.replace(ANSWERS, (answer) => (/^\u001b\[1;[2-8]R$/.test(answer) ? answer : ''))
  return kept.length === text.length ? bytes : Uint8Array.from(kept, (char) => char.charCodeAt(0))
}

/** Finds the keys that leave; gives what is for the program. */
export function createDetachKeys() {
  let isPending = false
  return (bytes: Uint8Array): { keys: Uint8Array; detach: boolean } => {
    const keys: number[] = []
    for (const byte of bytes) {
      if (isPending && byte === DETACH) return { keys: Uint8Array.from(keys), detach: true }
      if (isPending) keys.push(ESCAPE)
      isPending = byte === ESCAPE && !isPending
      if (!isPending) keys.push(byte)
    }
    return { keys: Uint8Array.from(keys), detach: false }
  }
}

export async function attach(services: Services, options: AttachOptions): Promise<AttachResult> {
  const { platform, client, terminals } = services
  requireTerminal(platform)
  const views = await terminals.list()
  const { session: words } = options
  const byName = views.filter(({ name }) => name === words)
  const found =
    views.find(({ id }) => id === words) ??
    (words.length >= 4 ? views.find(({ id }) => id.startsWith(words)) : undefined) ??
    (byName.length === 1 ? byName[0] : undefined)
  if (found === undefined)
    throw new PloinkyError('SESSION_NOT_FOUND', `There is no terminal ${JSON.stringify(words)}`, {
      hint: 'Run: ploinky terminals',
    })
  return await join(services, { client, id: found.id, agent: found.agent, signal: options.signal })
}

interface Joining {
  readonly client: Services['client']
  readonly id: string
  readonly agent: string
  readonly signal: AbortSignal
}

function join({ platform }: Services, { client, id, agent, signal }: Joining): Promise<AttachResult> {
  return new Promise((resolve, reject) => {
    const detachKeys = createDetachKeys()
    let link: WebSocketPeer | null = null
    let raw: RawTerminal | null = null
    let exitCode: number | null = null
    let isDetached = false
    let failure: PloinkyError | null = null
    const send = (message: TtyClientMessage): void => link?.send(JSON.stringify(message))
    const leave = (): void => {
      isDetached = true
      link?.close(1000, 'detached')
    }
    const size = (): { cols: number; rows: number } => raw?.size ?? { cols: 80, rows: 24 }
    raw = platform.terminal.openRaw({
      input(bytes) {
        const { keys, detach } = detachKeys(withoutAnswers(bytes))
        if (keys.byteLength > 0) link?.send(keys)
        if (detach) leave()
      },
      resized: () => send({ type: 'resize', ...size() }),
    })
    signal.addEventListener('abort', leave, { once: true })
    const screen = createScreenWriter(raw, (bytes) => send({ type: 'ack', bytes }))
    const closed = (): void => {
      raw?.close()
      signal.removeEventListener('abort', leave)
      if (failure !== null) reject(failure)
      else if (isDetached || exitCode !== null)
        resolve({ session: id, detached: isDetached && exitCode === null, exitCode })
      else
        reject(
          new PloinkyError('ROUTER_FAILED', 'The connection to the router was lost', {
            hint: `Run: ploinky attach ${id}`,
          }),
        )
    }
    const message = (data: string | Uint8Array): void => {
      if (typeof data !== 'string') return screen.output(data)
      const json = parseJson(data)
      if (!json.ok) return
      const told = json.value as TtyServerMessage
      if (told.type === 'attached') screen.begin(told.snapshotBytes)
      else if (told.type === 'snapshot') screen.begin(told.bytes)
      else if (told.type === 'exit') exitCode = told.code
      else if (told.type === 'error')
        failure = fromErrorBody({ error: { ...told, details: { suggestion: told.hint } } }, 'ROUTER_FAILED')
    }
    const { cols, rows } = raw.size
    const path = `/webtty/${agent}/ws?session=${encodeURIComponent(id)}&cols=${cols}&rows=${rows}`
    client
      .webSocket(path)
      .then((place) =>
        platform.net.connectWebSocket(
          { ...place, protocol: TTY_PROTOCOL, maxPayloadBytes: MAX_FRAME_BYTES },
          (opened) => {
            link = opened
            return { message, closed }
          },
        ),
      )
      .then(() => send({ type: 'take' }))
      .catch((error: unknown) => {
        raw?.close()
        reject(error)
      })
  })
}

/** Counts what this terminal has taken: the router sends no more than it can show. */
function createScreenWriter(raw: RawTerminal, acknowledge: (bytes: number) => void) {
  let ofSnapshot = 0
  let drawn = 0
  let told = 0
  let epoch = 0
  return {
    /** A new screen of so many bytes comes; this one is emptied. */
    begin(bytes: number): void {
      ofSnapshot = bytes
      drawn = 0
      told = 0
      epoch += 1
      raw.write(new TextEncoder().encode('\u001bc'), () => {})
    },
    output(bytes: Uint8Array): void {
      const counted = bytes.byteLength - Math.min(ofSnapshot, bytes.byteLength)
      ofSnapshot -= bytes.byteLength - counted
      const now = epoch
      raw.write(bytes, () => {
        if (now !== epoch) return
        drawn += counted
        if (drawn - told < ACK_BYTES / 2) return
        told = drawn
        acknowledge(drawn)
      })
    },
  }
}
