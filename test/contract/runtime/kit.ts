/** What one contract test works with: a workspace of its own, cleaned up whatever happens. */
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import type {
  Detection,
  ExecOptions,
  LogLine,
  LogOptions,
  RuntimeAdapter,
  RuntimeCapabilities,
  RuntimeDefinition,
  Workload,
  WorkloadSpec,
} from '../../../runtimes/adapter.ts'
import { isPloinkyError, type ErrorCode, type PloinkyError } from '../../../src/core/error.ts'
import { workloadName } from '../../../src/core/id.ts'
import { silentLogger } from '../../../src/core/log.ts'
import { until } from '../../../src/core/time.ts'
import type { Platform } from '../../../src/platform/index.ts'
import type { TestEngine } from '../../helpers/runtime-engines.ts'
import { programs } from '../../helpers/runtime-programs.ts'

/** A test that this engine cannot pass, and why. `fail` runs it and expects the failure; `skip` does not run it. */
export interface ContractGap {
  readonly test: string
  readonly reason: string
  readonly expect: 'skip' | 'fail'
}

export interface Foreign extends AsyncDisposable {
  isUntouched(): Promise<boolean>
}

/** An engine whose connection the test holds in its hand. */
export interface Outage extends AsyncDisposable {
  readonly adapter: RuntimeAdapter
  /** From now on calls reach the engine but get no answer, where that can be arranged. */
  stall(): void
  /** Ends the connections of all running calls and refuses new ones. */
  cut(): Promise<void>
}

export interface ContractTarget {
  readonly engine: TestEngine
  readonly definition: RuntimeDefinition
  readonly detection: Detection & { available: true }
  readonly platform: Platform
  readonly gaps: readonly ContractGap[]
  /** Null on runtimes without images. */
  readonly images: { readonly small: string; readonly node: string } | null
  /** An image that is nowhere; pulling it fails at once. */
  readonly missingImage: string
  /** State lives in the adapter's folder: each test gets its own adapter. Otherwise one serves the whole file. */
  readonly adapterPerTest: boolean
  removeBehindBack(workload: Workload): Promise<void>
  createForeign(name: string): Promise<Foreign>
  /** What the engine itself says. */
  networksOf(workspace: string): Promise<string[]>
  createForeignNetwork(name: string): Promise<Foreign>
  /** With whatever stands in its way. */
  removeNetworkBehindBack(name: string): Promise<void>
  /** Lets `reference` stand for the content of another image; a later call may change it. */
  tag(image: string, reference: string): Promise<void>
  untag(reference: string): Promise<void>
  outage(context: { platform: Platform; stateDir: string }): Promise<Outage>
}

export type SpecOverrides = Partial<WorkloadSpec>

export interface ExecResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Deadline of everything that is waited for; generous because machines are shared. */
export const DEADLINE_MS = 60_000

export interface Scope {
  readonly target: ContractTarget
  readonly adapter: RuntimeAdapter
  readonly capabilities: RuntimeCapabilities
  readonly workspace: string
  /** Private folder on the host. */
  readonly folder: string
  newWorkspace(): string
  /** Another adapter on the same state, as another process of ours would have. */
  otherAdapter(): Promise<RuntimeAdapter>
  /** A path that programs of the instance can write: in the container, or on the host where there is none. */
  inside(name: string): string
  spec(overrides?: SpecOverrides): WorkloadSpec
  start(overrides?: SpecOverrides): Promise<Workload>
  exec(name: string, argv: readonly string[], options?: ExecOptions): Promise<ExecResult>
  logs(name: string, options?: LogOptions): Promise<LogLine[]>
  /** Follows the logs until a line holds `text`. */
  sees(name: string, text: string): Promise<LogLine>
  reaches(name: string, state: Workload['state']): Promise<Workload>
  /** Processes inside whose command is `sleep <marker>`. */
  survivors(name: string, marker: string): Promise<number>
  defer(undo: () => Promise<unknown>): void
}

export const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
}

export async function toArray<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

