/** Manifest + workspace -> WorkloadSpec, with where each part comes from. Pure: reads no file, no clock, no environment. */
import type { EnableMode, Manifest } from '../../../config/manifest/index.ts'
import { PRIMARY_PORT } from '../../../config/manifest/index.ts'
import type { WorkspacePaths } from '../../../config/paths.ts'
import { PloinkyError } from '../../../core/error.ts'
import { workloadName } from '../../../core/id.ts'
import type { MaybeSecret } from '../../../core/secret.ts'
import type { PortSpec, RuntimeCapabilities, WorkloadSpec } from '../../../../runtimes/adapter.ts'
import { AGENT_VARIABLES } from '../../callers/index.ts'
import type { Definition } from '../../repos/index.ts'
import { CODE_DIR, mainCommand } from './command.ts'
import { MODULES_DIR, type PlannedMount, planMounts, projectFolder } from './mounts.ts'

/** Enough for a language runtime with threads, small enough to stop a fork bomb. */
const DEFAULT_PIDS = 512
/** The engines' own default. */
const STOP_GRACE_SECONDS = 10

export interface PlannedValue {
  readonly value: MaybeSecret
  /** Where it comes from, in words. */
  readonly from: string
}

export interface PlanInput {
  /** Name of the enabled agent: its alias, or the definition's own. */
  readonly agent: string
  readonly definition: Definition
  readonly manifest: Manifest
  readonly mode: EnableMode
  readonly workspaceId: string
  readonly paths: WorkspacePaths
  readonly assetsDir: string
  readonly profile: string
  readonly capabilities: Pick<RuntimeCapabilities, 'images' | 'bindMounts'>
  /** The manifest's, with its variables filled in. */
  readonly image: string
  /** Values of the manifest's variables. */
  readonly env: ReadonlyMap<string, PlannedValue>
  readonly nodeModules: string | null
}

export interface Plan {
  readonly spec: WorkloadSpec
  readonly mounts: readonly PlannedMount[]
  readonly env: ReadonlyMap<string, PlannedValue>
  readonly primaryPort: number
  /** Whether MCP is spoken by the container's own process, or decided by what is in the image. */
  readonly mcp: 'container' | 'detect' | 'stdio'
}

/** default and dev are development, the others what their name says. */
const stageOf = (profile: string): string =>
  profile === 'prod' ? 'production' : profile === 'default' || profile === 'dev' ? 'development' : profile

/** Names that every agent is given by the workspace; a manifest cannot say otherwise. */
export const OWN_NAMES: ReadonlySet<string> = new Set(
  (
    'AGENT_NAME PLOINKY_AGENT_NAME PLOINKY_REPO_NAME PLOINKY_AGENT_PRINCIPAL PLOINKY_CONTAINER_NAME PLOINKY_PROFILE ' +
    'PLOINKY_PROFILE_ENV PLOINKY_CODE_DIR PLOINKY_MCP_CONFIG_PATH PLOINKY_WORKSPACE_ROOT PLOINKY_CWD WORKSPACE_PATH PORT ' +
    'NODE_PATH PLOINKY_BIND'
  )
    .split(' ')
    .concat(Object.keys(AGENT_VARIABLES)),
)

function ownEnvironment(input: PlanInput): Record<string, string> {
  const { definition, agent, paths } = input
  const project = projectFolder(input)
  return {
    AGENT_NAME: agent,
    PLOINKY_AGENT_NAME: agent,
    PLOINKY_REPO_NAME: definition.repo,
    PLOINKY_AGENT_PRINCIPAL: `agent:${definition.repo}/${definition.agent}`,
    PLOINKY_CONTAINER_NAME: workloadName(input.workspaceId, agent),
    PLOINKY_PROFILE: input.profile,
    PLOINKY_PROFILE_ENV: stageOf(input.profile),
    PLOINKY_CODE_DIR: CODE_DIR,
    PLOINKY_MCP_CONFIG_PATH: `${CODE_DIR}/mcp-config.json`,
    PLOINKY_WORKSPACE_ROOT: paths.root,
    PLOINKY_CWD: project,
    WORKSPACE_PATH: project,
    PORT: String(PRIMARY_PORT),
    ...AGENT_VARIABLES,
    ...(input.nodeModules === null ? {} : { NODE_PATH: MODULES_DIR }),
    // In a container the port must be open to the engine's forwarder; on the host it must not be open to anybody else.
    ...(input.capabilities.images ? {} : { PLOINKY_BIND: '127.0.0.1' }),
  }
}

