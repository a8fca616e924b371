/** The part of the composition that only the router process needs. */
import { basename, join } from 'node:path'
import { configDocument } from './config/documents.ts'
import type { Command, CommandContext, Input } from './cli/command.ts'
import type { PloinkyEvent } from './core/events.ts'
import { parseJson } from './core/json.ts'
import { lazy } from './core/lazy.ts'
import { fromErrorBody, PloinkyError } from './core/error.ts'
import type { Principal } from './core/principal.ts'
import type { Store } from './core/store.ts'
import type { RoutesWriter } from './features/agents/index.ts'
import { type Authenticator, cutSockets, type LiveSessions } from './features/auth/index.ts'
import { createLogTail } from './features/logs/index.ts'
import { agentSecret } from './features/callers/index.ts'
import { answered } from './features/events/index.ts'
import { createDemand, type Demand, type DemandOptions } from './features/demand/index.ts'
import { createMcpGateway, type McpRoutes } from './features/mcp/index.ts'
import { createMetrics } from './features/metrics/index.ts'
import { createTerminalGateway, sweepLeftovers, type Terminals } from './features/terminals/index.ts'
import { createToolGuard } from './features/tool-lock/index.ts'
import { runRouter } from './features/router/index.ts'
import { createSupervisor, type Supervisor } from './features/supervisor/index.ts'
import { createAgentGuard } from './http/agent-guard.ts'
import { writeError } from './http/error-response.ts'
import { createFront } from './http/front.ts'
import { createGuard } from './http/guard.ts'
import type { RuntimeId } from '../runtimes/adapter.ts'
import { createSites } from './http/sites.ts'
import type { Services } from './services.ts'

export interface ServeOptions {
  services: Services
  commands: readonly Command<Services>[]
  store: Store
  routes: RoutesWriter
  authenticator(): Promise<Authenticator>
  readonly watchdog: number | null
  /** Reads again what may change while the router runs. */
  followSettings(): Promise<void>
}

/** Status is asked by every open page at once; one look at the engine serves all that ask within this time (ms). */
const STATUS_FRESH_MS = 200

function shared<T>(make: () => Promise<T>, freshMs: number): () => Promise<T> {
  let last: { at: number; value: Promise<T> } | null = null
  return () => {
    if (last !== null && Date.now() - last.at < freshMs) return last.value
    const value = make()
    last = { at: Date.now(), value }
    value.catch(() => (last = null))
    return value
  }
}

function createExecutor(services: Services) {
  return (
    command: Command<Services>,
    input: Input,
    call: { principal: Principal; signal: AbortSignal; progress?: (text: string) => void },
  ) => {
    const context: CommandContext<Services> = {
      services: async () => services,
      log: services.log,
      signal: call.signal,
      out: { progress: call.progress ?? (() => {}), color: false, columns: 80, json: true },
      // Over HTTP the caller decided before calling; pages ask first.
      confirm: async () => true,
      principal: call.principal.id,
      ...(call.principal.session === undefined ? {} : { session: call.principal.session }),
    }
    return command.run(input, context)
  }
}

/** The same services, whose status tells what the supervisor knows. */
function withSupervision(services: Services, supervisor: Supervisor): Services {
  const status = async () => {
    const found = await services.workspace.status()
    return { ...found, agents: found.agents.map(supervisor.complete) }
  }
  return { ...services, workspace: { ...services.workspace, status } }
}

/** What commands do while the router runs is news for its pages too: their events are read from the file they are kept in. */
function relayEvents({ platform, paths, events, log }: Services): () => void {
  const tail = createLogTail(platform.fs, paths.eventLog, { fromEnd: true })
  let reading: Promise<void> = Promise.resolve()
  const read = async (): Promise<void> => {
    for await (const line of tail.next()) {
      const json = parseJson(line)
      if (!json.ok) continue
      const { pid, type, subject, data, principal } = json.value as PloinkyEvent & { pid: number }
      const asked = principal === undefined ? {} : { principal }
      if (pid !== platform.pid) events.emit({ type, subject, data, ...asked, relayed: true })
    }
  }
  const next = (): void => {
    reading = reading.then(read).catch((error: unknown) => log.warn('events of other processes not read', { error }))
  }
  next()
  const stop = platform.fs.watch(paths.logs, (name) => {
    if (name === null || name.startsWith('events.ndjson')) next()
  })
  return () => {
    stop()
    void reading.then(() => tail.close()).catch(() => {})
  }
}

