/** Requests that are read twice. */
import type { IncomingMessage } from 'node:http'

/** Says how the body came over the wire, which is over. */
const GONE = new Set(['transfer-encoding', 'content-length', 'expect', 'trailer'])

export function replay(
  incoming: IncomingMessage,
  body: Uint8Array,
  headers: readonly (readonly [string, string])[],
): IncomingMessage {
  const { IncomingMessage: Message } = process.getBuiltinModule('node:http')
  const copy = new Message(incoming.socket)
  const dropped = new Set([...GONE, ...headers.map(([name]) => name)])
  const raw: string[] = []
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
    const name = incoming.rawHeaders[i] ?? ''
    if (!dropped.has(name.toLowerCase())) raw.push(name, incoming.rawHeaders[i + 1] ?? '')
  }
  raw.push('content-length', String(body.length), ...headers.flat())
  copy.rawHeaders = raw
  copy.headers = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => !dropped.has(name)))
  Object.assign(copy.headers, Object.fromEntries(headers), { 'content-length': String(body.length) })
  copy.method = incoming.method ?? 'POST'
  copy.url = incoming.url ?? '/'
  copy.httpVersion = incoming.httpVersion
  copy.httpVersionMajor = incoming.httpVersionMajor
  copy.httpVersionMinor = incoming.httpVersionMinor
  copy.complete = true
  if (body.length > 0) copy.push(body)
  copy.push(null)
  return copy
}
