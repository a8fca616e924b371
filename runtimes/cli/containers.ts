/** Reading, stopping and removing containers that carry our label. Others do not exist for us. */
import { LABEL_AGENT, LABEL_WORKSPACE } from '../../src/core/id.ts'
import { PloinkyError } from '../../src/core/error.ts'
import type { CallOptions, Selector, Workload } from '../adapter.ts'
import type { EngineApi } from './api.ts'
import type { Engine } from './dialect.ts'
import { inspectArgs, listArgs } from './oci.ts'
import { isJob, parseContainer, parseContainers, parseIds, parseListed, type Container } from './parse.ts'

/** Added to a grace period before a `stop` call counts as hung. */
const STOP_SLACK_MS = 60_000

export interface Containers {
  /** Any container of that name, ours or not; null when missing. */
  find(name: string, options?: CallOptions): Promise<Container | null>
  /** Only ours; null when missing or foreign. */
  owned(name: string, options?: CallOptions): Promise<Container | null>
  /** Ours and running; throws WORKLOAD_NOT_FOUND or AGENT_NOT_RUNNING otherwise. */
  running(name: string, options?: CallOptions): Promise<Container>
  /** Workloads, without jobs. */
  list(selector: Selector, options?: CallOptions): Promise<readonly Workload[]>
  jobs(workspace: string, options?: CallOptions): Promise<readonly Container[]>
  stop(name: string, options?: CallOptions & { graceSeconds?: number }): Promise<boolean>
  remove(name: string, options?: CallOptions): Promise<boolean>
  /** The very one that was found before. */
  removeFound(container: Container, options?: CallOptions): Promise<boolean>
  endpoint(name: string, port: number, options?: CallOptions): Promise<{ host: string; port: number } | null>
}

export const isOwned = (container: Container): boolean => container.labels[LABEL_WORKSPACE] !== undefined

export function notFound(name: string): PloinkyError {
  return new PloinkyError('WORKLOAD_NOT_FOUND', `No container "${name}"`, {
    hint: 'Start the agent: ploinky start',
    details: { container: name },
  })
}

/** An address that this host can dial for an address that a port was published on. */
function dialable(hostIp: string): string {
  if (hostIp === '' || hostIp === '0.0.0.0') return '127.0.0.1'
  return hostIp === '::' ? '::1' : hostIp
}

const labelsOf = ({ workspace, agent }: Selector): string[] => [
  `${LABEL_WORKSPACE}=${workspace}`,
  ...(agent === undefined ? [] : [`${LABEL_AGENT}=${agent}`]),
]

