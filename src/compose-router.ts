/** The part of the composition that only the router process needs. */
import { basename } from 'node:path'
import { configDocument } from './config/documents.ts'
import type { Command, CommandContext, Input } from './cli/command.ts'
import { parseJson } from './core/json.ts'
import type { Principal } from './core/principal.ts'
import type { Store } from './core/store.ts'
import type { RoutesWriter } from './features/agents/index.ts'
import type { Authenticator } from './features/auth/index.ts'
import { createExecMcp } from './features/mcp/index.ts'
import { createWatcher, runRouter } from './features/router/index.ts'
import { writeError } from './http/error-response.ts'
import { createFront } from './http/front.ts'
import { createGuard } from './http/guard.ts'
import type { Services } from './services.ts'

export interface ServeOptions {
  services: Services
  commands: readonly Command<Services>[]
  store: Store
  routes: RoutesWriter
  authenticator(): Promise<Authenticator>
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
  return (command: Command<Services>, input: Input, call: { principal: Principal; signal: AbortSignal }) => {
    const context: CommandContext<Services> = {
      services: async () => services,
      log: services.log,
      signal: call.signal,
      out: { progress: () => {}, color: false, columns: 80, json: true },
      // Over HTTP the caller decided before calling; pages ask first.
      confirm: async () => true,
      principal: call.principal.id,
    }
    return command.run(input, context)
  }
}

/** What commands do while the router runs is news for its pages too: their events are read from the file they are kept in. */
function relayEvents({ platform, paths, events, log }: Services): () => void {
  let offset: number | null = null
  let reading: Promise<void> = Promise.resolve()
  const read = async (): Promise<void> => {
    const size = (await platform.fs.stat(paths.eventLog))?.size ?? 0
    const start = Math.min(offset ?? size, size)
    if (size > start) {
      let text = ''
      const decoder = new TextDecoder()
      for await (const chunk of platform.fs.readStream(paths.eventLog, { start, end: size - 1 }))
        text += decoder.decode(chunk, { stream: true })
      for (const line of text.split('\n')) {
        const json = parseJson(line)
        if (!json.ok) continue
        const { type, subject, data, pid } = json.value as {
          type: string
          subject: string
          data: Record<string, unknown>
          pid: number
        }
        if (pid !== platform.pid) events.emit({ type, subject, data, relayed: true })
      }
    }
    offset = size
  }
  const next = (): void => {
    reading = reading.then(read).catch((error: unknown) => log.warn('events of other processes not read', { error }))
  }
  next()
  return platform.fs.watch(paths.logs, (name) => {
    if (name === null || name === 'events.ndjson') next()
  })
}

export async function serveRouter(
  options: ServeOptions,
  onReady: (info: { host: string; port: number }) => void,
  stopped: Promise<void>,
): Promise<void> {
  const { services, store, routes } = options
  const { platform, paths, log, registry, instances } = services
  const execMcp = createExecMcp({
    fs: platform.fs,
    log,
    version: services.version,
    target: async (name) => {
      const agent = await registry.get(name)
      const [{ adapter, workload }, { definition }] = await Promise.all([
        instances.running(agent),
        instances.load(agent),
      ])
      return { adapter, container: workload.name, codeDir: definition.codeDir }
    },
  })
  const stopRelaying = relayEvents(services)
  const followed = [basename(paths.profile), configDocument.name]
  const stopFollowing = platform.fs.watch(paths.dir, (name) => {
    if (name !== null && !followed.includes(name)) return
    options.followSettings().catch((error: unknown) => log.error('settings not reloaded', { error }))
  })
  const watch = createWatcher({
    runtimes: services.runtimes,
    registry,
    routes,
    workspaceId: services.workspaceId,
    events: services.events,
    log,
  })
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
          loadApp: async () => (await import('./compose-app.ts')).loadApp(services),
          createFront,
          createGuard,
          writeError,
        },
        authenticator: options.authenticator,
        commands: options.commands,
        execute: createExecutor(services),
        status: shared(() => services.workspace.status(), STATUS_FRESH_MS),
        execMcp: execMcp.handle,
        watch,
      },
      (router) => onReady(router.info),
      stopped,
    )
  } finally {
    stopRelaying()
    stopFollowing()
    await execMcp.close()
  }
}
