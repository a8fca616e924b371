/** The manifests of `test/fixtures/manifests` as one repository of a workspace at `/ws`, planned with fixed values. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseManifest } from '../../src/config/manifest/index.ts'
import { workspacePaths } from '../../src/config/paths.ts'
import { isPloinkyError, PloinkyError } from '../../src/core/error.ts'
import type { Secret } from '../../src/core/secret.ts'
import { createExplainer, createPlanner, type ExplainedPlan } from '../../src/features/agents/index.ts'
import type { Catalog, Definition } from '../../src/features/repos/index.ts'
import { OWN_NAMES } from '../../src/features/agents/plan/workload.ts'
import { createManifestService } from '../../src/features/manifests/index.ts'
import { createFileSystem } from '../../src/platform/files.ts'
import { sources as sourcesOf } from '../features/variables/helpers.ts'

export const CORPUS = fileURLToPath(new URL('../fixtures/manifests', import.meta.url))
export const REPO = 'corpus'
const ROOT = '/ws'
const paths = workspacePaths(ROOT)

/** What is set in that workspace, unless a case says otherwise. */
const SECRETS = { OPENAI_API_KEY: 'sk-secret', DB_PASSWORD: '$PG_PASSWORD', PG_PASSWORD: 'pg-secret' }
const ENVIRONMENT = { HOME: '/root', PATH: '/bin', LLM_MODEL_FAST: 'small', LLM_MODEL_DEEP: 'large' }
const DOTENV = { SOUL_GATEWAY_API_KEY: 'soul', LLM_MODEL_DEEP: 'weaker' }

/** Parts of a plan that are not those of the empty manifest: texts and plain data, without places of this machine. */
export type PlanParts = Readonly<Record<string, unknown>>

export interface Expected {
  /** Row of the facts that it is shaped after. */
  readonly shape: string
  /** Started by `test/e2e/corpus.test.ts`. */
  readonly run?: boolean
  readonly given?: { readonly secrets?: Record<string, string>; readonly environment?: Record<string, string> }
  /** `ploinky validate`: `severity path: message`; every line of it. */
  readonly findings: readonly string[]
  /** By profile: the plan, or why there is none (`CODE: message`). */
  readonly plans: Readonly<Record<string, PlanParts | string>>
}

export const names = (): string[] => readdirSync(CORPUS).sort()
export const textOf = (name: string): string => readFileSync(join(CORPUS, name, 'manifest.json'), 'utf8')
export const expectedOf = (name: string): Expected =>
  JSON.parse(readFileSync(join(CORPUS, name, 'expected.json'), 'utf8')) as Expected

function definitionOf(agent: string): Definition {
  const dir = join(paths.repos, REPO, agent)
  const at = (folder: string): string | null => (existsSync(join(CORPUS, agent, folder)) ? join(dir, folder) : null)
  return {
    ...{ repo: REPO, agent, ref: `${REPO}/${agent}`, builtIn: false, dir, manifestFile: join(dir, 'manifest.json') },
    ...{ codeDir: at('code') ?? dir, skillsDir: at('skills') },
  }
}

/** `plain`: an agent whose manifest counts as empty. */
const catalogOf = (plain: string | null): Catalog => ({
  repos: () => Promise.resolve([]),
  definitions: () => Promise.resolve(names().map(definitionOf)),
  resolve(ref) {
    const agent = ref.replace(new RegExp(`^${REPO}[/:]`), '')
    if (existsSync(join(CORPUS, agent, 'manifest.json'))) return Promise.resolve(definitionOf(agent))
    return Promise.reject(new PloinkyError('AGENT_NOT_FOUND', `Agent "${ref}" is in no enabled repository`))
  },
  async manifest({ agent, manifestFile }, profile) {
    return await Promise.resolve(parseManifest(agent === plain ? '{}' : textOf(agent), { file: manifestFile, profile }))
  },
})

/** Every secret that would be made or derived is one that the next start makes. */
class NothingMade extends Map<string, Secret | null> {
  override get(): null {
    return null
  }
}

interface Asked {
  readonly profile: string
  readonly given?: Expected['given']
  readonly plain?: boolean
}