export function createContainers(engine: Engine, api: () => EngineApi | null): Containers {
  const isMissing = (stderr: string): boolean => engine.codeOf(stderr) === 'WORKLOAD_NOT_FOUND'

  async function inspectByApi(name: string, options: CallOptions): Promise<Container | null | undefined> {
    const socket = api()
    if (socket === null) return undefined
    const path = `/containers/${encodeURIComponent(name)}/json`
    const answer = await socket.call('GET', path, { signal: options.signal }).catch((error: unknown) => {
      options.signal?.throwIfAborted()
      // The CLI can still answer where the socket cannot; it also explains better why not.
      engine.log.debug('engine API failed, using the CLI', { error: String(error) })
      return null
    })
    if (answer?.status === 404) return null
    if (answer?.status !== 200) return undefined
    return parseContainer(answer.body, { runtime: engine.dialect.id, command: `GET ${path}` })
  }

  async function find(name: string, options: CallOptions = {}): Promise<Container | null> {
    const quick = await inspectByApi(name, options)
    // An id or an id's prefix matches as well; only the exact name is meant.
    if (quick !== undefined) return quick?.name === name ? quick : null
    const args = inspectArgs([name])
    const result = await engine.call(args, { signal: options.signal })
    if (result.exitCode !== 0) {
      if (isMissing(result.stderr)) return null
      throw engine.fail(result, `inspect "${name}"`)
    }
    return parseContainers(result.stdout, engine.source(args)).find((item) => item.name === name) ?? null
  }

  async function owned(name: string, options: CallOptions = {}): Promise<Container | null> {
    const container = await find(name, options)
    return container !== null && isOwned(container) ? container : null
  }

  async function running(name: string, options: CallOptions = {}): Promise<Container> {
    const container = await owned(name, options)
    if (container === null) throw notFound(name)
    if (container.workload.state === 'running') return container
    throw new PloinkyError('AGENT_NOT_RUNNING', `Container "${name}" is ${container.workload.state}`, {
      hint: `Start the agent: ploinky start ${container.workload.agent}`,
      details: { container: name, state: container.workload.state },
    })
  }

  /** Undefined when the API cannot tell. Details are asked for one by one: at a millisecond each, without a process. */
  async function listByApi(selector: Selector, options: CallOptions): Promise<readonly Container[] | undefined> {
    const socket = api()
    if (socket === null) return undefined
    const filters = encodeURIComponent(JSON.stringify({ label: labelsOf(selector) }))
    const path = `/containers/json?all=1&filters=${filters}`
    const answer = await socket.call('GET', path, { signal: options.signal }).catch(() => {
      options.signal?.throwIfAborted()
      return null
    })
    if (answer?.status !== 200) return undefined
    const ids = parseListed(answer.body, { runtime: engine.dialect.id, command: `GET ${path}` })
    const found = await Promise.all(ids.map((id) => inspectByApi(id, options)))
    return found.includes(undefined) ? undefined : found.filter((container) => container != null)
  }

  async function listByCli(selector: Selector, options: CallOptions): Promise<readonly Container[]> {
    const args = listArgs(selector)
    const listed = await engine.must(args, { what: 'list containers', signal: options.signal })
    const ids = parseIds(listed.stdout, engine.source(args))
    if (ids.length === 0) return []
    const inspect = inspectArgs(ids)
    const result = await engine.call(inspect, { signal: options.signal })
    // Some may be gone since the list was made: those are left out, any other failure is told.
    if (result.exitCode !== 0 && !isMissing(result.stderr)) throw engine.fail(result, 'inspect containers')
    return parseContainers(result.stdout, engine.source(inspect))
  }

  async function all(selector: Selector, options: CallOptions): Promise<readonly Container[]> {
    const found = (await listByApi(selector, options)) ?? (await listByCli(selector, options))
    return found.filter(({ workload }) => workload.workspace === selector.workspace)
  }

  async function list(selector: Selector, options: CallOptions = {}): Promise<readonly Workload[]> {
    const found = await all(selector, options)
    return found
      .filter(({ labels }) => !isJob(labels))
      .map((container) => container.workload)
      .filter((workload) => selector.agent === undefined || workload.agent === selector.agent)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async function jobs(workspace: string, options: CallOptions = {}): Promise<readonly Container[]> {
    return (await all({ workspace }, options)).filter(({ labels }) => isJob(labels))
  }

  return { find, owned, running, list, jobs, ...createChanges(engine, owned, isMissing) }
}

type Owned = (name: string, options?: CallOptions) => Promise<Container | null>

function createChanges(
  engine: Engine,
  owned: Owned,
  isMissing: (stderr: string) => boolean,
): Pick<Containers, 'stop' | 'remove' | 'removeFound' | 'endpoint'> {
  async function stop(name: string, options: CallOptions & { graceSeconds?: number } = {}): Promise<boolean> {
    const container = await owned(name, options)
    const state = container?.workload.state
    if (container === null || (state !== 'running' && state !== 'paused')) return false
    if (state === 'paused') {
      // A paused program cannot act on SIGTERM, and podman refuses to stop it.
      await engine.call(['unpause', '--', container.id], { signal: options.signal })
    }
    const grace = options.graceSeconds
    const result = await engine.call(
      ['stop', ...(grace === undefined ? [] : ['-t', String(Math.max(0, Math.ceil(grace)))]), '--', container.id],
      { signal: options.signal, timeoutMs: (grace ?? 600) * 1000 + STOP_SLACK_MS },
    )
    if (result.exitCode !== 0 && !isMissing(result.stderr)) throw engine.fail(result, `stop "${name}"`)
    return true
  }

  async function remove(name: string, options: CallOptions = {}): Promise<boolean> {
    const container = await owned(name, options)
    return container === null ? false : removeFound(container, options)
  }

  async function removeFound(container: Container, options: CallOptions = {}): Promise<boolean> {
    // By id: a new container of the same name is not meant. Anonymous volumes of the image go with it.
    const result = await engine.call(
      ['rm', '--force', '--volumes', ...engine.dialect.removeFlags, '--', container.id],
      { signal: options.signal },
    )
    if (result.exitCode === 0 || isMissing(result.stderr)) return true
    if (/removal of container \S+ is already in progress/i.test(result.stderr)) return true
    throw engine.fail(result, `remove "${container.name}"`)
  }

  async function endpoint(name: string, port: number, options: CallOptions = {}) {
    const container = await owned(name, options)
    if (container?.workload.state !== 'running') return null
    const published = container.workload.ports.find((item) => item.container === port && item.protocol === 'tcp')
    return published === undefined ? null : { host: dialable(published.hostIp), port: published.host }
  }

  return { stop, remove, removeFound, endpoint }
}
