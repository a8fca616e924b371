/** A client of a terminal's socket as the page is one: it counts what it draws and acknowledges it. */
import { WebSocket } from 'ws'
import {
  ACK_BYTES,
  TTY_PROTOCOL,
  type TtyClientMessage,
  type TtyServerMessage,
} from '../../src/features/terminals/protocol.ts'
import { waitFor, type Workspace } from './workspace.ts'

type Message<T extends TtyServerMessage['type']> = Extract<TtyServerMessage, { type: T }>

export interface TtyClientOptions {
  readonly query?: Record<string, string>
  readonly headers?: Record<string, string>
  /** False: text frames only. */
  readonly binary?: boolean
  /** False: nothing is acknowledged. */
  readonly acks?: boolean
  /** In the order in which they come. */
  onOutput?(bytes: Uint8Array): void
  onMessage?(message: TtyServerMessage): void
}

export interface TtyClient extends AsyncDisposable {
  readonly socket: WebSocket
  readonly messages: TtyServerMessage[]
  /** Bytes of output that came, snapshots too. */
  readonly received: number
  /** The end of what came as text. */
  text(): string
  clear(): void
  send(message: TtyClientMessage): void
  type(text: string): void
  saw(text: string | RegExp, timeoutMs?: number): Promise<string>
  message<T extends TtyServerMessage['type']>(type: T, check?: (found: Message<T>) => boolean): Promise<Message<T>>
  readonly closed: Promise<{ code: number; reason: string }>
}

const KEPT_TEXT = 4 * 1024 * 1024

export async function openTty(workspace: Workspace, agent: string, options: TtyClientOptions = {}): Promise<TtyClient> {
  const query = new URLSearchParams(options.query).toString()
  const headers = options.headers ?? { authorization: `Bearer ${await workspace.token()}` }
  const url = `ws://127.0.0.1:${workspace.port}/webtty/${agent}/ws${query === '' ? '' : `?${query}`}`
  const protocols = options.binary === false ? [] : [TTY_PROTOCOL]
  const socket = new WebSocket(url, protocols, { headers, perMessageDeflate: false })
  const client = follow(socket, options)
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('unexpected-response', (_request, response) => reject(new Error(`status ${response.statusCode}`)))
    socket.once('error', reject)
  })
  return client
}

/**
 * A shell that shows nothing of what is typed from now on. Its prompt may ask where the cursor is, and a shell without echo
 * takes an answer that comes late for typed text: so the first prompt is past before, and the next one is in sight.
 */
export async function withoutEcho(tty: TtyClient): Promise<void> {
  tty.type('echo asked-$((1+1))\r')
  await tty.saw(/asked-2\r?\n[^\n]*[#$] /)
  tty.type('stty -echo; echo ready-$((1+1))\r')
  await tty.saw('ready-2')
}

function follow(socket: WebSocket, options: TtyClientOptions): TtyClient {
  const messages: TtyServerMessage[] = []
  const decoder = new TextDecoder()
  let [text, received, drawn, told, uncounted] = ['', 0, 0, 0, 0]
  const take = (bytes: Uint8Array): void => {
    text = (text + decoder.decode(bytes, { stream: true })).slice(-KEPT_TEXT)
    received += bytes.byteLength
    options.onOutput?.(bytes)
    const ofSnapshot = Math.min(uncounted, bytes.byteLength)
    uncounted -= ofSnapshot
    drawn += bytes.byteLength - ofSnapshot
    if (options.acks === false || drawn - told < ACK_BYTES / 2) return
    told = drawn
    client.send({ type: 'ack', bytes: drawn })
  }
  socket.on('message', (data, isBinary) => {
    if (isBinary) return take(data as Buffer)
    const message = JSON.parse((data as Buffer).toString('utf8')) as TtyServerMessage
    if (message.type === 'output') return take(Buffer.from(message.data))
    messages.push(message)
    options.onMessage?.(message)
    if (message.type !== 'attached' && message.type !== 'snapshot') return
    uncounted = message.type === 'attached' ? message.snapshotBytes : message.bytes
    drawn = 0
    told = 0
  })
  const client: TtyClient = {
    socket,
    messages,
    get received() {
      return received
    },
    text: () => text,
    clear: () => void (text = ''),
    send: (message) => socket.send(JSON.stringify(message)),
    type: (typed) =>
      options.binary === false ? client.send({ type: 'input', data: typed }) : socket.send(Buffer.from(typed)),
    async saw(wanted, timeoutMs) {
      const found = (): boolean => (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text))
      try {
        return await waitFor('text', () => (found() ? text : undefined), timeoutMs)
      } catch (error) {
        throw new Error(`No ${String(wanted)} on the terminal; it shows ${JSON.stringify(text.slice(-400))}`, {
          cause: error,
        })
      }
    },
    message: <T extends TtyServerMessage['type']>(type: T, check: (found: Message<T>) => boolean = () => true) =>
      waitFor(`message ${type}`, () =>
        messages.find((found): found is Message<T> => found.type === type && check(found as Message<T>)),
      ).catch((cause: unknown) => {
        throw new Error(`No message ${type}; the last was ${JSON.stringify(messages.at(-1))}`, { cause })
      }),
    closed: new Promise((resolve) =>
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') })),
    ),
    async [Symbol.asyncDispose]() {
      socket.terminate()
      await client.closed
    },
  }
  socket.on('error', () => {})
  return client
}