function asError(error: { code: string; message: string; hint?: string } | undefined): PloinkyError {
  const body = { error: { ...error, details: { suggestion: error?.hint } } }
  return fromErrorBody(body, 'AGENT_FAILED') ?? new PloinkyError('AGENT_FAILED', 'The agent did not start')
}

function demandOptions(services: Services, store: Store, routes: McpRoutes): DemandOptions {
  const { registry, instances, events, log, workspace } = services
  return {
    ...{ registry, store, events, log },
    load: instances.load,
    isRunning(agent) {
      const route = routes.find(agent)
      return route !== null && route !== 'stopped'
    },
    async start(agent) {
      const { agents } = await workspace.exclusive(`start of ${agent} on demand`, () =>
        workspace.startAgents({ agent, progress: () => {} }),
      )
      const failed = agents.find(({ error }) => error !== undefined)
      if (failed !== undefined) throw asError(failed.error)
    },
    async stop(agent) {
      await workspace.exclusive(`stop of ${agent}, which nobody calls`, () => workspace.stopAgents(agent))
      await routes.reload()
    },
  }
}

/** Terminals in the web; what makes them is loaded with the first. What an earlier router left open is ended before. */
function openTerminals(services: Services, sessions: LiveSessions) {
  const { platform, paths, log, runtimes } = services
  let parts: { demand: Demand; routes: McpRoutes } | null = null
  let swept: Promise<unknown> = Promise.resolve()
  const loaded = lazy(async () => {
    if (parts === null) throw new PloinkyError('ROUTER_NOT_RUNNING', 'The router is still starting')
    await swept
    return (await import('./compose-terminals.ts')).loadTerminals(services, parts)
  })
  const { net, upgraded } = cutSockets(platform.net, sessions)
  const gateway = createTerminalGateway({ net, log, manager: async () => (await loaded.get()).manager })
  const terminals: Terminals = {
    // A look at none loads nothing.
    list: async () => (loaded.begun() === null ? [] : (await loaded.get()).terminals.list()),
    open: async (...call) => (await loaded.get()).terminals.open(...call),
    end: async (...call) => (await loaded.get()).terminals.end(...call),
    rename: async (...call) => (await loaded.get()).terminals.rename(...call),
    record: async (...call) => (await loaded.get()).terminals.record(...call),
    share: async (...call) => (await loaded.get()).terminals.share(...call),
    shares: async (...call) => (await loaded.get()).terminals.shares(...call),
    unshare: async (...call) => (await loaded.get()).terminals.unshare(...call),
  }
  return {
    terminals,
    /** For the router, once it is this workspace's only one. */
    start(given: { demand: Demand; routes: McpRoutes }) {
      parts = given
      swept = sweepLeftovers(
        { fs: platform.fs, log, path: paths.openTerminals },
        async ({ runtime, workload, tag }) => {
          await (await runtimes.use(runtime as RuntimeId)).endTerminal(workload, tag)
        },
      ).catch((error: unknown) => log.warn('terminals of an earlier router not looked for', { error }))
      return {
        upgrade: upgraded(gateway.upgrade),
        async close() {
          gateway.close()
          await (await loaded.begun())?.manager.close()
        },
      }
    },
  }
}

