/** The state files of a workspace: what each holds, its version, and how it is checked. */
import * as z from 'zod/mini'
import { isName } from '../core/id.ts'
import { type DocumentSpec, stateInvalid } from '../core/store.ts'
import { problemsOf, problemText } from './check.ts'

interface Definition<S extends z.ZodMiniType> {
  name: string
  version: number
  schema: S
  empty: z.output<S>
}

function define<S extends z.ZodMiniType>({ name, version, schema, empty }: Definition<S>): DocumentSpec<z.output<S>> {
  return {
    name,
    version,
    empty: () => structuredClone(empty),
    parse(value) {
      const result = schema.safeParse(value)
      if (result.success) return result.data
      throw stateInvalid(name, problemText(problemsOf(result.error, value)))
    },
  }
}

const nameSchema = z.string().check(z.refine(isName, { error: 'expected a name of letters, digits, ".", "_" and "-"' }))
const runtimeId = z.enum(['docker', 'podman', 'host', 'bwrap', 'fake'])

/** What of the workspace an agent sees. */
const enableMode = z.union([
  z.strictObject({ kind: z.enum(['isolated', 'global']) }),
  z.strictObject({ kind: z.literal('devel'), repo: nameSchema }),
])

/** What an agent may call of another one. */
const callGrant = z.strictObject({
  agent: nameSchema,
  /** Null: all that other agents may call. `prompt:<name>` and `resource:<uri>` beside the names of tools. */
  tools: z.nullable(z.array(z.string())),
})

const agentRecord = z.strictObject({
  /** `<repo>/<agent>` of the definition. */
  repo: nameSchema,
  agent: nameSchema,
  enabledAt: z.string(),
  /** Where its instance was last started; null when never. */
  runtime: z.nullable(runtimeId),
  /** Intent: should it run? An instance that should and does not has failed. */
  wanted: z.boolean(),
  mode: z._default(enableMode, { kind: 'isolated' }),
  /** Its own profile; null: the workspace's. */
  profile: z._default(z.nullable(nameSchema), null),
  /** What it may call of others, as its manifest said when it was started last. */
  calls: z.optional(z.array(callGrant)),
})
export type AgentRecord = z.output<typeof agentRecord>

/** `.ploinky/agents`: what is enabled. */
export const agentsDocument = define({
  name: 'agents',
  version: 1,
  schema: z.strictObject({
    agents: z.record(nameSchema, agentRecord),
    /** The agent whose files answer unmatched paths. */
    static: z.nullable(nameSchema),
  }),
  empty: { agents: {}, static: null },
})

const routeEntry = z.strictObject({
  container: z.string(),
  runtime: runtimeId,
  hostIp: z.string(),
  /** 0 when nothing is published. */
  hostPort: z.int().check(z.gte(0), z.lte(65535)),
  containerPort: z.int().check(z.gte(0), z.lte(65535)),
  /** Who answers MCP: the container's own endpoint, the router through exec, a program on its standard streams, or nobody. */
  mcp: z.enum(['container', 'exec', 'stdio', 'none']),
  mcpPath: z.string(),
  /** Calls that take longer become tasks; absent: none does. */
  taskAfterSeconds: z.optional(z.number().check(z.gte(0))),
  /** Folder of static files on this host, or null. */
  files: z.nullable(z.string()),
})
export type RouteEntry = z.output<typeof routeEntry>

/** `.ploinky/routing.json`: generated, watched by the router. */
const routing = z.strictObject({ static: z.nullable(nameSchema), routes: z.record(nameSchema, routeEntry) })
export type Routing = z.output<typeof routing>
export const routingDocument = define({
  name: 'routing.json',
  version: 1,
  schema: routing,
  empty: { static: null, routes: {} },
})

/** `.ploinky/enabled_repos.json`. */
export const reposDocument = define({
  name: 'enabled_repos.json',
  version: 1,
  schema: z.strictObject({ repos: z.array(nameSchema) }),
  empty: {
    repos: ['builtin'],
  },
})

