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
  /** Who answers MCP: the container's own endpoint, the router through exec, or nobody. */
  mcp: z.enum(['container', 'exec', 'none']),
  mcpPath: z.string(),
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