function portsOf({ ports, network, main, mcp }: Pick<Manifest, 'ports' | 'network' | 'main' | 'mcp'>): PortSpec[] {
  if (ports.length > 0) return ports.map((port) => ({ ...port }))
  // Without a network, or with standard streams alone, there is nothing to reach; else the primary one is published on a
  // port that the runtime picks.
  if (main.kind === 'idle') return []
  return network.mode === 'none'
    ? []
    : [
        {
          container: mcp.transport === 'http' ? (mcp.port ?? PRIMARY_PORT) : PRIMARY_PORT,
          host: 0,
          hostIp: '127.0.0.1',
          protocol: 'tcp',
        },
      ]
}

/** Where the agent's service listens: 7000 where that is published, else the port its readiness names, else the first. */
function primaryPortOf(manifest: Manifest, ports: readonly PortSpec[]): number {
  const isPublished = (port: number | null): boolean => ports.some(({ container }) => container === port)
  const { mcp } = manifest
  if (mcp.transport === 'http' && mcp.port !== null && isPublished(mcp.port)) return mcp.port
  if (isPublished(PRIMARY_PORT)) return PRIMARY_PORT
  if (isPublished(manifest.readiness.port)) return manifest.readiness.port ?? PRIMARY_PORT
  return ports.find(({ protocol }) => protocol === 'tcp')?.container ?? ports[0]?.container ?? PRIMARY_PORT
}

/**
 * Nothing of the image's own takes part in idling: an entry point that is a program itself would take the loop for its arguments.
 * The image's own program, where sessions run beside it, waits at an input that stays open.
 */
function programOf(
  { entrypoint, main, mcp }: Manifest,
  command: readonly string[] | null,
): Pick<WorkloadSpec, 'command' | 'entrypoint' | 'openStdin'> {
  if (main.kind === 'idle' && entrypoint === null && command !== null)
    return { entrypoint: command.slice(0, 1), command: command.slice(1) }
  return { entrypoint, command, ...(main.kind === 'image' && mcp.transport === 'stdio' ? { openStdin: true } : {}) }
}

export function planWorkload(input: PlanInput): Plan {
  const { manifest, capabilities } = input
  const ports = portsOf(manifest)
  const command = mainCommand(manifest, capabilities)
  if (!capabilities.images && command === null) {
    throw new PloinkyError(
      'CAPABILITY_UNSUPPORTED',
      `Agent "${input.agent}" runs its image's own program, which needs a container engine`,
      { hint: 'Start it with: ploinky start --runtime docker' },
    )
  }
  const mounts = planMounts(input)
  const env = new Map(input.env)
  for (const [name, value] of Object.entries(ownEnvironment(input))) env.set(name, { value, from: 'ploinky' })
  const spec: WorkloadSpec = {
    name: workloadName(input.workspaceId, input.agent),
    workspace: input.workspaceId,
    agent: input.agent,
    image: capabilities.images ? input.image : null,
    ...programOf(manifest, command),
    // Also for the image's own program: `start` lines name files of the agent.
    workdir: manifest.workdir ?? CODE_DIR,
    env: Object.fromEntries([...env].map(([name, { value }]) => [name, value])),
    mounts: mounts.map(({ source, target, readOnly }) => ({ source, target, readOnly })),
    ports,
    labels: {},
    user: null,
    limits: {
      pids: manifest.limits.pids ?? DEFAULT_PIDS,
      memoryBytes: manifest.limits.memoryBytes,
      cpus: manifest.limits.cpus,
    },
    security: {
      readOnlyRoot: false,
      dropCapabilities: [],
      addCapabilities: [],
      privileged: manifest.security.privileged,
      shmBytes: manifest.security.shmBytes,
      gpus: manifest.security.gpu ? 'all' : null,
    },
    network: manifest.network,
    stopGraceSeconds: STOP_GRACE_SECONDS,
  }
  const own = manifest.main.kind === 'agent-server' ? 'detect' : 'container'
  const mcp = manifest.mcp.transport === 'stdio' ? 'stdio' : own
  return { spec, mounts, env, primaryPort: primaryPortOf(manifest, ports), mcp }
}