const skillFiles = z.record(z.string(), z.string())
/** `<skill>/<file>` -> SHA-256 of what was copied. */
export type SkillRecord = Record<string, string>

/** `.ploinky/default_skills.json`: what was copied into `.agents/skills`, and whether `.claude` is our link. */
export const skillsDocument = define({
  name: 'default_skills.json',
  version: 1,
  schema: z.strictObject({ repos: z.record(nameSchema, skillFiles), link: z.boolean() }),
  empty: { repos: {}, link: false },
})

const repoSource = z.strictObject({
  kind: z.enum(['git', 'folder', 'archive']),
  /** Address or absolute path, without credentials: those are in the secrets. */
  source: z.string(),
  /** Branch or tag; null: what the source calls its head. */
  branch: z.nullable(z.string()),
  /** What was last fetched: a commit, or the digest of an archive. */
  commit: z.nullable(z.string()),
  /** Digest of the files of an archive as they were unpacked: shows whether somebody changed them. */
  tree: z.optional(z.string()),
  addedAt: z.string(),
  /** `<repo>/<agent>` whose manifest asked for it; null: a person did. */
  askedBy: z.nullable(z.string()),
})
export type RepoSource = z.output<typeof repoSource>

/** `.ploinky/repo_sources.json`: where repositories come from. */
export const repoSourcesDocument = define({
  name: 'repo_sources.json',
  version: 1,
  schema: z.strictObject({ sources: z.record(nameSchema, repoSource) }),
  empty: { sources: {} },
})

/** `.ploinky/config.json`: settings of the workspace. */
export const configDocument = define({
  name: 'config.json',
  version: 1,
  schema: z.strictObject({ settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])) }),
  empty: { settings: {} },
})

/** `.ploinky/consents.json`: which host hooks a person allowed, by definition and content. */
export const consentsDocument = define({
  name: 'consents.json',
  version: 1,
  schema: z.strictObject({
    consents: z.record(z.string(), z.strictObject({ hash: z.string(), at: z.string() })),
  }),
  empty: { consents: {} },
})

/** `.ploinky/supervisor.json`: what a router that was killed must not forget about restarts. */
const supervised = z.strictObject({
  /** The run that the supervisor started last, and the run whose end it counted last. */
  launched: z.nullable(z.string()),
  ended: z.nullable(z.string()),
  /** Why it is not started again; null while it is. */
  failed: z.nullable(z.string()),
  restarts: z.int(),
  history: z.strictObject({ crashes: z.array(z.number()), attempts: z.int(), unhealthy: z.int() }),
  lastExit: z.nullable(
    z.strictObject({
      at: z.string(),
      exitCode: z.nullable(z.int()),
      signal: z.nullable(z.string()),
      oomKilled: z.boolean(),
      removed: z.boolean(),
      lines: z.array(z.string()),
    }),
  ),
})
export type Supervised = z.output<typeof supervised>
export const supervisorDocument = define({
  name: 'supervisor.json',
  version: 1,
  schema: z.strictObject({ agents: z.record(nameSchema, supervised) }),
  empty: { agents: {} },
})

/** `.ploinky/images.json`: what was learnt about images by looking into them, by image id. */
export const imagesDocument = define({
  name: 'images.json',
  version: 1,
  schema: z.strictObject({
    images: z.record(
      z.string(),
      z.strictObject({
        node: z.boolean(),
        /** What native packages depend on; null: there is no Node in it. */
        runtimeKey: z.optional(z.nullable(z.string())),
      }),
    ),
  }),
  empty: { images: {} },
})

const variableName = z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'expected the name of a variable' }))

const exposedTo = z.strictObject({
  /** `<repo>/<agent>` of the definition: another agent that comes under the same name gets nothing of it. */
  definition: z.string(),
  /** Name in the agent -> name that is looked up. */
  variables: z.record(variableName, variableName),
})
export type ExposedTo = z.output<typeof exposedTo>

