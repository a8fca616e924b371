/** Commands on the router: routes, links, token, and the router process itself. */
import { type Command, defineCommand, type Input } from '../../cli/command.ts'
import { asPloinkyError, toErrorBody } from '../../core/error.ts'
import type { Services } from '../../services.ts'
import { flagsOf } from '../../config/flags.ts'

const text = (input: Input, name: string): string => String(input[name] ?? '')

const listRoutes = defineCommand<Services>({
  name: 'list routes',
  summary: 'Addresses of running agents',
  group: 'Router',
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/routes' },
  async run(_input, context) {
    const { agents, router } = await (await context.services()).workspace.status()
    return agents.flatMap(({ name, state, mcpUrl, pageUrl }) => [
      ...(mcpUrl === null ? [] : [{ route: mcpUrl, agent: name, kind: 'mcp', state, page: '' }]),
      ...(pageUrl === null
        ? []
        : [{ route: pageUrl, agent: name, kind: 'http', state, page: siteUrl(name, router?.port ?? null) }]),
    ])
  },
})

/** Where a browser of this machine ends up. */
const siteUrl = (agent: string, port: number | null): string =>
  port === null ? '' : `http://${agent.toLowerCase()}.localhost:${port}/`

const open = defineCommand<Services>({
  name: 'open',
  summary: 'Print a link that signs a browser in, once',
  group: 'Router',
  positionals: ['page'],
  params: {
    page: { type: 'string', summary: 'Page to open: dashboard (default), an agent, or a path', placeholder: 'page' },
  },
  access: 'local',
  permission: 'admin',
  async run(input, context) {
    const services = await context.services()
    const page = text(input, 'page')
    const isAgent = (await services.registry.list()).some(({ name }) => name === page)
    const path = page === '' || page === 'dashboard' ? 'dashboard/' : isAgent ? `services/${page}/` : page
    return { url: await services.client.loginUrl(path) }
  },
  render: (data) => (data as { url: string }).url,
})

const token = defineCommand<Services>({
  name: 'token',
  summary: 'Print the operator token of this workspace',
  group: 'Router',
  access: 'local',
  permission: 'admin',
  async run(_input, context) {
    const services = await context.services()
    await services.workspace.init()
    return { token: await services.token.show() }
  },
  render: (data) => (data as { token: string }).token,
})

const rotate = defineCommand<Services>({
  name: 'token rotate',
  summary: 'Make a new operator token; every session ends',
  group: 'Router',
  access: 'session',
  permission: 'admin',
  http: { method: 'POST', path: '/token/rotate' },
  async run(_input, context) {
    const services = await context.services()
    if (!(await context.confirm('Make a new token? Every browser and client must sign in again.')))
      return { token: null }
    await services.workspace.init()
    const made = await services.token.rotate()
    // A page has no use for it, and whatever reads the page would.
    return context.principal === 'local' ? { token: made } : { rotated: true }
  },
  render: (data) => (data as { token?: string | null }).token ?? 'Nothing was changed',
})

/** The background process of `start`. Errors before it listens go into a file, since nobody reads its output. */
const serve = defineCommand<Services>({
  name: 'router-serve',
  summary: 'Run the router in this process',
  group: 'Router',
  hidden: true,
  params: {
    watchdog: { type: 'integer', summary: 'Process that starts it again', min: 2 },
    restarts: { type: 'integer', summary: 'How often that has happened', min: 0 },
    check: { type: 'boolean', summary: 'Only ask the running router for its health' },
    'error-file': { type: 'string', summary: 'Where to write an error of the start' },
    port: { type: 'port', summary: 'Port' },
    host: { type: 'string', summary: 'Address' },
    runtime: { type: 'string', summary: 'Runtime' },
    profile: { type: 'string', summary: 'Profile' },
  },
  access: 'local',
  permission: 'admin',
  async run(input, context) {
    const base = await context.services()
    if (input['check'] === true) return { healthy: await base.router.isHealthy() }
    const services = await base.withFlags(flagsOf(input))
    const stopped = new Promise<void>((resolve) =>
      context.signal.addEventListener('abort', () => resolve(), { once: true }),
    )
    try {
      const watchdog = typeof input['watchdog'] === 'number' ? input['watchdog'] : null
      await services.serve(() => noteRestart(services, input), stopped, { watchdog })
      return { stopped: true }
    } catch (error) {
      const file = text(input, 'error-file')
      if (file !== '')
        await services.platform.fs.writeAtomic(file, JSON.stringify(toErrorBody(asPloinkyError(error))), {
          mode: 0o600,
        })
      throw error
    } finally {
      await services.dispose()
    }
  },
  render: () => '',
  exitCode: (data) => ((data as { healthy?: boolean }).healthy === false ? 1 : 0),
})

/** It crashed and was started again by its watchdog. */
function noteRestart({ events }: Services, { restarts }: Input): void {
  if (typeof restarts === 'number' && restarts > 0) {
    events.emit({ type: 'router.restarted', subject: 'router', data: { restarts } })
  }
}

export const routerCommands: readonly Command<Services>[] = [listRoutes, open, token, rotate, serve]
