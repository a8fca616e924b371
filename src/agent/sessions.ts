import type { AuthInfo, Server } from '@modelcontextprotocol/server'
import { isInitializeRequest, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import { jsonRpcError } from './json-rpc.ts'
import type { AgentLog } from './types.ts'

/**
 * The legacy leg (revisions up to 2025-11-25): sessions that begin with `initialize`, so that progress, logging and the
 * GET stream reach the client they belong to. Sessions are bounded in number and end when nobody uses them.
 */
interface LegacySessions {
  handle: (request: Request, call: LegacyCall) => Promise<Response>
  /** Tells every session which lists changed. */
  announce: (changed: { tools: boolean; resources: boolean; prompts: boolean }) => void
  size: () => number
  close: () => Promise<void>
}

interface LegacyCall {
  parsedBody: unknown
  /** Absent when nobody vouches for the caller. */
  authInfo?: AuthInfo
}

interface LegacySessionOptions {
  createServer: () => Server
  maxSessions: number
  /** Milliseconds without a request, a running call or an open stream after which a session ends. */
  idleMs: number
  log: AgentLog
  now: () => number
}

interface Session {
  transport: WebStandardStreamableHTTPServerTransport
  server: Server
  usedAt: number
  /** The first caller that somebody vouched for; no other may use the session. */
  owner: string | undefined
  /** Requests that have not been answered completely. */
  busy: number
}

export function createLegacySessions(options: LegacySessionOptions): LegacySessions {
  const sessions = new Map<string, Session>()
  let sweeper: ReturnType<typeof setInterval> | undefined
  let opening = 0

  const end = async (id: string, reason: string): Promise<void> => {
    const session = sessions.get(id)
    if (session === undefined) return
    sessions.delete(id)
    if (sessions.size === 0) {
      clearInterval(sweeper)
      sweeper = undefined
    }
    options.log('debug', 'Session ended', { reason, sessions: sessions.size })
    // Closing aborts the calls of the session, which stops their commands.
    await session.server.close()
  }

  const sweep = (): void => {
    const limit = options.now() - options.idleMs
    for (const [id, session] of sessions) {
      if (session.busy === 0 && session.usedAt <= limit) void end(id, 'idle')
    }
  }

  /** Makes room for one more by ending the session that has been quiet the longest; false when all are in use. */
  const makeRoom = (): boolean => {
    if (sessions.size + opening < options.maxSessions) return true
    let oldest: [string, Session] | undefined
    for (const entry of sessions) {
      if (entry[1].busy === 0 && (oldest === undefined || entry[1].usedAt < oldest[1].usedAt)) oldest = entry
    }
    if (oldest !== undefined) void end(oldest[0], 'limit')
    return oldest !== undefined
  }

  const open = async (request: Request, call: LegacyCall): Promise<Response> => {
    if (!makeRoom()) {
      const message = `All ${options.maxSessions} sessions are in use; try again later`
      return jsonRpcError(503, -32000, { message, headers: { 'retry-after': '5' } })
    }
    // Counted until it is listed, so that many beginnings at once cannot pass the limit together.
    opening++
    try {
      return await begin(request, call)
    } finally {
      opening--
    }
  }

  const begin = async (request: Request, call: LegacyCall): Promise<Response> => {
    const server = options.createServer()
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => globalThis.crypto.randomUUID(),
      onsessioninitialized: (id) => {
        sessions.set(id, { transport, server, usedAt: options.now(), owner: call.authInfo?.clientId, busy: 0 })
        sweeper ??= startSweeper(sweep, options.idleMs)
      },
      onsessionclosed: (id) => end(id, 'deleted'),
    })
    await server.connect(transport)
    const response = await transport.handleRequest(request, call)
    // Refused before a session came to be (wrong headers, bad message): nothing may stay behind.
    if (transport.sessionId === undefined) await server.close()
    return response
  }

  const handle = async (request: Request, call: LegacyCall): Promise<Response> => {
    const id = request.headers.get('mcp-session-id')
    if (id === null) {
      if (request.method === 'POST' && isInitializeRequest(call.parsedBody)) return open(request, call)
      return jsonRpcError(400, -32000, {
        message: 'No session: send "initialize" first, then the Mcp-Session-Id header that it answers',
      })
    }
    const session = sessions.get(id)
    const caller = call.authInfo?.clientId
    if (session === undefined || (caller !== undefined && session.owner !== undefined && caller !== session.owner))
      return jsonRpcError(404, -32001, { message: 'Session not found: send "initialize" again' })
    session.owner ??= caller
    session.usedAt = options.now()
    session.busy++
    const response = await session.transport.handleRequest(request, call)
    return whenDone(response, () => {
      session.busy--
      session.usedAt = options.now()
    })
  }

  const announce: LegacySessions['announce'] = (changed) => {
    for (const { server } of sessions.values()) {
      const news = [
        ...(changed.tools ? [server.sendToolListChanged()] : []),
        ...(changed.resources ? [server.sendResourceListChanged()] : []),
        ...(changed.prompts ? [server.sendPromptListChanged()] : []),
      ]
      // Without an open stream there is nobody to tell; the next list is the new one anyway.
      for (const sent of news)
        sent.catch((error: unknown) => options.log('debug', 'List change not told', { error: String(error) }))
    }
  }

  return {
    handle,
    announce,
    size: () => sessions.size,
    close: async () => {
      await Promise.all([...sessions.keys()].map((id) => end(id, 'shutdown')))
    },
  }
}

function startSweeper(sweep: () => void, idleMs: number): ReturnType<typeof setInterval> {
  const timer = setInterval(sweep, Math.max(20, Math.min(idleMs / 2, 60_000)))
  // A waiting sweep must not keep a process alive; browsers' timers and Deno's are numbers and have no `unref`.
  const maybeNode: unknown = timer
  if (
    typeof maybeNode === 'object' &&
    maybeNode !== null &&
    'unref' in maybeNode &&
    typeof maybeNode.unref === 'function'
  )
    maybeNode.unref()
  return timer
}

/** Calls `done` once, when the body has been read to its end, was cancelled or failed (at once when there is none). */
function whenDone(response: Response, done: () => void): Response {
  if (response.body === null) {
    done()
    return response
  }
  const reader = response.body.getReader()
  let open = true
  const finish = (): void => {
    if (open) done()
    open = false
  }
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const next = await reader.read()
          if (next.done) {
            finish()
            controller.close()
          } else controller.enqueue(next.value)
        } catch (error) {
          finish()
          controller.error(error)
        }
      },
      cancel: async (reason) => {
        finish()
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { status: response.status, headers: response.headers })
}
