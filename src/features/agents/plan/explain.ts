/** A plan as data for a person: every value with where it comes from, no secret among them. Pure. */
import { hostHooksOf } from '../../hooks/index.ts'
import type { Problem } from '../../../config/check.ts'
import { Secret } from '../../../core/secret.ts'
import type { MissingValue } from '../../variables/index.ts'
import type { Loaded } from '../planner.ts'
import type { EnabledAgent } from '../registry.ts'
import { projectFolder } from './mounts.ts'
import type { Plan } from './workload.ts'

export interface ExplainedPlan {
  readonly agent: string
  readonly ref: string
  readonly manifest: string
  readonly profiles: readonly string[]
  readonly runtime: string
  /** False: that runtime has no images; the agent is a process of this machine. */
  readonly usesImage: boolean
  readonly container: string
  readonly image: { readonly value: string | null; readonly from: string }
  readonly command: { readonly value: readonly string[] | null; readonly from: string }
  readonly beside: string | null
  readonly workdir: string | null
  readonly project: string
  readonly mounts: readonly {
    readonly source: string
    readonly target: string
    readonly mode: string
    readonly from: string
  }[]
  /** `value` is null for secrets. */
  readonly env: readonly { readonly name: string; readonly value: string | null; readonly from: string }[]
  readonly missing: readonly MissingValue[]
  readonly ports: { readonly value: readonly string[]; readonly from: string }
  readonly network: { readonly value: Plan['spec']['network']; readonly from: string }
  readonly security: Plan['spec']['security'] & { readonly from: string }
  readonly limits: Plan['spec']['limits'] & { readonly from: string }
  readonly mcp: Loaded['manifest']['mcp']
  readonly calls: readonly { readonly agent: string; readonly tools: readonly string[] | null; readonly from: string }[]
  readonly readiness: Loaded['manifest']['readiness'] & { readonly from: string }
  readonly health: Loaded['manifest']['health']
  readonly restart: Loaded['manifest']['restart'] & { readonly from: string }
  readonly hooks: readonly {
    readonly name: string
    readonly where: string
    readonly line: string
    readonly from: string
  }[]
  readonly needs: readonly { readonly name: string; readonly wait: boolean; readonly from: string }[]
  /** Names in waves, this agent in the last one. */
  readonly order: readonly (readonly string[])[]
  readonly warnings: readonly string[]
}

export interface ExplainInput extends Loaded {
  readonly agent: EnabledAgent
  readonly plan: Plan
  readonly runtime: string
  readonly usesImage: boolean
  readonly missing: readonly MissingValue[]
  /** What else is to be said about its variables. */
  readonly notes: readonly Problem[]
  readonly order: readonly (readonly string[])[]
  /** What the workspace lets it call. */
  readonly granted: readonly { readonly agent: string; readonly tools: readonly string[] | null }[]
  readonly paths: Parameters<typeof projectFolder>[0]['paths']
}

const portText = ({ hostIp, host, container, protocol }: Plan['spec']['ports'][number]): string =>
  `${hostIp}:${host === 0 ? 'any' : host}:${container}/${protocol}`

export function explainPlan(input: ExplainInput): ExplainedPlan {
  const { agent, definition, manifest, plan } = input
  const { spec } = plan
  const { origins } = manifest
  const from = (field: string, fallback = 'default'): string => origins[field] ?? fallback
  const onHost = new Set(hostHooksOf(manifest).map(({ name }) => name))
  return {
    agent: agent.name,
    ref: definition.ref,
    manifest: definition.manifestFile,
    profiles: manifest.profiles,
    runtime: input.runtime,
    usesImage: input.usesImage,
    container: spec.name,
    image: { value: spec.image, from: from('image') },
    command: { value: spec.command, from: from('command', 'AgentServer of ploinky') },
    beside: manifest.sidecar,
    workdir: spec.workdir,
    project: projectFolder({ agent: agent.name, mode: agent.mode, paths: input.paths }),
    mounts: plan.mounts.map(({ source, target, readOnly, from: why }) => ({
      source,
      target,
      mode: readOnly ? 'ro' : 'rw',
      from: why,
    })),
    env: [...plan.env].map(([name, { value, from: why }]) => ({
      name,
      value: value instanceof Secret ? null : value,
      from: why,
    })),
    missing: input.missing,
    ports: { value: spec.ports.map(portText), from: from('ports') },
    network: { value: spec.network, from: from('network') },
    security: { ...spec.security, from: from('security') },
    limits: { ...spec.limits, from: from('limits') },
    mcp: manifest.mcp,
    calls: [
      ...manifest.calls.map(({ agent: callee, tools, path }) => ({ agent: callee, tools, from: path })),
      ...input.granted.map(({ agent: callee, tools }) => ({ agent: callee, tools, from: 'ploinky grant' })),
    ],
    readiness: { ...manifest.readiness, from: from('readiness') },
    health: manifest.health,
    restart: { ...manifest.restart, from: from('restart') },
    hooks: Object.entries(manifest.hooks).map(([name, hook]) => ({
      name,
      where: onHost.has(name as never) ? 'this machine' : 'container',
      line: hook.line,
      from: hook.path,
    })),
    needs: manifest.dependencies.map(({ ref, alias, noWait, path }) => ({
      name: alias ?? ref,
      wait: !noWait,
      from: path,
    })),
    order: input.order,
    warnings: [...manifest.warnings, ...input.notes].map(({ path, message }) => `${path}: ${message}`),
  }
}