/** The PloinkyError that `run` must end with. */
export async function failure(run: Promise<unknown>, ...codes: ErrorCode[]): Promise<PloinkyError> {
  const error = await run.then(
    (value) => expect.fail(`expected ${codes.join(' or ')}, got ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  )
  if (!isPloinkyError(error)) throw error
  expect(codes, error.message).toContain(error.code)
  return error
}

/** `promise`, or a failure that names what was waited for: nothing in the contract may hang. */
export function within<T>(promise: Promise<T>, what: string | (() => string), ms = DEADLINE_MS): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const text = (): string => (typeof what === 'string' ? what : what())
    timer = setTimeout(() => reject(new Error(`not within ${ms / 1000} s: ${text()}`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** A marker that no other process of this machine carries: seconds of a sleep that nobody sleeps. */
export const marker = (): string => String(1_000_000 + Math.floor(Math.random() * 1_000_000_000))

export const randomId = (): string => randomBytes(5).toString('hex')

/** Runs `body` in a scope of its own. Instances, adapters and files of the scope are gone afterwards. */
export async function inScope(
  target: ContractTarget,
  shared: RuntimeAdapter | null,
  body: (scope: Scope) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ploinky-test-'))
  // Containers of rootless engines and other users read what tests put here.
  await chmod(folder, 0o755)
  const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  const workspaces: string[] = []
  const newWorkspace = (): string => {
    const id = `ct${randomId()}`
    workspaces.push(id)
    return id
  }
  const create = async (): Promise<RuntimeAdapter> => {
    const stateDir = join(folder, 'state')
    const adapter = target.definition.create({ platform: target.platform, log: silentLogger, stateDir })
    undo.push(async () => adapter[Symbol.asyncDispose]())
    expect(await adapter.detect()).toMatchObject({ available: true })
    return adapter
  }
  const failures: unknown[] = []
  const note = (error: unknown): void => void failures.push(error)
  const run = async (): Promise<void> => {
    const adapter = shared ?? (await create())
    undo.push(async () => {
      for (const workspace of workspaces) {
        for (const { name } of await adapter.list({ workspace })) await adapter.remove(name)
      }
    })
    await body(buildScope({ target, adapter, folder, newWorkspace, create, defer: (step) => void undo.push(step) }))
  }
  await run().catch(note)
  for (const step of undo.reverse()) await step().catch(note)
  // A leak must be seen even when the test failed as well.
  if (failures.length > 1) throw new AggregateError(failures, failures.map(String).join('; then: '))
  if (failures.length === 1) throw failures[0]
}

interface Parts {
  target: ContractTarget
  adapter: RuntimeAdapter
  folder: string
  newWorkspace(): string
  create(): Promise<RuntimeAdapter>
  defer(step: () => Promise<unknown>): void
}

function buildScope({ target, adapter, folder, newWorkspace, create, defer }: Parts): Scope {
  const workspace = newWorkspace()
  const spec = (overrides: SpecOverrides = {}): WorkloadSpec => completeSpec(target, workspace, overrides)
  const exec: Scope['exec'] = async (name, argv, options) => {
    const session = await adapter.exec(name, argv, options)
    const [stdout, stderr, code] = await within(
      Promise.all([collect(session.stdout), collect(session.stderr), session.exit]),
      `exec of ${argv[3] ?? argv[0]}`,
    )
    return { code, stdout: decode(stdout), stderr: decode(stderr) }
  }
  return {
    target,
    adapter,
    capabilities: adapter.capabilities,
    workspace,
    folder,
    newWorkspace,
    otherAdapter: create,
    inside: (name) => (adapter.capabilities.bindMounts ? `/tmp/${name}` : join(folder, name)),
    spec,
    async start(overrides) {
      const wanted = spec(overrides)
      return (await adapter.apply(wanted)).workload
    },
    exec,
    logs: (name, options) => within(toArray(adapter.logs(name, options)), `logs of ${name}`),
    sees: (name, text) => within(firstLine(adapter, name, text), `"${text}" in the logs of ${name}`),
    reaches: (name, state) =>
      until(async () => (await adapter.inspect(name).then((seen) => (seen?.state === state ? seen : null))) ?? null, {
        timeoutMs: DEADLINE_MS,
        what: `${name} is ${state}`,
      }),
    async survivors(name, mark) {
      return Number((await exec(name, programs.counts(mark))).stdout)
    },
    defer,
  }
}

async function firstLine(adapter: RuntimeAdapter, name: string, text: string): Promise<LogLine> {
  for await (const line of adapter.logs(name, { follow: true })) if (line.text.includes(text)) return line
  throw new Error(`the logs of ${name} ended without "${text}"`)
}

function completeSpec(target: ContractTarget, workspace: string, overrides: SpecOverrides): WorkloadSpec {
  const owner = overrides.workspace ?? workspace
  const agent = overrides.agent ?? 'demo'
  return {
    name: workloadName(owner, agent),
    workspace: owner,
    agent,
    image: target.images?.small ?? null,
    command: programs.idle(),
    entrypoint: null,
    workdir: null,
    env: {},
    mounts: [],
    ports: [],
    labels: {},
    user: null,
    limits: { pids: 256, memoryBytes: null, cpus: null },
    security: {
      readOnlyRoot: false,
      dropCapabilities: [],
      addCapabilities: [],
      privileged: false,
      shmBytes: null,
      gpus: null,
    },
    network: { mode: 'default' },
    stopGraceSeconds: 60,
    ...overrides,
  }
}
