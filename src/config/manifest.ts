/**
 * The manifest: what authors write (both generations of spellings) -> one normal form.
 * Nothing is dropped in silence: a key that is not known, or known and not honoured, is a warning with its path.
 */
import * as z from 'zod/mini'
import { PloinkyError } from '../core/error.ts'
import { nearest, own } from '../core/id.ts'
import { jsonDepth, placesInJson } from '../core/json-places.ts'
import { childPath, parseJson } from '../core/json.ts'
import { problemsOf, problemText, show, type Problem } from './check.ts'
import { type EnvEntry, normalizeEnv } from './manifest-env.ts'
import { parsePorts, type PublishedPort } from './manifest-ports.ts'
import { checkTexts } from './manifest-text.ts'
import { splitWords } from './manifest-words.ts'

const text = z.string()
const list = z.union([text, z.array(text)])
const envSchema = z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())])
const portsSchema = z.union([text, z.number(), z.array(z.union([text, z.number()]))])
const readinessSchema = z.looseObject({
  protocol: z.optional(z.enum(['tcp', 'mcp', 'http', 'none'])),
  port: z.optional(z.int().check(z.gte(1), z.lte(65535))),
  path: z.optional(text),
  timeoutSeconds: z.optional(z.number().check(z.positive(), z.lte(3600))),
})
const limitsSchema = z.looseObject({
  memory: z.optional(z.union([text, z.number()])),
  cpus: z.optional(z.union([text, z.number()])),
  pidsLimit: z.optional(z.int().check(z.gte(1), z.lte(1_000_000))),
})
const commandsSchema = z.looseObject({ run: z.optional(text), cli: z.optional(text) })

const profileSchema = z.looseObject({
  env: z.optional(envSchema),
  ports: z.optional(portsSchema),
  openPorts: z.optional(portsSchema),
  mounts: z.optional(z.looseObject({ code: z.optional(z.enum(['rw', 'ro'])) })),
})

const manifestSchema = z.looseObject({
  container: z.optional(text),
  image: z.optional(text),
  about: z.optional(text),
  description: z.optional(text),
  agent: z.optional(text),
  start: z.optional(text),
  cli: z.optional(text),
  run: z.optional(text),
  commands: z.optional(commandsSchema),
  entrypoint: z.optional(list),
  workdir: z.optional(text),
  env: z.optional(envSchema),
  ports: z.optional(portsSchema),
  openPorts: z.optional(portsSchema),
  port: z.optional(z.union([text, z.number()])),
  readiness: z.optional(readinessSchema),
  hardwareLimits: z.optional(limitsSchema),
  profiles: z.optional(z.record(z.string(), profileSchema)),
  defaultProfile: z.optional(text),
})

/** Known spellings that this version does not act on yet; each gives a warning that says so. */
const KNOWN_ONLY = new Set(
  (
    'expose install preinstall postinstall update volumes volumeOptions network enable repos health containerSecurity runtime ' +
    'lite-sandbox guest ploinky pwd ssoProvider sso httpServices publicServices webchat routerAccess endpoints capabilities ' +
    'startup configProviders providesConfig llmRuntime hosthook_aftercreation hosthook_postinstall secrets'
  ).split(' '),
)
/** Informational: passed through, nothing to act on. */
const INFORMATION = new Set(
  'name id version ideSettings applicationPlugins identity provides $schema author license'.split(' '),
)
const HONOURED = Object.keys(manifestSchema.shape)
const PROFILE_HONOURED = Object.keys(profileSchema.shape)

export interface Readiness {
  readonly protocol: 'tcp' | 'mcp' | 'http' | 'none'
  /** Container port; null: the primary one. */
  readonly port: number | null
  readonly path: string
  readonly timeoutSeconds: number | null
}

/** The normal form. `main` says what the container's main process is. */
export interface Manifest {
  readonly about: string
  /** OCI reference. */
  readonly image: string
  readonly main:
    | { readonly kind: 'agent-server' }
    /** A shell command line, run by `sh -c` in the code folder. */
    | { readonly kind: 'command'; readonly line: string }
    /** Arguments to the image's own entry point. */
    | { readonly kind: 'image'; readonly args: readonly string[] }
  /** Command line of the interactive program; null: the default one. */
  readonly cli: string | null
  readonly entrypoint: readonly string[] | null
  readonly workdir: string | null
  readonly env: readonly EnvEntry[]
  readonly ports: readonly PublishedPort[]
  readonly readiness: Readiness
  readonly limits: { readonly memoryBytes: number | null; readonly cpus: number | null; readonly pids: number | null }
  readonly codeMount: 'rw' | 'ro'
  readonly warnings: readonly Problem[]
}

