/** What a container engine is to the other adapters: the instances, the images, and who is told of changes. */
import type { JobSpec, PortSpec, RuntimeEvent, Selector, Workload, WorkloadSpec, WorkloadState } from '../adapter.ts'
import { PloinkyError } from '../../src/core/error.ts'
import { joinedNetworks, type JoinedNetwork } from '../supported.ts'
import { LABEL_AGENT, LABEL_SPEC, LABEL_WORKSPACE } from '../../src/core/id.ts'
import type { IncomingMessage, RunningServer, ServerResponse } from '../../src/platform/index.ts'
import { createFakeLog, type FakeLog } from './log.ts'
import type { FakeExecution } from './program.ts'

export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void

export interface FakeInstance {
  readonly id: string
  readonly spec: WorkloadSpec
  readonly hash: string
  readonly imageId: string
  readonly pid: number
  readonly log: FakeLog
  readonly files: Map<string, string>
  /** Files that are no text. */
  readonly binaries: Map<string, Uint8Array>
  readonly handlers: Map<number, HttpHandler>
  readonly ports: PortSpec[]
  servers: RunningServer[]
  /** The main program, then everything started by `exec` and `openTty`. */
  main: FakeExecution | null
  readonly executions: Set<FakeExecution>
  state: WorkloadState
  exitCode: number | null
  startedAt: string | null
  finishedAt: string | null
}

export interface FakeWorld {
  readonly instances: Map<string, FakeInstance>
  /** Names of containers that somebody else made. */
  readonly foreign: Set<string>
  readonly images: Set<string>
  /** Content that a reference stands for, where a test has changed it. */
  readonly imageIds: Map<string, string>
  /** Workspace of each network, by the network's name. */
  readonly networks: Map<string, string>
  /** Running jobs by name. */
  readonly jobs: Map<string, { readonly workspace: string; readonly execution: FakeExecution }>
  /** Names for which work is under way, one after the other. */
  readonly queues: Map<string, Promise<unknown>>
  nextPid: number
  emit(type: RuntimeEvent['type'], instance: FakeInstance): void
  /** Calls back for every event from now on; the result ends it. */
  listen(selector: Selector, listener: (event: RuntimeEvent) => void): () => void
}

export function createFakeWorld(images: readonly string[] = []): FakeWorld {
  const listeners = new Set<(event: RuntimeEvent, workspace: string) => void>()
  return {
    instances: new Map(),
    foreign: new Set(),
    images: new Set(images),
    imageIds: new Map(),
    networks: new Map(),
    jobs: new Map(),
    queues: new Map(),
    nextPid: 1000,
    emit(type, { spec, exitCode }) {
      const at = new Date().toISOString()
      const event: RuntimeEvent = {
        type,
        name: spec.name,
        agent: spec.agent,
        at,
        exitCode: type === 'exited' ? exitCode : null,
      }
      for (const listener of listeners) listener(event, spec.workspace)
    },
    listen(selector, listener) {
      const filtered = (event: RuntimeEvent, workspace: string): void => {
        if (workspace !== selector.workspace) return
        if (selector.agent === undefined || selector.agent === event.agent) listener(event)
      }
      listeners.add(filtered)
      return () => void listeners.delete(filtered)
    },
  }
}

export const imageIdOf = (world: FakeWorld, reference: string): string =>
  world.imageIds.get(reference) ?? `fake:${reference}`

export function createInstance(world: FakeWorld, made: { spec: WorkloadSpec; hash: string; id: string }): FakeInstance {
  return {
    ...made,
    imageId: imageIdOf(world, made.spec.image ?? ''),
    pid: world.nextPid++,
    log: createFakeLog(),
    files: new Map(),
    binaries: new Map(),
    handlers: new Map(),
    ports: [],
    servers: [],
    main: null,
    executions: new Set(),
    state: 'created',
    exitCode: null,
    startedAt: null,
    finishedAt: null,
  }
}

export function toWorkload(instance: FakeInstance): Workload {
  const { spec, hash, state } = instance
  return {
    name: spec.name,
    id: instance.id,
    workspace: spec.workspace,
    agent: spec.agent,
    spec: hash,
    imageId: instance.imageId,
    state,
    exitCode: instance.exitCode,
    oomKilled: false,
    error: null,
    restartCount: null,
    startedAt: instance.startedAt,
    finishedAt: instance.finishedAt,
    labels: { ...spec.labels, [LABEL_WORKSPACE]: spec.workspace, [LABEL_AGENT]: spec.agent, [LABEL_SPEC]: hash },
    ports: state === 'running' ? [...instance.ports] : [],
    pid: state === 'running' ? instance.pid : null,
  }
}

/** Networks go with the last instance that uses them. */
export function removeUnusedNetworks(world: FakeWorld, workspace: string): string[] {
  const used = new Set([...world.instances.values()].flatMap(({ spec }) => joinedNetworks(spec).map(networkOf)))
  const unused = [...world.networks].filter(([name, owner]) => owner === workspace && !used.has(name))
  for (const [name] of unused) world.networks.delete(name)
  return unused.map(([name]) => name)
}
const networkOf = ({ engineName }: JoinedNetwork): string => engineName

/** Makes the networks of a spec. */
export function joinNetworks(world: FakeWorld, spec: JobSpec | WorkloadSpec): void {
  for (const { engineName } of joinedNetworks(spec)) {
    if ((world.networks.get(engineName) ?? spec.workspace) !== spec.workspace) {
      throw new PloinkyError('CONFLICT', `Network "${engineName}" was not made by this workspace`, {
        hint: 'Name another network in the manifest',
        details: { network: engineName },
      })
    }
    world.networks.set(engineName, spec.workspace)
  }
}

/** Ends an instance without a word to anybody but the listeners, as an engine's own command would. */
export async function removeFromWorld(world: FakeWorld, name: string): Promise<void> {
  const instance = world.instances.get(name)
  if (instance === undefined) return
  world.instances.delete(name)
  await endInstance(world, instance, 137)
  world.emit('removed', instance)
}

/** The main program is over: everything else in the instance ends with it. */
export async function endInstance(world: FakeWorld, instance: FakeInstance, exitCode: number): Promise<void> {
  if (instance.state !== 'running') return
  instance.state = 'stopped'
  instance.exitCode = exitCode
  instance.finishedAt = new Date().toISOString()
  for (const execution of instance.executions) execution.signal('SIGKILL')
  instance.main?.signal('SIGKILL')
  instance.handlers.clear()
  const servers = instance.servers
  instance.servers = []
  instance.log.flush()
  instance.log.close()
  world.emit('exited', instance)
  await Promise.all(servers.map((server) => server.close(0)))
}
