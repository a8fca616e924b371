/**
 * The care for one agent: told what is, it decides what to do next. It looks at levels, not at edges: whatever was missed
 * is found at the next look, and being told the same twice changes nothing.
 *
 * - A paused container was paused by a person: it is shown, its requests are refused, and it is left alone.
 * - A container of a foreign maker under the agent's name is a conflict: shown, never touched.
 * - What a person stopped (`wanted: false`) is not started again; what a person starts begins with a clean record.
 */
import type { RouteEntry } from '../../config/documents.ts'
import type { RestartPolicy } from '../../config/manifest/types.ts'
import { asPloinkyError, type ErrorCode } from '../../core/error.ts'
import { describeEnd } from '../../core/last-exit.ts'
import type { RuntimeAdapter, Workload } from '../../../runtimes/adapter.ts'
import type { AgentState } from '../agents/index.ts'
import { lastExitOf, ranFor } from './last-exit.ts'
import { createLedger } from './ledger.ts'
import { afterEnd, afterUnhealthy, type End } from './policy.ts'
import { refusalOf } from './refusal.ts'
import { type Run, superviseRun } from './run.ts'
import type { Care, CareOptions, ChangeKind, Seen } from './types.ts'

/** A start that is under way writes the route at its end; only what stays without one is adopted. */
const ADOPT_AFTER_MS = 2000
/** Until an engine that went away is asked again, ms. */
const ENGINE_RETRY_MS = 5000
const RETRY_AFTER_SECONDS = 5

interface Current {
  readonly key: string
  readonly isOurs: boolean
  readonly startedAt: number
  readyAt: number | null
  probes: Run | null
}

interface Next {
  readonly kind: ChangeKind
  readonly at: number
  cancel(): void
}

/** Names one run: a container that is started again has another one. */
export const runKey = ({ id, startedAt }: Workload): string => `${id} ${startedAt ?? ''}`