export const DEFAULT_IMAGE = 'docker.io/library/node:24-alpine'
export const PRIMARY_PORT = 7000
export const MAX_BYTES = 1024 * 1024
/** A manifest needs five levels. */
const MAX_DEPTH = 32
/** More than anybody reads at once. */
const MAX_PROBLEMS = 50

type Raw = z.output<typeof manifestSchema>

function unknownKeys(value: object | undefined, prefix: string, honoured: readonly string[]): Problem[] {
  return Object.keys(value ?? {})
    .filter((key) => !honoured.includes(key) && !INFORMATION.has(key))
    .map((key) => {
      const near = KNOWN_ONLY.has(key) ? null : nearest(key, honoured)
      const unknown = `unknown key, ignored${near === null ? '' : `; did you mean "${near}"?`}`
      return {
        path: childPath(prefix, key),
        message: KNOWN_ONLY.has(key) ? 'known, not honoured by this version' : unknown,
      }
    })
}

function warningsOf(raw: Raw): Problem[] {
  const profiles = Object.entries(raw.profiles ?? {}).flatMap(([name, profile]) => {
    const prefix = childPath('profiles', name)
    return [
      ...unknownKeys(profile, prefix, PROFILE_HONOURED),
      ...unknownKeys(profile.mounts, `${prefix}.mounts`, ['code']),
    ]
  })
  return [
    ...unknownKeys(raw, '', HONOURED),
    ...unknownKeys(raw.readiness, 'readiness', Object.keys(readinessSchema.shape)),
    ...unknownKeys(raw.hardwareLimits, 'hardwareLimits', Object.keys(limitsSchema.shape)),
    ...unknownKeys(raw.commands, 'commands', Object.keys(commandsSchema.shape)),
    ...profiles,
  ]
}

const nonEmpty = (value: string | undefined): string | null =>
  value === undefined || value.trim() === '' ? null : value

function wordsOf(line: string, path: string, problems: Problem[]): readonly string[] {
  const { words, closed } = splitWords(line)
  if (!closed) problems.push({ path, message: 'a quote is not closed' })
  return words
}

function mainOf(raw: Raw, problems: Problem[]): Manifest['main'] {
  const line = nonEmpty(raw.agent) ?? nonEmpty(raw.commands?.run)
  if (line !== null) return { kind: 'command', line }
  const start = nonEmpty(raw.start)
  return start === null ? { kind: 'agent-server' } : { kind: 'image', args: wordsOf(start, 'start', problems) }
}

function entrypointOf({ entrypoint }: Raw, problems: Problem[]): Manifest['entrypoint'] {
  if (entrypoint === undefined) return null
  return typeof entrypoint === 'string' ? wordsOf(entrypoint, 'entrypoint', problems) : entrypoint
}

/** Bytes of `512m`, `2g`, `1024`; null when it is not a size. */
export function parseBytes(value: string | number): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(String(value).trim())
  if (match === null) return null
  const power = ['', 'k', 'm', 'g', 't'].indexOf((match[2] ?? '').toLowerCase())
  const bytes = Math.round(Number(match[1]) * 1024 ** power)
  return Number.isSafeInteger(bytes) ? bytes : null
}

function limitsOf(raw: Raw, problems: Problem[]): Manifest['limits'] {
  const { memory, cpus, pidsLimit } = raw.hardwareLimits ?? {}
  const memoryBytes = memory === undefined ? null : parseBytes(memory)
  if (memory !== undefined && (memoryBytes === null || memoryBytes < 6 * 1024 * 1024)) {
    problems.push({
      path: 'hardwareLimits.memory',
      message: `expected a size of at least 6m such as "512m", found ${show(memory)}`,
    })
  }
  const cpuCount = cpus === undefined ? null : /^\d+(?:\.\d+)?$/.test(String(cpus)) ? Number(cpus) : Number.NaN
  if (cpuCount !== null && !(cpuCount > 0 && cpuCount <= 1024)) {
    problems.push({
      path: 'hardwareLimits.cpus',
      message: `expected a number of processors, found ${show(cpus)}`,
    })
  }
  return { memoryBytes, cpus: cpuCount, pids: pidsLimit ?? null }
}

/** Effective profile: `default` under the active one (facts of the original: missing active means default alone). */
function profileOf(raw: Raw, active: string) {
  const base = own(raw.profiles, 'default') ?? {}
  const over = active === 'default' ? {} : (own(raw.profiles, active) ?? {})
  return { base, over }
}