/** Our own commands over MCP; what a call changed counts before its answer says so, and is told as one over the API is. */
async function loadOwnServer(
  { services, commands }: Pick<ServeOptions, 'services' | 'commands'>,
  { routes, supervisor }: { routes: { reload(): Promise<void> }; supervisor: Supervisor },
) {
  const { createOwnServer } = await import('./features/mcp/own/server.ts')
  const execute = createExecutor(services)
  return createOwnServer<Services>({
    ...{ commands, version: services.version, log: services.log },
    run(command, input, call) {
      const result = execute(command, input, call)
      const settle = (): Promise<unknown> => Promise.all([routes.reload(), supervisor.look()])
      return answered(services.events, { command, input, principal: call.principal.id }, { result, settle })
    },
  })
}

export async function serveRouter(
  options: ServeOptions,
  onReady: (info: { host: string; port: number }) => void,
  stopped: Promise<void>,
): Promise<void> {
  const { services, store, routes } = options
  const { platform, paths, log, registry, instances } = services
  const target = async (name: string) => {
    const agent = await registry.get(name)
    const [{ adapter, workload }, { definition, manifest }] = await Promise.all([
      instances.running(agent),
      instances.load(agent),
    ])
    return { adapter, container: workload.name, instance: workload.id, codeDir: definition.codeDir, manifest }
  }
  const stampOf = async (name: string): Promise<string> => {
    const { manifest, definition } = await instances.load(await registry.get(name))
    const config = await platform.fs.stat(join(definition.codeDir, 'mcp-config.json'))
    return platform.hash.sha256Hex(JSON.stringify([manifest, config?.mtimeMs ?? null, config?.size ?? null]))
  }
  const stopRelaying = relayEvents(services)
  const followed = [basename(paths.profile), configDocument.name]
  const stopFollowing = platform.fs.watch(paths.dir, (name) => {
    if (name !== null && !followed.includes(name)) return
    options.followSettings().catch((error: unknown) => log.error('settings not reloaded', { error }))
  })
  const supervisor = createSupervisor({
    registry,
    instances,
    runtimes: services.runtimes,
    routes,
    store,
    net: platform.net,
    workspaceId: services.workspaceId,
    readySeconds: services.settings.values.readyTimeout,
    events: services.events,
    log,
    exclusive: services.workspace.exclusive,
    isBusy: async () => (await platform.fs.lstat(paths.changeLock)) !== null,
  })
  const metrics = createMetrics({
    log,
    usage: async (signal) => await services.stats.glance(await registry.list(), signal),
  })
  const live = await services.sessions.follow()
  const terminals = openTerminals(services, live)
  const supervised = { ...withSupervision(services, supervisor), metrics, terminals: terminals.terminals }
  try {
    await runRouter(
      {
        platform,
        paths,
        workspaceId: services.workspaceId,
        settings: services.settings.values,
        store,
        events: services.events,
        log,
        version: services.version,
        http: {
          ...{ createFront, createGuard, createSites, createAgentGuard, writeError },
          loadApp: async () => (await import('./compose-app.ts')).loadApp(services),
        },
        authenticator: options.authenticator,
        sessions: live,
        agentSecret: () => agentSecret(services.secrets, platform.hash),
        commands: options.commands,
        execute: createExecutor(supervised),
        status: shared(() => supervised.workspace.status(), STATUS_FRESH_MS),
        demand: (routes) => createDemand(demandOptions(services, store, routes)),
        mcp: async (routes, { demand, callers }) =>
          createMcpGateway({
            ...{ platform, log, version: services.version, routes, target, store, events: services.events },
            guard: await createToolGuard({ store, events: services.events, log }),
            ...{ demand, stampOf, calls: callers.gate, policy: callers.policy, vouch: callers.vouch },
            tasksDir: (name) => join(paths.tasks, name),
            prefix: services.settings.values.mcpPrefix as 'always' | 'collisions',
            ownServer: () => loadOwnServer({ ...options, services: supervised }, { routes, supervisor }),
          }),
        terminals: terminals.start,
        supervisor,
        metrics,
        watchdog: options.watchdog,
      },
      (router) => onReady(router.info),
      stopped,
    )
  } finally {
    metrics.close()
    await live.close()
    stopRelaying()
    stopFollowing()
  }
}
