/** The ways to agents that are no HTTP servers of their own. Each is loaded when the first such agent is called. */
import type { Invocation } from '../../agent/caller.ts'
import type { Principal } from '../../core/principal.ts'
import type { Platform } from '../../platform/index.ts'
import { subjectOf } from '../callers/index.ts'
import { createExecMcp } from './exec.ts'
import type { OwnServer } from './own/server.ts'
import type { McpGatewayOptions } from './gateway-options.ts'
import { fetchServed } from './served.ts'
import type { AgentExchange, Backend, Backends } from './types.ts'
import { fetchHandler, type UpstreamCall } from './upstream.ts'

export const createBackends = (options: McpGatewayOptions): Backends => ({
  exec: execBackend(options),
  stdio: stdioBackend(options),
  own: ownBackend(options),
})

interface Caller {
  readonly agent: string
  readonly principal: Principal
  readonly claims?: Readonly<Record<string, unknown>>
}

type Handle = (caller: Caller, request: Request) => Promise<Response>

/** For servers of this process: web-standard requests out of raw ones. */
function serveWith(platform: Platform, handle: Handle): Backend['serve'] {
  const makeListener = () => platform.net.toListener((request: Request, env: AgentExchange) => handle(env, request))
  let listener: ReturnType<typeof makeListener> | null = null
  return (exchange) => {
    const { incoming, outgoing, requestId } = exchange
    listener ??= makeListener()
    listener.then((listen) => {
      if (incoming.headers.expect !== undefined) outgoing.writeContinue()
      outgoing.setHeader('x-request-id', requestId)
      listen(incoming, outgoing, exchange)
    }, exchange.fail)
  }
}

/** Who is calling: the server is in this process, and believes it without a token. */
const invocationOf = ({ agent, principal, claims }: Caller): Invocation => ({
  sub: subjectOf(principal),
  roles: principal.roles,
  aud: `agent:${agent}`,
  ...claims,
})

const callerOf = ({ principal, claims }: UpstreamCall): Omit<Caller, 'agent'> =>
  claims === undefined ? { principal } : { principal, claims }

/** Tools of images without Node: the AgentServer runs here, the tools through the runtime's exec. */
function execBackend({ platform, log, version, target, tasksDir }: McpGatewayOptions): Backend {
  const mcp = createExecMcp({ fs: platform.fs, log, version, target, tasksDir })
  const handle: Handle = (caller, request) => mcp.handle(caller.agent, request, invocationOf(caller))
  return {
    serve: serveWith(platform, handle),
    fetch: (agent, call) => fetchHandler((request) => handle({ ...callerOf(call), agent }, request), call),
    close: () => mcp.close(),
  }
}

/** Programs on standard streams. */
function stdioBackend(options: McpGatewayOptions): Backend {
  let bridge: Promise<Pick<Backend, 'serve' | 'close'>> | null = null
  const load = () =>
    (bridge ??= import('./stdio/index.ts').then(({ createStdioBackend }) => createStdioBackend(options)))
  return {
    serve(exchange) {
      load()
        .then((backend) => backend.serve(exchange))
        .catch(exchange.fail)
    },
    fetch: async (agent, call) => {
      const { serve } = await load()
      return await fetchServed(options.platform.net, { agent, call, serve })
    },
    close: async () => await (await bridge)?.close(),
  }
}

function ownBackend({ platform, ownServer }: McpGatewayOptions): Backend {
  let server: Promise<OwnServer> | null = null
  const handle: Handle = async ({ principal }, request) =>
    await (await (server ??= ownServer())).fetch(principal, request)
  return {
    serve: serveWith(platform, handle),
    fetch: (agent, call) => fetchHandler((request) => handle({ agent, principal: call.principal }, request), call),
    close: async () => await (await server)?.close(),
  }
}
