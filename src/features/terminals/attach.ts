/** `attach`: this terminal as one more window of a session, over the same WebSocket that pages use. */
import { PloinkyError } from '../../core/error.ts'
import type { Platform } from '../../platform/index.ts'
import type { Services } from '../../services.ts'
import { keepConnected, type Ended } from './attach-link.ts'
import { createScreenWriter } from './attach-screen.ts'

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

/** The parts of the product that it needs. */
export type AttachServices = Pick<Services, 'terminals'> & {
  readonly client: Pick<Services['client'], 'webSocket'>
  readonly platform: {
    readonly terminal: Platform['terminal']
    readonly net: Pick<Platform['net'], 'connectWebSocket'>
  }
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

export async function attach(services: AttachServices, options: AttachOptions): Promise<AttachResult> {
  const { platform, terminals } = services
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
  return await join(services, { id: found.id, agent: found.agent, signal: options.signal })
}

interface Joining {
  readonly id: string
  readonly agent: string
  readonly signal: AbortSignal
}

async function join({ platform, client }: AttachServices, { id, agent, signal }: Joining): Promise<AttachResult> {
  const detachKeys = createDetachKeys()
  const leaving = new AbortController()
  const leave = (): void => leaving.abort()
  const raw = platform.terminal.openRaw({
    input(bytes) {
      const { keys, detach } = detachKeys(withoutAnswers(bytes))
      if (keys.byteLength > 0) link.input(keys)
      if (detach) leave()
    },
    resized: () => link.send({ type: 'resize', ...raw.size }),
  })
  signal.addEventListener('abort', leave, { once: true })
  const screen = createScreenWriter(raw, (bytes) => link.send({ type: 'ack', bytes }))
  const link = keepConnected({
    connect: async (listener) => {
      const { cols, rows } = raw.size
      const path = `/webtty/${agent}/ws?session=${encodeURIComponent(id)}&cols=${cols}&rows=${rows}`
      return await platform.net.connectWebSocket({ ...(await client.webSocket(path)), ...listener.options }, (opened) =>
        listener.opened(opened),
      )
    },
    begin: (bytes) => screen.begin(bytes),
    output: (bytes) => screen.output(bytes),
    lost: () => screen.say('connection lost, trying again. Ctrl-] and then d leaves'),
    signal: leaving.signal,
  })
  try {
    return resultOf(id, await link.ended)
  } finally {
    signal.removeEventListener('abort', leave)
    await screen.end()
    raw.close()
  }
}

function resultOf(id: string, ended: Ended): AttachResult {
  if (ended.kind === 'exit') return { session: id, detached: false, exitCode: ended.code }
  if (ended.kind === 'left') return { session: id, detached: true, exitCode: null }
  if (ended.error.code === 'SESSION_NOT_FOUND' && ended.wasOpen)
    throw new PloinkyError('SESSION_NOT_FOUND', 'The terminal ended while the connection was lost', {
      hint: 'A router that is started again has no terminals of before. Run: ploinky terminals',
      cause: ended.error,
    })
  throw ended.error
}
