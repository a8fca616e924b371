/** The normal form of a manifest: what both generations of spellings mean, for one profile. Plain data. */
import type { Problem } from '../check.ts'

/** How a value comes about that nobody sets. */
export type SecretOrigin =
  /** Derived from the workspace's master key: the same inputs give the same value, everywhere. */
  | {
      readonly kind: 'derived'
      /** Name under which it is derived. */
      readonly name: string
      /** Null: the agent's own repository. */
      readonly repo: string | null
      /** Null: the agent itself. */
      readonly agent: string | null
      readonly bytes: number
      readonly format: 'hex' | 'base64' | 'base64url'
    }
  /** Made at random once and kept in the workspace's secrets. */
  | {
      readonly kind: 'generated'
      readonly name: string
      /** True: one value for all agents that ask for this name; false: one for each agent. */
      readonly shared: boolean
    }

export interface EnvEntry {
  /** Name in the container; a wildcard (`LLM_*`) stands for itself. */
  readonly name: string
  /** Name looked up in secrets and environments; holds `*` in a wildcard. */
  readonly source: string
  readonly default: string | null
  readonly required: boolean
  readonly origin: SecretOrigin | null
  /** Key path in the manifest. */
  readonly path: string
}

export interface PublishedPort {
  readonly hostIp: string
  /** 0: the runtime picks a free one. */
  readonly host: number
  readonly container: number
  readonly protocol: 'tcp' | 'udp'
}

export interface Volume {
  /** As written: absolute, or relative to the workspace. Null: a storage folder of the workspace named by `key`. */
  readonly host: string | null
  /** `.ploinky/data/<key>`. */
  readonly key: string | null
  /** Absolute, in the container. */
  readonly target: string
  readonly readOnly: boolean
  /** Mode bits for the source, e.g. 0o770. */
  readonly chmod: number | null
  /** Folders below the source that everybody may write. */
  readonly worldWritable: readonly string[]
  /** Written by somebody else (a hook, another agent): never made here. */
  readonly generated: boolean
  /** Missing is an error. */
  readonly required: boolean
  readonly path: string
}

export type NetworkNeed =
  | { readonly mode: 'default' | 'none' | 'host' }
  /** The first one is the primary one. */
  | { readonly mode: 'networks'; readonly attachments: readonly { name: string; aliases: readonly string[] }[] }

export interface Security {
  readonly privileged: boolean
  readonly gpu: boolean
  readonly shmBytes: number | null
}

export interface Readiness {
  readonly protocol: 'tcp' | 'mcp' | 'http' | 'none'
  /** Container port; null: the primary one. */
  readonly port: number | null
  readonly path: string
  readonly timeoutSeconds: number | null
}

export type ProbeAction =
  /** argv run in the container, in the code folder; exit 0 is well. */
  | { readonly kind: 'exec'; readonly argv: readonly string[] }
  /** Below 400 is well. Null port: the primary one. */
  | { readonly kind: 'http'; readonly port: number | null; readonly path: string }
  | { readonly kind: 'tcp'; readonly port: number | null }
  | { readonly kind: 'mcp' }

export interface Probe {
  readonly action: ProbeAction
  readonly initialDelaySeconds: number
  readonly intervalSeconds: number
  readonly timeoutSeconds: number
  readonly failureThreshold: number
  readonly successThreshold: number
  /** False: once after a start, as the first generation did. */
  readonly continuous: boolean
  readonly path: string
}

export interface Health {
  readonly startup: Probe | null
  readonly liveness: Probe | null
  readonly readiness: Probe | null
}

export interface RestartPolicy {
  readonly policy: 'always' | 'on-failure' | 'never'
  /** Breaker: so many restarts within the window, then no more. */
  readonly maxRestarts: number
  readonly windowSeconds: number
  /** First pause; doubles up to the maximum. */
  readonly backoffSeconds: number
  readonly maxBackoffSeconds: number
  /** Running for so long, the pauses begin anew. */
  readonly resetSeconds: number
}

export type EnableMode =
  { readonly kind: 'isolated' } | { readonly kind: 'global' } | { readonly kind: 'devel'; readonly repo: string }