async function explain(name: string, { profile, given = {}, plain = false }: Asked): Promise<ExplainedPlan> {
  const catalog = catalogOf(plain ? name : null)
  const dotenv = sourcesOf({ dotenv: DOTENV }).dotenv?.values ?? new Map<string, never>()
  const values = {
    ...sourcesOf({
      secrets: { ...SECRETS, ...given.secrets },
      environment: { ...ENVIRONMENT, ...given.environment },
    }),
    ...{ workspaceRoot: ROOT, made: new NothingMade() },
    dotenv: { file: join(ROOT, '.env'), values: dotenv },
  }
  const planner = createPlanner({
    platform: { assetsDir: '/dist' } as never,
    variables: { load: () => Promise.resolve(values) } as never,
    ...{ paths, workspaceId: 'abcd1234', profile, catalog },
  })
  const explainer = createExplainer({
    registry: { list: () => Promise.resolve([]) } as never,
    runtimes: {} as never,
    chooser: {
      wanted: () => null,
      choose: () => Promise.reject(new PloinkyError('RUNTIME_UNAVAILABLE', 'No engine here')),
    },
    ...{ planner, catalog, paths, grants: { list: () => Promise.resolve([]) } as never },
  })
  return await explainer(name, null)
}

/** One line for each thing that has a place and an origin. */
function compact(plan: ExplainedPlan): Record<string, unknown> {
  const { env, mounts, hooks, needs, missing, ...rest } = plan
  return {
    ...rest,
    env: env
      .filter(({ name }) => !OWN_NAMES.has(name))
      .map(({ name, value, from }) => `${name}=${value ?? '(secret)'} <- ${from}`)
      .sort(),
    // Every agent has a way to the router.
    mounts: mounts
      .filter(({ target }) => target !== '/run/ploinky')
      .map(({ source, target, mode, from }) => `${source}:${target}:${mode} <- ${from}`),
    hooks: hooks.map(({ name, where, line, from }) => `${name} on ${where}: ${line} <- ${from}`),
    needs: needs.map(({ name, wait, from }) => `${name}${wait ? '' : ' (nobody waits)'} <- ${from}`),
    missing: missing.map(({ variable, neededBy, kind }) => `${variable} (${kind}) <- ${neededBy}`),
  }
}

/** Always its own. */
const IDENTITY = new Set(['agent', 'ref', 'manifest', 'container', 'runtime', 'project', 'profiles'])

function difference(of: Record<string, unknown>, from: Record<string, unknown>): PlanParts {
  const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
  return Object.fromEntries(
    Object.entries(of).flatMap(([key, value]) => {
      const plain = from[key]
      if (IDENTITY.has(key) || isSame(value, plain)) return []
      // A list of what nobody asked for is not repeated.
      const added = Array.isArray(value) && Array.isArray(plain) ? value.filter((item) => !plain.includes(item)) : value
      return [[key, added]]
    }),
  )
}

/** What is no part of one instance: said to people, run at other times. */
async function saysOf(name: string, { profile, plain = false }: Asked): Promise<Record<string, unknown>> {
  const { about, cli, update, startup, repos, liteSandbox } = await catalogOf(plain ? name : null).manifest(
    definitionOf(name),
    profile,
  )
  return { about, cli, update: update?.line ?? null, startup, repos, liteSandbox }
}

/** The parts of its plan that are not those of an empty manifest, or why there is none. */
export async function planOf(name: string, asked: Asked): Promise<PlanParts | string> {
  try {
    const all = async (what: Asked) => ({ ...(await saysOf(name, what)), ...compact(await explain(name, what)) })
    return difference(await all(asked), await all({ ...asked, plain: true }))
  } catch (error) {
    if (!isPloinkyError(error)) throw error
    return `${error.code}: ${error.message}`
  }
}

/** What `ploinky validate` says of it. */
export async function findingsOf(name: string): Promise<string[]> {
  const service = createManifestService({
    fs: createFileSystem(),
    catalog: catalogOf(null),
    cwd: CORPUS,
    profile: 'dev',
  })
  const { findings } = await service.validate(join(CORPUS, name))
  return findings.map(({ severity, path, message }) => {
    return `${severity} ${path}: ${message.replaceAll(CORPUS, '<corpus>')}`
  })
}
