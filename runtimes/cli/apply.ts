/** `apply`: the one way to create a container. Idempotent by a hash of the whole spec that is kept as a label. */
import { PloinkyError } from '../../src/core/error.ts'
import { canonicalJson, LABEL_WORKSPACE } from '../../src/core/id.ts'
import type { RunResult } from '../../src/core/process.ts'
import { revealed } from '../../src/core/secret.ts'
import { delay, until } from '../../src/core/time.ts'
import type { Hashing } from '../../src/platform/index.ts'
import type { ApplyOptions, ApplyOutcome, WorkloadSpec } from '../adapter.ts'
import { joinedNetworks, type JoinedNetwork } from '../supported.ts'
import { isOwned, type Containers } from './containers.ts'
import type { Engine } from './dialect.ts'
import { isLeftBehind, isNetworkMissing } from './failure.ts'
import type { ImageIdOf } from './image-id.ts'
import type { Networks } from './networks.ts'
import { createArgs, runArgs, type RunParts } from './oci.ts'
import { connectArgs } from './oci-networks.ts'
import type { Container } from './parse.ts'

/** Part of the hash: to be raised when the same spec is to give a different container. */
const SPEC_FORMAT = 'ploinky-oci-1'
/** Another process may create, start or remove the same container between our steps; each such turn costs one attempt. */
const MAX_ATTEMPTS = 8
const REMOVAL_MS = 30_000

/** Hash of everything that decides how a container runs, secrets included. */
export function specHash(hash: Hashing, spec: WorkloadSpec): string {
  const env = Object.fromEntries(Object.entries(spec.env).map(([name, value]) => [name, revealed(value)]))
  return hash.sha256Hex(`${SPEC_FORMAT}\n${canonicalJson({ ...spec, env })}`)
}

const nameOf = ({ engineName }: JoinedNetwork): string => engineName

export interface Apply {
  (spec: WorkloadSpec, options?: ApplyOptions): Promise<ApplyOutcome>
}

interface Turn {
  readonly spec: WorkloadSpec
  readonly hash: string
  readonly options: ApplyOptions
  replaced: boolean
  /** Networks of the container that was replaced. */
  left: readonly string[]
}

export interface ApplyParts {
  readonly containers: Containers
  readonly networks: Networks
  readonly imageIdOf: ImageIdOf
}

function assertOurs(container: Container, spec: WorkloadSpec): void {
  const sameWorkspace = container.labels[LABEL_WORKSPACE] === spec.workspace
  if (isOwned(container) && sameWorkspace && container.workload.agent === spec.agent) return
  const owner = isOwned(container)
    ? `belongs to agent "${container.workload.agent}" of another workspace`
    : 'was not made by ploinky'
  throw new PloinkyError('CONFLICT', `Container "${spec.name}" ${owner}`, {
    hint: `Rename or remove that container, then run: ploinky start ${spec.agent}`,
    details: { container: spec.name },
  })
}

