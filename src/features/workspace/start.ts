/** The main job: agents and router up together, in the background or in the foreground. */
import type { CommandContext, Input } from '../../cli/command.ts'
import { flagsOf, type SettingFlags } from '../../config/flags.ts'
import type { Services } from '../../services.ts'
import { renderStart } from './render.ts'
import type { StartReport } from './service.ts'

type Context = CommandContext<Services>

/** Arguments that tell the router process what this command was told. */
function routerArgs(flags: SettingFlags): string[] {
  return Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)])
}

async function remember(services: Services, flags: SettingFlags): Promise<void> {
  // A port and a runtime that were chosen once hold for later commands; profile and host are for this start.
  for (const name of ['port', 'runtime'] as const) {
    const value = flags[name]
    if (value !== undefined && services.settings.explain().find((item) => item.name === name)?.source === 'flag')
      await services.settings.set(name, value)
  }
}

export async function startWorkspace(input: Input, context: Context): Promise<StartReport> {
  const flags = flagsOf(input)
  const base = await context.services()
  if (Object.keys(flags).length === 0) return await startWith(base, { input, flags, context })
  const services = await base.withFlags(flags)
  try {
    return await startWith(services, { input, flags, context })
  } finally {
    await services.dispose()
  }
}

interface Request {
  readonly input: Input
  readonly flags: SettingFlags
  readonly context: Context
}

async function startWith(services: Services, request: Request): Promise<StartReport> {
  const { context, input } = request
  const agent = typeof input['agent'] === 'string' ? input['agent'] : null
  await services.workspace.init()
  await remember(services, request.flags)
  if (input['foreground'] === true) return await runForeground(services, agent, context)
  return await services.workspace.exclusive('ploinky start', () => startBackground(services, agent, request))
}

async function startBackground(
  services: Services,
  agent: string | null,
  { context, flags, input }: Request,
): Promise<StartReport> {
  services.workspace.warm()
  await services.router.takeOver()
  await services.workspace.checkPort()
  await leaveOldPort(services, context)
  const progress = (text: string, key: string): void => context.out.progress(text, key)
  // Together: neither waits for the other, and the router serves agents as they become ready.
  let underWay = (): void => {}
  const asked = new Promise<void>((resolve) => (underWay = resolve))
  const { signal } = context
  const confirm = (question: string): Promise<boolean> => context.confirm(question)
  const wait = input['wait'] !== false
  const starting = services.workspace.startAgents({ agent, progress, underWay, signal, confirm, wait })
  // The engine's part takes longest, so it is asked first.
  const opening = Promise.race([asked, starting]).then(() => openRouter(services, flags))
  const [agents, router] = await Promise.allSettled([starting, opening])
  if (agents.status === 'rejected') {
    // Nothing to route for a start that could not begin; a router that ran before stays.
    if (router.status === 'fulfilled' && router.value.started) await services.router.stop()
    throw agents.reason
  }
  if (router.status === 'rejected') throw router.reason
  const { info, login } = router.value
  await services.client.reload()
  await startLater(services, agents.value.later)
  return { ...agents.value, router: info, url: services.client.baseUrl(info), login }
}

/** The router brings up what nobody waits for. */
async function startLater(services: Services, names: readonly string[]): Promise<void> {
  for (const name of names)
    await services.client.post(`/api/v1/agents/${encodeURIComponent(name)}/start`, { wait: false })
}

async function openRouter(services: Services, flags: SettingFlags) {
  const router = await services.router.start(routerArgs(flags))
  return { ...router, login: await services.client.loginUrl('dashboard/') }
}

/** A router on another port than the one that was asked for now is replaced. */
async function leaveOldPort(services: Services, context: Context): Promise<void> {
  const running = await services.router.info()
  const { port, host } = services.settings.values
  const sources = services.settings.explain()
  const moved =
    running !== null &&
    (running.port !== port ||
      (running.host !== host && sources.some(({ name, source }) => name === 'host' && source === 'flag')))
  if (!moved) return
  context.out.progress(`moving the router from port ${running.port} to ${port}`, 'router')
  await services.router.stop(context.signal)
}

async function runForeground(services: Services, agent: string | null, context: Context): Promise<StartReport> {
  let stop = (): void => {}
  const stopped = new Promise<void>((resolve) => (stop = resolve))
  context.signal.addEventListener('abort', () => stop(), { once: true })
  if (context.signal.aborted) stop()
  let report: StartReport = { agents: [], notices: [], router: null, login: null }
  let failure: unknown = null
  const bringUp = async (info: { host: string; port: number }): Promise<void> => {
    const progress = (text: string, key: string): void => context.out.progress(text, key)
    const started = await services.workspace.exclusive('ploinky start --foreground', () =>
      services.workspace.startAgents({
        agent,
        progress,
        signal: context.signal,
        confirm: (question) => context.confirm(question),
      }),
    )
    await startLater(services, started.later)
    report = {
      ...started,
      router: info,
      url: services.client.baseUrl({
        ...info,
        pid: services.platform.pid,
        startTicks: null,
        version: services.version,
        startedAt: '',
        watchdog: null,
      }),
      login: await services.client.loginUrl('dashboard/'),
    }
    if (context.out.json) services.platform.terminal.stdout.write(`${JSON.stringify(report)}\n`)
    else services.platform.terminal.stdout.write(`${renderStart(report, context.out)}\n\nPress Ctrl-C to stop\n`)
  }
  await services.serve((info) => {
    bringUp(info).catch((error: unknown) => {
      failure = error
      stop()
    })
  }, stopped)
  context.out.progress('stopping agents', 'stop')
  // Not with the command's signal: that one is aborted already, and stopping is what it asked for.
  const agents = await services.workspace.exclusive('ploinky stop', () =>
    services.workspace.stopAgents(agent === null ? null : (agent.split(/[/:]/).at(-1) ?? null)),
  )
  if (failure !== null && !context.signal.aborted) throw failure
  return { ...report, agents, stopped: true }
}
