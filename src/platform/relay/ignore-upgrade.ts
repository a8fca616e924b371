import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { UPGRADE, fieldOf } from './fields.ts'
import { hasBody } from './request-head.ts'

/** What an `upgrade` event hands over. */
export interface UpgradeEvent {
  readonly inc: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/**
 * The only upgrade that is granted. Servers whose parser asks first (Node 24.9 and later) take it as their
 * `shouldUpgradeCallback`: then other offers are ordinary requests from the start.
 */
export function wantsWebSocket(inc: IncomingMessage): boolean {
  return inc.headers.upgrade?.toLowerCase() === 'websocket'
}

/**
 * Serves an upgrade request as if it had not asked for an upgrade (RFC 9110, 7.8: a server may ignore the field).
 * Some clients offer `h2c` with every first request, and a server with an `upgrade` listener would have to turn them
 * away: the request goes back to the server's parser, body included, without the offer.
 * Returns false, having done nothing, where that is impossible: newer servers have already parsed a part of a body.
 */
export function ignoreUpgrade(server: Server, event: UpgradeEvent): boolean {
  const { inc, socket, head } = event
  const bodyIsParsed = 'Deno' in globalThis || 'shouldUpgradeCallback' in server
  if (bodyIsParsed && hasBody(inc)) return false
  let text = `${inc.method} ${inc.url} HTTP/${inc.httpVersion}\r\n`
  for (let i = 0; i + 1 < inc.rawHeaders.length; i += 2) {
    const name = inc.rawHeaders[i] ?? ''
    const lower = name.toLowerCase()
    if (fieldOf(name)?.kind === UPGRADE || lower === 'http2-settings') continue
    const raw = inc.rawHeaders[i + 1] ?? ''
    const value = lower === 'connection' ? withoutOffer(raw) : raw
    if (value !== '' || raw === '') text += `${name}: ${value}\r\n`
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]))
  server.emit('connection', socket)
  return true
}

function withoutOffer(value: string): string {
  const tokens = value.split(',').map((token) => token.trim())
  return tokens.filter((token) => !['upgrade', 'http2-settings'].includes(token.toLowerCase())).join(', ')
}
