/**
 * The bridge from Streamable HTTP to programs that speak MCP on their standard streams. Both eras of the protocol are served at
 * one address; each request says which it is of.
 */
import { CODES } from '../../../core/mcp.ts'
import type { Logger } from '../../../core/log.ts'
import type { Platform } from '../../../platform/index.ts'
import type { AgentExchange, Backend } from '../exchange.ts'
import { eraOf } from './headers.ts'
import { readIncoming } from '../../../http/incoming-body.ts'
import { acceptsOf, headerOf, messageLimit, refuse } from './http.ts'
import { isModern, isVersion, readMessage, type Message } from './message.ts'
import { createModern } from './modern.ts'
import { createPrograms, type StdioTarget } from './program.ts'
import { GONE, type Call, type Session } from './session.ts'
import { createSessions } from './sessions.ts'
import { onOneLine } from './spans.ts'

export interface StdioOptions {
  readonly platform: Pick<Platform, 'hash'>
  readonly log: Logger
  readonly version: string
  /** Where an agent runs now; throws AGENT_NOT_RUNNING. */
  target(agent: string): Promise<StdioTarget>
}

const SWEEP_MS = 5000
const SESSION = 'mcp-session-id'

export function createStdioBackend({
  platform: { hash },
  log,
  version,
  target,
}: StdioOptions): Pick<Backend, 'serve' | 'close'> {
  const programs = createPrograms({ target, hash, log })
  const sessions = createSessions({ programs, hash })
  const modern = createModern({ programs, hash, log, version })
  const sweeper = setInterval(() => {
    const now = Date.now()
    Promise.all([sessions.sweep(now), modern.sweep(now)]).catch((error: unknown) =>
      log.warn('idle programs not ended', { error }),
    )
  }, SWEEP_MS)
  sweeper.unref?.()

  /** The session that a request names; refuses when there is none. */
  function sessionOf(exchange: AgentExchange, message: Message | null): Session | null {
    const id = headerOf(exchange.incoming, SESSION)
    const session = id === undefined ? null : sessions.find(exchange, id)
    if (session !== null) return session
    if (id !== undefined) refuse(exchange, { status: 404, id: message?.id ?? null, error: GONE })
    else refuse(exchange, { status: 400, id: message?.id ?? null, error: NO_SESSION })
    return null
  }

  async function legacy(call: Call): Promise<void> {
    const { exchange, message } = call
    const named = headerOf(exchange.incoming, SESSION)
    if (message.kind === 'request' && message.method === 'initialize') {
      if (named === undefined) return sessions.begin(call)
      const error = { code: CODES.invalidRequest, message: 'The session is initialized; begin another without its id' }
      return refuse(exchange, { status: 400, id: message.id, error })
    }
    const session = sessionOf(exchange, message)
    if (session === null || !hasGoodVersion(exchange, session)) return
    if (message.kind === 'request') session.request(call)
    else session.forward(call)
  }

  async function post(exchange: AgentExchange): Promise<void> {
    const { incoming } = exchange
    if (!/^application\/json\s*(?:;|$)/i.test(incoming.headers['content-type'] ?? ''))
      return refuse(exchange, { status: 415, error: invalid('Content-Type must be application/json') })
    const { stream, json } = acceptsOf(exchange)
    if (!stream && !json)
      return refuse(exchange, {
        status: 406,
        error: invalid('Accept must have application/json and text/event-stream'),
      })
    // A program that does not read holds its client back, before the body is read.
    const named = headerOf(incoming, SESSION)
    if (named !== undefined) await sessions.find(exchange, named)?.room()
    else await modern.room(exchange.agent)
    const body = await readIncoming(incoming, exchange.outgoing, { maxBytes: messageLimit(exchange) })
    const message = parse(exchange, body)
    if (message === null) return
    const era = eraOf(message, incoming)
    if (typeof era === 'object') return refuse(exchange, { status: 400, id: message.id, error: era })
    const call = { exchange, message, line: onOneLine(body) }
    await (era === 'legacy' ? legacy(call) : modern.handle(call))
  }

  function listen(exchange: AgentExchange): void {
    const { incoming } = exchange
    if (!acceptsOf(exchange).stream)
      return refuse(exchange, { status: 406, error: invalid('Accept must have text/event-stream') })
    if (headerOf(incoming, SESSION) === undefined) return notAllowed(exchange)
    const session = sessionOf(exchange, null)
    if (session !== null && hasGoodVersion(exchange, session))
      session.listen(exchange, headerOf(incoming, 'last-event-id'))
  }

  async function end(exchange: AgentExchange): Promise<void> {
    if (headerOf(exchange.incoming, SESSION) === undefined) return notAllowed(exchange)
    const session = sessionOf(exchange, null)
    if (session === null) return
    await session.end()
    const { outgoing } = exchange
    if (!outgoing.destroyed)
      outgoing.writeHead(200, { 'content-length': '0', 'x-request-id': exchange.requestId }).end()
  }

  async function serve(exchange: AgentExchange): Promise<void> {
    switch (exchange.incoming.method) {
      case 'POST':
        return post(exchange)
      case 'GET':
        return listen(exchange)
      case 'DELETE':
        return end(exchange)
      default:
        return notAllowed(exchange)
    }
  }

  return {
    serve(exchange) {
      serve(exchange).catch(exchange.fail)
    },
    async close() {
      clearInterval(sweeper)
      await Promise.all([sessions.close(), modern.close()])
    },
  }
}

const invalid = (message: string) => ({ code: CODES.server, message })
const NO_SESSION = invalid('The request names no session: send "initialize" first, and Mcp-Session-Id afterwards')

function notAllowed(exchange: AgentExchange): void {
  refuse(exchange, { status: 405, error: invalid('Method not allowed'), headers: { allow: 'GET, POST, DELETE' } })
}

function parse(exchange: AgentExchange, body: Buffer): Message | null {
  try {
    const message = readMessage(body)
    if (message !== null) return message
    const text = 'Not a message of JSON-RPC 2.0; lists of messages are not taken'
    refuse(exchange, { status: 400, error: { code: CODES.invalidRequest, message: text } })
  } catch {
    refuse(exchange, { status: 400, error: { code: CODES.parse, message: 'The body is not JSON' } })
  }
  return null
}

/** Of a session's later requests: a revision of this era. Without the header, the one that was agreed on is meant. */
function hasGoodVersion(exchange: AgentExchange, session: Session): boolean {
  const header = headerOf(exchange.incoming, 'mcp-protocol-version')?.trim()
  if (header === undefined || header === session.version || (isVersion(header) && !isModern(header))) return true
  refuse(exchange, { status: 400, error: invalid(`Unsupported protocol version: ${header.slice(0, 40)}`) })
  return false
}