export function createCare(options: CareOptions): Care {
  const { name, clock, events } = options
  const ledger = createLedger(options.remembered, options.remember)
  let state: AgentState | null = null
  let reason: string | null = null
  let code: ErrorCode = 'AGENT_NOT_READY'
  let current: Current | null = null
  let next: Next | null = null
  /** Of the run that we started: counts when it is ready. */
  let pendingRoute: RouteEntry | null = null

  const emit = (type: string, data: Record<string, unknown>): void => void events.emit({ type, subject: name, data })

  function turn(to: AgentState, why: string | null, data: Record<string, unknown> = {}): void {
    const before = state
    const isNews = before !== to || (to !== 'ready' && why !== reason)
    state = to
    reason = why
    if (!isNews || to === 'starting' || to === 'stopped' || (to === 'ready' && (before === null || before === to)))
      return
    // An agent that a person starts is announced by that start.
    if (to === 'ready' && before === 'starting' && current?.isOurs !== true) return
    emit(`agent.${to}`, { ...(why === null ? {} : { reason: why, message: why }), ...data })
  }

  function callOff(): void {
    next?.cancel()
    next = null
  }

  function plan(kind: ChangeKind, afterMs: number): void {
    callOff()
    next = { kind, at: clock.now() + afterMs, cancel: clock.after(afterMs, () => options.request(kind)) }
  }

  function leaveRun(): void {
    current?.probes?.stop()
    current = null
  }

  /** Nobody wants it to run: there is nothing to care for, and nothing to hold against it. */
  function rest(): void {
    leaveRun()
    callOff()
    pendingRoute = null
    state = null
    reason = null
    ledger.clear()
  }

  async function up({ workload, adapter }: Seen & { workload: Workload }): Promise<void> {
    const key = runKey(workload)
    if (current?.key === key && current.probes !== null) return settle()
    const wasKnown = current?.key === key
    leaveRun()
    const isOurs = key === ledger.launched
    const startedAt = workload.startedAt === null ? clock.now() : Date.parse(workload.startedAt)
    current = { key, isOurs, startedAt, readyAt: null, probes: null }
    if (!isOurs) ledger.pardon()
    const route = isOurs && pendingRoute !== null ? pendingRoute : await options.routeOf()
    if (route === undefined) {
      if (!wasKnown || next === null) plan('adopt', ADOPT_AFTER_MS)
      return turn('starting', 'nothing leads to it yet')
    }
    callOff()
    await watch(adapter, await whereNow(adapter, workload, route))
  }

  /** A container that was started again by hand may have been given another port. */
  async function whereNow(adapter: RuntimeAdapter, workload: Workload, route: RouteEntry): Promise<RouteEntry> {
    if (route.containerPort === 0) return route
    const port = workload.ports.find(
      ({ container, protocol }) => container === route.containerPort && protocol === 'tcp',
    )
    if (port === undefined || port.host === route.hostPort) return route
    const endpoint = await adapter.endpoint(workload.name, route.containerPort)
    if (endpoint === null || endpoint.port === route.hostPort) return route
    const moved = { ...route, hostIp: endpoint.host, hostPort: endpoint.port }
    if (pendingRoute === null) await options.publish(moved)
    return moved
  }

  async function watch(adapter: RuntimeAdapter, route: RouteEntry): Promise<void> {
    const run = current
    const manifest = await options.load()
    if (run === null || current !== run) return
    const { readiness } = manifest
    run.probes = superviseRun({
      adapter,
      route,
      readiness,
      server: manifest.mcp.transport === 'stdio' ? manifest.mcp.argv : null,
      health: manifest.health,
      isAdopted: pendingRoute === null,
      readySeconds: readiness.timeoutSeconds ?? options.readySeconds,
      net: options.net,
      check: options.check,
      clock,
      onChange: () => current === run && settle(),
    })
    settle()
  }

  /** State from the condition of the run. */
  function settle(): void {
    const run = current
    if (run === null || run.probes === null) return
    const condition = run.probes.condition()
    if (condition.isUnhealthy && next === null) {
      const { afterMs, history: changed } = afterUnhealthy(ledger.history, clock.now() - run.startedAt)
      ledger.history = changed
      plan('recycle', afterMs)
      ledger.keep()
    }
    // It recovered before its restart was due.
    if (!condition.isUnhealthy && next?.kind === 'recycle') callOff()
    code = 'AGENT_NOT_READY'
    if (condition.state !== 'ready') return turn(condition.state, condition.reason, { nextRestartAt: nextAt() })
    run.readyAt ??= clock.now()
    const route = pendingRoute
    if (route === null) return turn('ready', null)
    options.publish(route).then(
      () => {
        if (current !== run) return
        pendingRoute = null
        settle()
      },
      () => void clock.after(ENGINE_RETRY_MS, settle),
    )
  }

  /** The end of this run was counted before; a run of which nobody knows ended with its container. */
  const isCounted = (key: string | null): boolean =>
    current === null && (key === null ? ledger.ended !== null : key === ledger.ended)

  /** Whatever follows from the end is under way, or nothing does. */
  const isSettled = (): boolean => next !== null || state === 'failed' || state === 'stopped'

  async function down({ workload, adapter }: Seen): Promise<void> {
    const key = workload?.startedAt ? runKey(workload) : null
    const isOld = isCounted(key)
    if (isOld && isSettled()) return
    if (isOld && ledger.failed !== null) return turn('failed', ledger.failed)
    const [manifest, route] = await Promise.all([options.load(), options.routeOf()])
    const { restart } = manifest
    if (isOld) return replan(restart)
    const wasReady = current?.isOurs === true ? current.readyAt !== null : route !== undefined
    const end = await note({ workload, adapter, startedAt: current?.startedAt ?? null, wasReady })
    ledger.ended = key ?? current?.key ?? 'gone'
    leaveRun()
    if (await options.isDisturbed()) return replan(restart)
    count(restart, end)
  }

  async function note(ended: Pick<Seen, 'workload' | 'adapter'> & { startedAt: number | null; wasReady: boolean }) {
    const { workload, startedAt, wasReady } = ended
    const lastExit = await lastExitOf({ ...ended, now: clock.now() })
    ledger.lastExit = lastExit
    const isGone = workload === null || workload.state === 'created'
    const ranMs = ranFor(workload, startedAt, clock.now())
    return { exitCode: lastExit.exitCode, oomKilled: lastExit.oomKilled, isGone, wasReady, ranMs }
  }

  /** Looked at again after the shortest pause, without a word: a router ended in mid-pause, or a person is at work. */
  function replan({ backoffSeconds }: RestartPolicy): void {
    plan('restart', backoffSeconds * 1000)
    pendingRoute = null
    code = 'AGENT_FAILED'
    state = 'failed'
    reason = ledger.lastExit === null ? 'it does not run' : describeEnd(ledger.lastExit)
    ledger.keep()
  }

  function count(
    policy: RestartPolicy,
    end: End,
    why = ledger.lastExit === null ? 'it ended' : describeEnd(ledger.lastExit),
  ): void {
    const verdict = afterEnd(policy, { history: ledger.history, end, now: clock.now() })
    pendingRoute = null
    code = 'AGENT_FAILED'
    switch (verdict.kind) {
      case 'ended':
        callOff()
        code = 'AGENT_NOT_RUNNING'
        turn('stopped', `${why}; it is not started again`)
        break
      case 'give-up':
        fail(`${why}; not started again: ${verdict.reason}`)
        break
      case 'restart':
        ledger.history = verdict.history
        plan('restart', verdict.afterMs)
        turn('failed', why, { ...diagnostics(), nextRestartAt: nextAt() })
        emit('agent.restarting', { inMs: verdict.afterMs, reason: why })
    }
    ledger.keep()
  }

  const diagnostics = () => {
    if (ledger.lastExit === null) return {}
    const { exitCode, signal, oomKilled, lines } = ledger.lastExit
    return { exitCode, signal, oomKilled, lastLines: lines }
  }
  const nextAt = (): string | null => (next === null || next.kind === 'adopt' ? null : new Date(next.at).toISOString())

  /** Until a person starts it. */
  function fail(why: string): void {
    callOff()
    ledger.failed = why
    turn('failed', why, { code: 'AGENT_FAILED', ...diagnostics(), nextRestartAt: null })
  }

  return {
    async sync(seen) {
      const { agent, workload } = seen
      if (agent === null || !agent.wanted) return rest()
      switch (workload?.state) {
        case 'running':
          return await up({ ...seen, workload })
        case 'paused':
          leaveRun()
          callOff()
          code = 'AGENT_NOT_READY'
          return turn('paused', 'its container is paused')
        default:
          return await down(seen)
      }
    },
    lose(why) {
      leaveRun()
      if (state !== null || next !== null) turn('lost', why)
    },
    launched({ workload, outcome, route }) {
      callOff()
      if (outcome !== 'unchanged') {
        ledger.restarts += 1
        emit('agent.restarted', { outcome, restarts: ledger.restarts })
      }
      ledger.launched = runKey(workload)
      pendingRoute = route
      // What was known of this run did not know where it is.
      leaveRun()
      ledger.keep()
    },
    launchFailed(error) {
      const failure = asPloinkyError(error)
      callOff()
      if (failure.code === 'CONFLICT') {
        fail(failure.message)
        return ledger.keep()
      }
      if (failure.code === 'RUNTIME_UNAVAILABLE' || failure.code === 'INTERRUPTED' || failure.code === 'LOCKED') {
        plan('restart', ENGINE_RETRY_MS)
        return turn(failure.code === 'RUNTIME_UNAVAILABLE' ? 'lost' : 'failed', failure.message)
      }
      const end = { exitCode: null, oomKilled: false, isGone: false, wasReady: false, ranMs: 0 }
      options.load().then(
        (manifest) => count(manifest.restart, end, failure.message),
        // Its manifest cannot be read: a person has to change something.
        () => fail(failure.message),
      )
    },
    needs(kind, workload) {
      if (kind === 'restart') return workload === null || !['running', 'paused'].includes(workload.state)
      if (workload?.state !== 'running') return false
      if (kind === 'adopt') return true
      return current?.key === runKey(workload) && current.probes?.condition().isUnhealthy === true
    },
    view() {
      if (state === null) return null
      const probes = current?.probes?.probes() ?? { startup: null, liveness: null, readiness: null }
      return {
        state,
        supervision: { reason, restarts: ledger.restarts, nextRestartAt: nextAt(), lastExit: ledger.lastExit, probes },
      }
    },
    refusal() {
      if (state === null || state === 'ready' || state === 'lost') return null
      // Somebody else started it: its route counts when that start says so. Of ours, the old one leads nowhere.
      const isUnrouted = current?.isOurs === true && (current.readyAt === null || pendingRoute !== null)
      if (state === 'starting' && !isUnrouted) return null
      const left = next === null ? RETRY_AFTER_SECONDS : Math.ceil((next.at - clock.now()) / 1000) + 1
      return refusalOf({ name, state, reason, code, retryAfterSeconds: Math.max(1, left) })
    },
    close() {
      leaveRun()
      callOff()
    },
  }
}
