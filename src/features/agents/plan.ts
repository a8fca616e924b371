/** Manifest + workspace -> WorkloadSpec. Pure: reads no file, no clock, no environment. */
import { join } from 'node:path'
import type { WorkspacePaths } from '../../config/paths.ts'
import { type Manifest, PRIMARY_PORT } from '../../config/manifest.ts'
import type { EnvEntry } from '../../config/manifest-env.ts'
import { PloinkyError } from '../../core/error.ts'
import { own, workloadName } from '../../core/id.ts'
import type { MaybeSecret, Secret } from '../../core/secret.ts'
import type { MountSpec, PortSpec, RuntimeCapabilities, WorkloadSpec } from '../../../runtimes/adapter.ts'
import type { Definition } from '../repos/index.ts'

/** Enough for a language runtime with threads, small enough to stop a fork bomb. */
const DEFAULT_PIDS = 512
/** The engines' own default. */
const STOP_GRACE_SECONDS = 10
const AGENT_DIR = '/Agent'
const CODE_DIR = '/code'

export interface PlanInput {
  readonly agent: string
  readonly definition: Definition
  readonly manifest: Manifest
  readonly workspaceId: string
  readonly paths: WorkspacePaths
  readonly assetsDir: string
  readonly profile: string
  readonly capabilities: Pick<RuntimeCapabilities, 'images'>
  /** Values that env entries may take: secrets first, then the environment of the operator. */
  readonly secrets: ReadonlyMap<string, Secret>
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface Plan {
  readonly spec: WorkloadSpec
  readonly primaryPort: number
  /** Whether MCP is spoken by the container's own process, or decided by what is in the image. */
  readonly mcp: 'container' | 'detect'
}

/** The workspace's own settings and keys are never an agent's, whatever its manifest asks for. */
const isOurs = (name: string): boolean => name.startsWith('PLOINKY_')

function lookup(name: string, input: PlanInput): MaybeSecret | null {
  if (isOurs(name)) return null
  return input.secrets.get(name) ?? own(input.environment, name) ?? null
}

/** True when `pattern` fits, each `*` of it standing for any text. One pass: a regular expression can be made to take for ever. */
function fits(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return pattern === name
  if (!name.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return name.length - last.length >= at && name.endsWith(last)
}

/** `LLM_*` takes every matching name; a bare `*` leaves out names that look like keys. */
function expandWildcard(entry: EnvEntry, input: PlanInput): [string, MaybeSecret][] {
  const names = [...new Set([...input.secrets.keys(), ...Object.keys(input.environment)])]
  return (
    names
      // Some shells keep functions in variables of odd names, which no engine passes on.
      .filter((name) => /^\w+$/.test(name) && fits(entry.source, name))
      .filter((name) => entry.source !== '*' || !/API_?KEY/i.test(name))
      .flatMap((name): [string, MaybeSecret][] => {
        const value = lookup(name, input)
        return value === null ? [] : [[name, value]]
      })
  )
}

function environmentOf(input: PlanInput): Record<string, MaybeSecret> {
  const env: Record<string, MaybeSecret> = {}
  const missing: string[] = []
  for (const entry of input.manifest.env) {
    if (entry.source.includes('*')) {
      Object.assign(env, Object.fromEntries(expandWildcard(entry, input)))
      continue
    }
    const value = lookup(entry.source, input) ?? entry.default
    if (value !== null) env[entry.name] = value
    else if (entry.required) missing.push(entry.source)
  }
  if (missing.length > 0) {
    throw new PloinkyError(
      'CONFIG_INVALID',
      `Agent "${input.agent}" needs ${missing.map((name) => `"${name}"`).join(', ')}`,
      {
        hint: `Add a line "${missing[0]}=value" to .ploinky/.secrets, or set it in the environment`,
        details: { agent: input.agent, missing, file: input.definition.manifestFile },
      },
    )
  }
  return {
    ...env,
    AGENT_NAME: input.agent,
    PLOINKY_AGENT_NAME: input.agent,
    PLOINKY_REPO_NAME: input.definition.repo,
    PLOINKY_PROFILE: input.profile,
    PLOINKY_CODE_DIR: CODE_DIR,
    PLOINKY_MCP_CONFIG_PATH: `${CODE_DIR}/mcp-config.json`,
    WORKSPACE_PATH: input.paths.agentWork(input.agent),
    PORT: String(PRIMARY_PORT),
    // In a container the port must be open to the engine's forwarder; on the host it must not be open to anybody else.
    ...(input.capabilities.images ? {} : { PLOINKY_BIND: '127.0.0.1' }),
  }
}

function mountsOf(input: PlanInput): MountSpec[] {
  const work = input.paths.agentWork(input.agent)
  // The package's own files are never writable, whatever the profile says.
  const readOnly = input.definition.builtIn || input.manifest.codeMount === 'ro'
  return [
    { source: join(input.assetsDir, 'Agent'), target: AGENT_DIR, readOnly: true },
    { source: input.definition.codeDir, target: CODE_DIR, readOnly },
    ...(input.definition.skillsDir === null
      ? []
      : [{ source: input.definition.skillsDir, target: `${CODE_DIR}/skills`, readOnly }]),
    { source: work, target: work, readOnly: false },
  ]
}

function portsOf(manifest: Manifest): PortSpec[] {
  const declared: PortSpec[] = manifest.ports.map((port) => ({ ...port }))
  // Without declared ports the primary one is published on a port that the runtime picks.
  return declared.length > 0 ? declared : [{ container: PRIMARY_PORT, host: 0, hostIp: '127.0.0.1', protocol: 'tcp' }]
}

function commandOf(manifest: Manifest): readonly string[] | null {
  switch (manifest.main.kind) {
    case 'agent-server':
      return ['sh', `${AGENT_DIR}/server/AgentServer.sh`]
    case 'command':
      // An author's own shell line, from the manifest: the one place where a shell is asked for, inside the container.
      return ['sh', '-c', manifest.main.line]
    case 'image':
      return manifest.main.args.length > 0 ? manifest.main.args : null
  }
}

export function planWorkload(input: PlanInput): Plan {
  const { manifest } = input
  const ports = portsOf(manifest)
  const command = commandOf(manifest)
  if (!input.capabilities.images && command === null) {
    throw new PloinkyError(
      'CAPABILITY_UNSUPPORTED',
      `Agent "${input.agent}" runs its image's own program, which needs a container engine`,
      {
        hint: 'Start it with: ploinky start --runtime docker',
      },
    )
  }
  const spec: WorkloadSpec = {
    name: workloadName(input.workspaceId, input.agent),
    workspace: input.workspaceId,
    agent: input.agent,
    image: input.capabilities.images ? manifest.image : null,
    command,
    entrypoint: manifest.entrypoint,
    workdir: manifest.workdir ?? (manifest.main.kind === 'image' ? null : CODE_DIR),
    env: environmentOf(input),
    mounts: mountsOf(input),
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
      privileged: false,
      shmBytes: null,
      gpus: null,
    },
    network: { mode: 'default' },
    stopGraceSeconds: STOP_GRACE_SECONDS,
  }
  const primaryPort =
    ports.find((port) => port.container === PRIMARY_PORT)?.container ?? ports[0]?.container ?? PRIMARY_PORT
  return { spec, primaryPort, mcp: manifest.main.kind === 'agent-server' ? 'detect' : 'container' }
}

/** argv of the interactive program: the manifest's, else the one that ships at /Agent. */
export function cliCommand(manifest: Manifest, args: readonly string[]): readonly string[] {
  if (manifest.cli === null) return ['sh', `${AGENT_DIR}/default_cli.sh`, ...args]
  // The line is the author's; the user's arguments follow as positional parameters, so they are never parsed by a shell.
  return args.length === 0 ? ['sh', '-c', manifest.cli] : ['sh', '-c', `${manifest.cli} "$@"`, 'cli', ...args]
}
