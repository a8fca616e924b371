/** The socket of a terminal as the page sees it, with sockets that do what a network can do to them. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Connection, type ConnectionState, openConnection } from '../../../public/webtty/connection.ts'

const CONNECTING = 0
const OPEN = 1
const CLOSED = 3
let sockets: FakeSocket[] = []
let connection: Connection | undefined
let states: ConnectionState['kind'][] = []

class FakeSocket extends EventTarget {
  static readonly CONNECTING = CONNECTING
  static readonly OPEN = OPEN
  readyState = CONNECTING
  binaryType = ''
  readonly sent: string[] = []
  constructor() {
    super()
    sockets.push(this)
  }
  opens(): void {
    this.readyState = OPEN
    this.dispatchEvent(new Event('open'))
  }
  says(message: object): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }))
  }
  send(text: string): void {
    this.sent.push(text)
  }
  // The closing handshake of a socket whose other side is gone does not end.
  close(): void {
    this.readyState = CLOSED
  }
}

beforeEach(() => {
  vi.useFakeTimers()
  sockets = []
  states = []
  vi.stubGlobal('WebSocket', FakeSocket)
  vi.stubGlobal('window', new EventTarget())
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }))
  connection = openConnection({
    ...{ url: () => 'ws://router/webtty/demo/ws', onMessage: () => {}, onOutput: () => {}, onLatency: () => {} },
    onState: ({ kind }) => states.push(kind),
  })
})
afterEach(() => {
  connection?.close()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('a request that nobody answers is made again', () => {
  vi.advanceTimersByTime(29_000)
  expect(states).toEqual(['connecting'])
  vi.advanceTimersByTime(1000)
  expect(states).toEqual(['connecting', 'waiting'])
  vi.advanceTimersByTime(1000)
  expect(states).toEqual(['connecting', 'waiting', 'connecting'])
  expect(sockets.map(({ readyState }) => readyState)).toEqual([CLOSED, CONNECTING])
})

it('what the forgotten one says later is not heard', () => {
  vi.advanceTimersByTime(31_000)
  const [late, now] = sockets
  late?.opens()
  late?.says({ type: 'pong', at: 0 })
  now?.opens()
  vi.advanceTimersByTime(4000)
  expect(states).toEqual(['connecting', 'waiting', 'connecting'])
  expect(late?.sent).toEqual([])
})

it('one that is open stays: its silence is counted by pings', () => {
  const [socket] = sockets
  socket?.opens()
  for (let second = 0; second < 60; second += 1) {
    vi.advanceTimersByTime(1000)
    socket?.says({ type: 'pong', at: 0 })
  }
  expect(states).toEqual(['connecting'])
  vi.advanceTimersByTime(20_000)
  expect(states).toEqual(['connecting', 'waiting'])
})

it('after close nothing is tried any more', () => {
  connection?.close()
  vi.advanceTimersByTime(120_000)
  expect(sockets).toHaveLength(1)
})