export interface Dependency {
  /** `agent`, `repo/agent` or `repo:agent`. */
  readonly ref: string
  readonly mode: EnableMode
  /** Nobody waits for it, and its failure is nobody else's. */
  readonly noWait: boolean
  readonly alias: string | null
  readonly profile: string | null
  readonly path: string
}

export type HookName = 'preinstall' | 'hosthook_aftercreation' | 'install' | 'postinstall' | 'hosthook_postinstall'

/** A shell line of the author. */
export interface Hook {
  readonly line: string
  readonly path: string
}

/** `main` says what the container's main process is. */
export type Main =
  | { readonly kind: 'agent-server' }
  /** A shell command line, run by a shell of the image in the code folder. */
  | { readonly kind: 'command'; readonly line: string }
  /** Arguments to the image's own entry point. */
  | { readonly kind: 'image'; readonly args: readonly string[] }
  /** Nothing of its own: the container is kept for the programs that are started in it. */
  | { readonly kind: 'idle' }

/** How the agent speaks MCP. */
export type McpSpeech = McpWay & {
  /** A call that takes longer becomes a task, for clients that know tasks; absent: calls take as long as they take. */
  readonly taskAfterSeconds?: number
}

export type McpWay =
  /** Streamable HTTP on a port of the container; null: the primary one. */
  | { readonly transport: 'http'; readonly port: number | null; readonly path: string }
  /** A program that reads and writes messages, one a line; the router starts it in the container. */
  | {
      readonly transport: 'stdio'
      readonly argv: readonly string[]
      /** A session that nobody uses for so long ends, and its program with it. */
      readonly idleSeconds: number
    }

/** What an agent may call of another one. */
export interface CallGrant {
  /** Name of the enabled agent. */
  readonly agent: string
  /** Null: all that other agents may call. */
  readonly tools: readonly string[] | null
  readonly path: string
}

export interface Manifest {
  readonly about: string
  /** OCI reference; may hold `${VARIABLE}`. */
  readonly image: string
  readonly main: Main
  /** A shell line started beside `start`. */
  readonly sidecar: string | null
  /** Shell line of the interactive program; null: the default one. */
  readonly cli: string | null
  readonly entrypoint: readonly string[] | null
  readonly workdir: string | null
  readonly env: readonly EnvEntry[]
  /** Variables whose values may hold `{{WORKSPACE_ROOT}}` and the like. */
  readonly resourceEnv: readonly { readonly name: string; readonly template: string; readonly path: string }[]
  /** Names that must have a value before anything starts; given to the container. */
  readonly secrets: readonly { readonly name: string; readonly path: string }[]
  readonly ports: readonly PublishedPort[]
  readonly volumes: readonly Volume[]
  readonly network: NetworkNeed
  readonly security: Security
  readonly limits: { readonly memoryBytes: number | null; readonly cpus: number | null; readonly pids: number | null }
  readonly mounts: { readonly code: 'rw' | 'ro'; readonly skills: 'rw' | 'ro' }
  readonly readiness: Readiness
  readonly health: Health
  readonly restart: RestartPolicy
  readonly hooks: Readonly<Partial<Record<HookName, Hook>>>
  /** Run by `ploinky update agent`. */
  readonly update: Hook | null
  readonly dependencies: readonly Dependency[]
  readonly repos: Readonly<Record<string, { readonly url: string; readonly branch: string | null }>>
  /** Manual: only started when named. On demand: started by the first call, stopped when nobody calls any more. */
  readonly startup: 'automatic' | 'manual' | 'on-demand'
  /** On demand: stopped after so long without a call. */
  readonly idleSeconds: number
  readonly mcp: McpSpeech
  readonly calls: readonly CallGrant[]
  readonly liteSandbox: boolean
  /** The profiles that were merged, the last one wins. */
  readonly profiles: readonly string[]
  /** Names under `profiles`. */
  readonly declaredProfiles: readonly string[]
  /** Where values come from: field of this form -> key path of the manifest. Absent: the default. */
  readonly origins: Readonly<Record<string, string>>
  readonly warnings: readonly Problem[]
}
