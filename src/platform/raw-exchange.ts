/** A request of this process to a handler of this process that speaks raw HTTP: no socket in between. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpStream, RawCall } from './index.ts'

type Head = Pick<HttpStream, 'status' | 'headers'>
type HeaderValues = Readonly<Record<string, string | number | readonly string[]>>

export interface RawExchange {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  /** When the handler has written the head. Rejects when it gives the exchange up. */
  readonly answer: Promise<HttpStream>
}

function incomingOf({ method, path, headers, body }: RawCall): IncomingMessage {
  const { IncomingMessage: Message } = process.getBuiltinModule('node:http')
  const { Socket } = process.getBuiltinModule('node:net')
  const incoming = new Message(new Socket())
  const all = { ...headers, ...(body === undefined ? {} : { 'content-length': String(body.length) }) }
  incoming.method = method
  incoming.url = path
  incoming.httpVersion = '1.1'
  incoming.httpVersionMajor = 1
  incoming.httpVersionMinor = 1
  incoming.headers = all
  incoming.rawHeaders = Object.entries(all).flat()
  incoming.complete = true
  if (body !== undefined && body.length > 0) incoming.push(body)
  incoming.push(null)
  return incoming
}

export function openRawExchange(call: RawCall): RawExchange {
  const incoming = incomingOf(call)
  const { PassThrough, Writable } = process.getBuiltinModule('node:stream')
  const body = new PassThrough()
  // Whoever reads it is told by the end of it.
  body.on('error', () => {})
  let begin = (_head: Head): void => {}
  let giveUp = (_error: Error): void => {}
  const head = new Promise<Head>((resolve, reject) => {
    begin = resolve
    giveUp = reject
  })
  head.catch(() => {})
  const sink = new Writable({
    write: (chunk: Uint8Array, _encoding, done) => void body.write(chunk, done),
    final: (done) => void body.end(done),
    destroy(error, done) {
      giveUp(error ?? new Error('The exchange ended without an answer'))
      // What was written to its end is still read; what broke off must not look complete.
      if (!sink.writableFinished) body.destroy(error ?? new Error('The answer was cut off'))
      done(error)
    },
  })
  const set = new Map<string, string>()
  const outgoing = Object.assign(sink, {
    req: incoming,
    headersSent: false,
    statusCode: 200,
    setHeader: (name: string, value: string) => void set.set(name.toLowerCase(), value),
    writeContinue: () => {},
    writeHead(status: number, given: HeaderValues = {}) {
      if (outgoing.headersSent) throw new Error('The head was written already')
      for (const [name, value] of Object.entries(given)) set.set(name.toLowerCase(), String(value))
      outgoing.statusCode = status
      outgoing.headersSent = true
      begin({ status, headers: set })
      return outgoing
    },
    flushHeaders: () => void (outgoing.headersSent || outgoing.writeHead(outgoing.statusCode)),
  })
  const leave = (): void => void sink.destroy()
  if (call.signal?.aborted === true) leave()
  else call.signal?.addEventListener('abort', leave, { once: true })
  sink.once('close', () => call.signal?.removeEventListener('abort', leave))

  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) yield chunk as Uint8Array
    } finally {
      leave()
    }
  }
  const answer = head.then((found) => ({ ...found, body: read() }))
  answer.catch(() => {})
  // Handlers use no more of a response than what is here.
  return { incoming, outgoing: outgoing as unknown as ServerResponse, answer }
}