/** `.ploinky/exposed.json`: variables that the workspace gives to its agents over their manifests. */
export const exposedDocument = define({
  name: 'exposed.json',
  version: 1,
  schema: z.strictObject({ exposed: z.record(nameSchema, exposedTo) }),
  empty: { exposed: {} },
})

const definitions = z.record(z.string(), z.record(z.string(), z.unknown()))
const toolLock = z.strictObject({
  /** Definitions by tool, as a person approved them; null: what is told next is approved. */
  approved: z.nullable(definitions),
  /** As they were last told. */
  seen: definitions,
})
export type ToolLock = z.output<typeof toolLock>

/** `.ploinky/tool_locks.json`: what tools of locked agents may say of themselves. */
export const toolLocksDocument = define({
  name: 'tool_locks.json',
  version: 1,
  schema: z.strictObject({ agents: z.record(nameSchema, toolLock) }),
  empty: { agents: {} },
})

const granted = z.strictObject({
  /** `<repo>/<agent>` of the caller: another agent that comes under the same name gets nothing of it. */
  definition: z.string(),
  calls: z.array(callGrant),
})
export type Granted = z.output<typeof granted>

/** `.ploinky/grants.json`: what the workspace lets agents call of each other, beside what their manifests say. */
export const grantsDocument = define({
  name: 'grants.json',
  version: 1,
  schema: z.strictObject({ grants: z.record(nameSchema, granted) }),
  empty: { grants: {} },
})

const chosen = z.strictObject({
  agent: nameSchema,
  /** The agent's own name for it, and the one under which it is shown. */
  name: z.string().check(z.minLength(1), z.maxLength(500)),
  as: z.string().check(z.minLength(1), z.maxLength(500)),
  /** Instead of the agent's own; null: that one. */
  description: z.nullable(z.string()),
})
export type Chosen = z.output<typeof chosen>

const virtualEndpoint = z.strictObject({
  tools: z.array(chosen),
  prompts: z.array(chosen),
  /** URI, template, or `*` for all of an agent. */
  resources: z.array(z.strictObject({ agent: nameSchema, uri: z.string().check(z.minLength(1), z.maxLength(4000)) })),
  createdAt: z.string(),
})
export type VirtualEndpoint = z.output<typeof virtualEndpoint>

/** `.ploinky/mcp_endpoints.json`: what is served at `/mcp/<name>`. */
export const endpointsDocument = define({
  name: 'mcp_endpoints.json',
  version: 1,
  schema: z.strictObject({ endpoints: z.record(nameSchema, virtualEndpoint) }),
  empty: { endpoints: {} },
})

const browserSession = z.strictObject({
  /** ISO 8601. The last use is written now and then, not with each request. */
  openedAt: z.string(),
  lastUsedAt: z.string(),
  expiresAt: z.string(),
  /** In plain words: "Firefox 128 on Linux". */
  browser: z.string().check(z.maxLength(100)),
  address: z.string().check(z.maxLength(100)),
})
export type BrowserSession = z.output<typeof browserSession>

/** `.ploinky/sessions.json`: which browsers are signed in, by an id that follows from the secret and does not give it away. */
export const sessionsDocument = define({
  name: 'sessions.json',
  version: 1,
  schema: z.strictObject({ sessions: z.record(z.string().check(z.regex(/^[0-9a-f]{12}$/)), browserSession) }),
  empty: { sessions: {} },
})

/** Every state file, for those that look at all of them. */
export const stateDocuments = [
  agentsDocument,
  routingDocument,
  reposDocument,
  repoSourcesDocument,
  skillsDocument,
  configDocument,
  consentsDocument,
  imagesDocument,
  exposedDocument,
  supervisorDocument,
  toolLocksDocument,
  grantsDocument,
  endpointsDocument,
  sessionsDocument,
] as const
