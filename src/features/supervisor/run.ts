/** One run of an instance, from its start to its end: the readiness of its protocol, then the probes of its manifest. */
import type { RouteEntry } from '../../config/documents.ts'
import type { Health } from '../../config/manifest/types.ts'
import type { Readiness } from '../../config/manifest/index.ts'
import type { Network } from '../../platform/index.ts'
import type { RuntimeAdapter } from '../../../runtimes/adapter.ts'
import {
  effectiveProtocol,
  type Endpoint,
  isAnswering,
  isReady,
  problemOfProgram,
  type Supervision,
} from '../agents/index.ts'
import type { Check, ProbeTarget } from './check.ts'
import type { Clock } from './clock.ts'
import { type RunningProbe, startProbe } from './prober.ts'

/** Pauses between looks at a starting instance, ms. */
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1000
const GROWTH = 1.2
/** The same for a program that has to be started for each look. */
const PROGRAM_PAUSE_MS = 5000
const PROGRAM_LONGEST_PAUSE_MS = 60_000

export interface Condition {
  readonly state: 'starting' | 'ready' | 'unready'
  readonly reason: string | null
  /** It runs and does not live: a restart is due. */
  readonly isUnhealthy: boolean
}

export interface Run {
  condition(): Condition
  probes(): Supervision['probes']
  stop(): void
}

export interface RunOptions {
  readonly adapter: RuntimeAdapter
  readonly route: RouteEntry
  readonly readiness: Readiness
  /** argv of a program that speaks MCP on its standard streams. */
  readonly server: readonly string[] | null
  readonly health: Health
  /** Whether somebody saw it ready before: an answer is enough then. */
  readonly isAdopted: boolean
  /** Time to become ready before it counts as unready. */
  readonly readySeconds: number
  readonly net: Network
  readonly check: Check
  readonly clock: Clock
  onChange(): void
}

type Kind = 'startup' | 'liveness' | 'readiness'

const READY: Condition = { state: 'ready', reason: null, isUnhealthy: false }
const starting = (reason: string): Condition => ({ state: 'starting', reason, isUnhealthy: false })
const unready = (reason: string, isUnhealthy = false): Condition => ({ state: 'unready', reason, isUnhealthy })

export function superviseRun(options: RunOptions): Run {
  const { health, clock, onChange } = options
  const target = targetOf(options)
  const probes = new Map<Kind, RunningProbe>()
  const basic = waitBasic(options, target, () => {
    start()
    onChange()
  })

  function begin(kind: Kind, onTurn: () => void): void {
    const probe = health[kind]
    if (probe === null) return
    probes.set(kind, startProbe({ probe, target, check: options.check, clock, onTurn }))
  }

  /** A slow start is the startup probe's business: the others begin when it has passed. */
  function start(): void {
    if (health.startup === null) return beginOthers()
    begin('startup', () => {
      if (probes.get('startup')?.result === 'passing') {
        probes.get('startup')?.stop()
        beginOthers()
      }
      onChange()
    })
  }

  function beginOthers(): void {
    begin('liveness', onChange)
    begin('readiness', onChange)
  }

  const failing = (kind: Kind): string | null => {
    const probe = probes.get(kind)
    return probe?.result === 'failing' ? `${kind} probe: ${probe.reason ?? 'failed'}` : null
  }

  return {
    condition() {
      const dead = failing('liveness') ?? failing('startup')
      if (dead !== null) return unready(dead, true)
      if (!basic.isReady())
        return basic.isLate()
          ? unready(basic.problem() ?? `not ready within ${options.readySeconds} s`)
          : starting('it does not answer yet')
      if (health.startup !== null && probes.get('startup')?.result !== 'passing') return starting('startup probe')
      const notReady = failing('readiness')
      if (notReady !== null) return unready(notReady)
      return health.readiness !== null && probes.get('readiness')?.result !== 'passing'
        ? starting('readiness probe')
        : READY
    },
    probes() {
      const result = (kind: Kind) => (health[kind] === null ? null : (probes.get(kind)?.result ?? 'waiting'))
      return { startup: result('startup'), liveness: result('liveness'), readiness: result('readiness') }
    },
    stop() {
      basic.stop()
      for (const probe of probes.values()) probe.stop()
    },
  }
}

function targetOf({ adapter, route }: RunOptions): ProbeTarget {
  const known = new Map<number, Endpoint>()
  return {
    adapter,
    container: route.container,
    mcpPath: route.mcpPath,
    async endpoint(port) {
      if (port === null || port === route.containerPort)
        return route.hostPort === 0 ? null : { host: route.hostIp, port: route.hostPort }
      const found = known.get(port) ?? (await adapter.endpoint(route.container, port))
      // A place holds for a run.
      if (found !== null) known.set(port, found)
      return found
    },
  }
}

/** Waits until the instance speaks its protocol, however long that takes. */
function waitBasic(options: RunOptions, target: ProbeTarget, onReady: () => void) {
  const { route, readiness, clock } = options
  const ended = new AbortController()
  const protocol = effectiveProtocol(readiness.protocol, route.mcp)
  const begin = clock.now()
  let pause = protocol === 'stdio' ? PROGRAM_PAUSE_MS : FIRST_PAUSE_MS
  let ready = false
  let late = false
  let problem: string | null = null
  let cancel = (): void => {}

  async function answers(): Promise<boolean> {
    if (protocol === 'none') return true
    if (protocol === 'stdio') return options.isAdopted || (await speaks())
    const endpoint = (await target.endpoint(readiness.port).catch(() => null)) ?? { host: route.hostIp, port: 0 }
    if (endpoint.port === 0) return false
    const ask = options.isAdopted ? isAnswering : isReady
    const place = { endpoint, path: readiness.path, mcpPath: route.mcpPath }
    return await ask({ net: options.net, protocol, ...place, signal: ended.signal })
  }

  /** Each look starts the program: one that ended is not asked again at once. */
  async function speaks(): Promise<boolean> {
    if (options.server === null) return true
    const where = { adapter: options.adapter, container: route.container, argv: options.server }
    const timeoutMs = options.readySeconds * 1000
    problem = await problemOfProgram({ ...where, timeoutMs, signal: ended.signal })
    if (problem === null) return true
    late = true
    return false
  }

  async function look(): Promise<void> {
    const wasLate = late
    const found = await answers().catch(() => false)
    if (ended.signal.aborted) return
    if (found) {
      ready = true
      onReady()
      return
    }
    late ||= clock.now() - begin > options.readySeconds * 1000
    if (late && !wasLate) {
      options.onChange()
      if (ended.signal.aborted) return
    }
    cancel = clock.after(pause, () => void look())
    pause =
      protocol === 'stdio' ? Math.min(pause * 2, PROGRAM_LONGEST_PAUSE_MS) : Math.min(pause * GROWTH, LONGEST_PAUSE_MS)
  }

  void look()
  return {
    isReady: () => ready,
    isLate: () => late,
    problem: () => problem,
    stop(): void {
      cancel()
      ended.abort()
    },
  }
}