export function createApply(engine: Engine, { containers, networks, imageIdOf }: ApplyParts): Apply {
  /** Same name in this process: one after the other. Other processes are met by the attempts below. */
  const queues = new Map<string, Promise<unknown>>()

  /** One call of the engine, or with further networks a few: none can be joined before there is a container. */
  async function runNow({ spec, options }: Turn, parts: RunParts): Promise<RunResult> {
    const [primary, ...further] = joinedNetworks(spec)
    if (primary !== undefined) await networks.ensure(spec.workspace, [primary, ...further].map(nameOf))
    const call = { env: parts.environment.env, signal: options.signal }
    if (further.length === 0) return engine.call(runArgs(engine.dialect, spec, parts), call)
    let result = await engine.call(createArgs(engine.dialect, spec, parts), call)
    for (const network of further) {
      if (result.exitCode === 0) result = await engine.call(connectArgs(network, spec.name), { signal: options.signal })
    }
    return result.exitCode === 0 ? engine.call(['start', '--', spec.name], { signal: options.signal }) : result
  }

  /** Creates and starts. Null: somebody else made the container, or removed its network, at the same moment. */
  async function create(turn: Turn): Promise<ApplyOutcome | null> {
    const { spec, hash, options } = turn
    const environment = await engine.environment(spec.env)
    try {
      const result = await runNow(turn, { hash, environment: environment.plan, envFile: environment.envFile })
      if (result.exitCode !== 0) {
        const error = engine.fail(result, `start "${spec.name}"`)
        if (error.code === 'CONFLICT') return null
        await removeFailed(turn)
        const joined = joinedNetworks(spec).map(nameOf)
        networks.forget(joined)
        if (joined.length > 0 && isNetworkMissing(result.stderr)) return null
        await networks.removeUnused(spec.workspace, joined).catch(() => [])
        throw error
      }
    } finally {
      await environment.dispose()
    }
    const container = await containers.find(spec.name, options)
    if (container === null) return null
    const unused = turn.left.filter((name) => !container.networks.includes(name))
    if (unused.length > 0) await networks.removeUnused(spec.workspace, unused)
    return { workload: container.workload, outcome: turn.replaced ? 'replaced' : 'created' }
  }

  /** A container that never ran is of no use to anybody, and its name would be in the way. */
  async function removeFailed({ spec, hash }: Turn): Promise<void> {
    const left = await containers.owned(spec.name).catch(() => null)
    if (left === null || left.workload.spec !== hash || left.workload.startedAt !== null) return
    await containers.remove(spec.name).catch((error: unknown) => {
      engine.log.warn('a container that failed to start could not be removed', { name: spec.name, error })
    })
  }

  async function revive(turn: Turn, container: Container): Promise<ApplyOutcome | null> {
    const { spec, options } = turn
    const verb = container.workload.state === 'paused' ? 'unpause' : 'start'
    const result = await engine.call([verb, '--', container.id], { signal: options.signal })
    const now = await containers.find(spec.name, options)
    if (result.exitCode === 0 || now?.workload.state === 'running') {
      return now === null ? null : { workload: now.workload, outcome: 'started' }
    }
    const lostNetwork = isNetworkMissing(result.stderr) && spec.network.mode === 'networks'
    // Pruned while it was stopped: the container knows the network by an id that does not come back.
    if (lostNetwork) networks.forget(joinedNetworks(spec).map(nameOf))
    const isOrphan = isLeftBehind(result.stderr)
    // Nothing that the engine offers can end it.
    if (isOrphan) engine.log.warn('the engine lost a container; its program may still run', { container: container.id })
    if (lostNetwork || isOrphan) {
      await replace(turn, container)
      return create(turn)
    }
    const error = engine.fail(result, `${verb} "${spec.name}"`)
    if (error.code === 'WORKLOAD_NOT_FOUND' || now === null) return null
    await removeFailed(turn)
    throw error
  }

  /** Makes room for a changed spec: only when the new image is here, so a typing error costs no running agent. */
  async function replace(turn: Turn, container: Container): Promise<void> {
    const { spec, options } = turn
    if (spec.image !== null) {
      await engine.must(['image', 'inspect', '--format', '{{.Id}}', '--', spec.image], {
        what: `find the image "${spec.image}"`,
        signal: options.signal,
      })
    }
    if (container.workload.state !== 'dead') await containers.stop(spec.name, options)
    await containers.remove(spec.name, options)
    await until(async () => ((await containers.find(spec.name, options))?.id === container.id ? null : true), {
      timeoutMs: REMOVAL_MS,
      what: `removal of "${spec.name}"`,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    turn.replaced = true
    turn.left = container.networks
  }

  /** The image reference stands for the content that the container was made from, as far as it is known. */
  async function isCurrent({ spec, options }: Turn, { workload }: Container): Promise<boolean> {
    if (!options.checkImage || spec.image === null || workload.imageId === null) return true
    const now = await imageIdOf(spec.image, options)
    return now === null || now === workload.imageId
  }

  async function attempt(turn: Turn): Promise<ApplyOutcome | null> {
    const container = await containers.find(turn.spec.name, turn.options)
    if (container === null) return create(turn)
    assertOurs(container, turn.spec)
    const { workload } = container
    if (workload.spec === turn.hash && (await isCurrent(turn, container))) {
      if (workload.state === 'running') return { workload, outcome: 'unchanged' }
      if (workload.state !== 'dead') return revive(turn, container)
    }
    await replace(turn, container)
    return create(turn)
  }

  async function applyNow(spec: WorkloadSpec, options: ApplyOptions): Promise<ApplyOutcome> {
    const turn: Turn = { spec, hash: specHash(engine.platform.hash, spec), options, replaced: false, left: [] }
    for (let tries = 0; tries < MAX_ATTEMPTS; tries++) {
      options.signal?.throwIfAborted()
      const outcome = await attempt(turn)
      if (outcome !== null) return outcome
      // A name can be reserved a moment before its container can be inspected.
      await delay(25 * (tries + 1), options.signal)
    }
    throw new PloinkyError('CONFLICT', `Container "${spec.name}" keeps being changed by another program`, {
      hint: `Wait for it to finish, then run: ploinky start ${spec.agent}`,
    })
  }

  return async (spec, options = {}) => {
    const before = queues.get(spec.name) ?? Promise.resolve()
    const mine = before.then(() => applyNow(spec, options))
    const settled = mine.catch(() => {})
    queues.set(spec.name, settled)
    try {
      return await mine
    } finally {
      if (queues.get(spec.name) === settled) queues.delete(spec.name)
    }
  }
}