/** The ports that count, and the key path they came from. */
function portsOf(raw: Raw, profile: string): [Raw['ports'], string] {
  const { base, over } = profileOf(raw, profile)
  const active = childPath('profiles', profile)
  const places: [Raw['ports'], string][] = [
    [over.openPorts, `${active}.openPorts`],
    [over.ports, `${active}.ports`],
    [base.openPorts, 'profiles.default.openPorts'],
    [base.ports, 'profiles.default.ports'],
    [raw.openPorts, 'openPorts'],
    [raw.ports, 'ports'],
    [raw.port, 'port'],
  ]
  return places.find(([value]) => value !== undefined) ?? [undefined, 'ports']
}

function environmentOf(raw: Raw, profile: string, problems: Problem[]): readonly EnvEntry[] {
  const { base, over } = profileOf(raw, profile)
  const env = [
    ...normalizeEnv(raw.env, 'env', problems),
    ...normalizeEnv(base.env, 'profiles.default.env', problems),
    ...normalizeEnv(over.env, `${childPath('profiles', profile)}.env`, problems),
  ]
  // Later entries of the same name win.
  return [...new Map(env.map((entry) => [entry.name, entry])).values()]
}

function readinessOf({ readiness = {} }: Raw, main: Manifest['main']): Readiness {
  return {
    protocol: readiness.protocol ?? (main.kind === 'image' ? 'tcp' : 'mcp'),
    port: readiness.port ?? null,
    path: readiness.path ?? '/',
    timeoutSeconds: readiness.timeoutSeconds ?? null,
  }
}

function normalizeManifest(raw: Raw, profile: string, problems: Problem[]): Manifest {
  checkTexts(raw, problems)
  const { base, over } = profileOf(raw, profile)
  const main = mainOf(raw, problems)
  return {
    about: raw.about ?? raw.description ?? '',
    image: raw.container ?? raw.image ?? DEFAULT_IMAGE,
    main,
    cli: nonEmpty(raw.cli) ?? nonEmpty(raw.commands?.cli),
    entrypoint: entrypointOf(raw, problems),
    workdir: raw.workdir ?? null,
    env: environmentOf(raw, profile, problems),
    ports: parsePorts(...portsOf(raw, profile), problems),
    readiness: readinessOf(raw, main),
    limits: limitsOf(raw, problems),
    codeMount: over.mounts?.code ?? base.mounts?.code ?? (profile === 'dev' ? 'rw' : 'ro'),
    warnings: warningsOf(raw),
  }
}

/** Text of a manifest.json -> normal form; MANIFEST_INVALID lists every problem with its key path and line. */
export function parseManifest(source: string, options: { file: string; profile: string }): Manifest {
  const { file } = options
  if (source.length > MAX_BYTES) throw manifestInvalid(file, `larger than ${MAX_BYTES} bytes`)
  // Before anything that recurses sees it.
  if (jsonDepth(source) > MAX_DEPTH) throw manifestInvalid(file, `nested deeper than ${MAX_DEPTH} levels`)
  const json = parseJson(source)
  if (!json.ok) throw manifestInvalid(file, json.problem, { line: json.line, column: json.column })
  const places = placesInJson(source)
  const located = ({ path, message }: Problem): Problem => {
    const line = places.lineOf(path)
    return { path, message: `${message} (line ${line})`, line }
  }
  const fail = (problems: readonly Problem[]): PloinkyError => {
    const shown = problems.slice(0, MAX_PROBLEMS).map(located)
    const more = problems.length - shown.length
    return manifestInvalid(file, `${problemText(shown)}${more > 0 ? `; and ${more} more` : ''}`, { problems: shown })
  }
  const checked = manifestSchema.safeParse(json.value)
  if (!checked.success) throw fail(problemsOf(checked.error, json.value, HONOURED))
  const problems: Problem[] = places.forbidden.map((path) => ({ path, message: 'not a possible key' }))
  const manifest = normalizeManifest(checked.data, options.profile, problems)
  if (problems.length > 0) throw fail(problems)
  const twice = places.duplicates.map((path) => ({ path, message: 'given twice, the last one counts' }))
  return { ...manifest, warnings: [...twice, ...manifest.warnings].slice(0, MAX_PROBLEMS).map(located) }
}

export function manifestInvalid(file: string, problem: string, details: Record<string, unknown> = {}): PloinkyError {
  return new PloinkyError('MANIFEST_INVALID', `Invalid manifest "${file}": ${problem}`, {
    hint: `Correct the manifest: ${file}`,
    details: { file, ...details },
  })
}
