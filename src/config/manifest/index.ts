/**
 * The manifest: what authors write (both generations of spellings) -> one normal form for one profile.
 * Nothing is dropped in silence: a key that is not known, or known and not acted upon, is a warning with its path.
 */
import { PloinkyError } from '../../core/error.ts'
import { isName } from '../../core/id.ts'
import { jsonDepth, placesInJson } from '../../core/json-places.ts'
import { childPath, parseJson } from '../../core/json.ts'
import { problemsOf, problemText, show, type Problem } from '../check.ts'
import { dependenciesOf } from './dependencies.ts'
import { environmentOf, secretsOf } from './env.ts'
import { rootNames } from './fields.ts'
import { type Layers, layersOf } from './layers.ts'
import { limitsOf, networkOf, securityOf } from './network.ts'
import { parsePorts } from './ports.ts'
import { healthOf, restartOf } from './probes.ts'
import { isTrue, manifestSchema, type Raw } from './schema.ts'
import { checkTexts, textProblem } from './text.ts'
import type { Hook, HookName, Main, Manifest, Readiness } from './types.ts'
import { callsOf, speechOf } from './mcp.ts'
import { volumesOf } from './volumes.ts'
import { warningsOf } from './warnings.ts'
import { splitWords } from './words.ts'

export type * from './types.ts'
export { isRef, parseDependency } from './dependencies.ts'
export { DEFAULT_RESTART } from './probes.ts'

export const DEFAULT_IMAGE = 'docker.io/library/node:24-alpine'
export const PRIMARY_PORT = 7000
export const MAX_BYTES = 1024 * 1024
/** Long enough for a person who thinks between two calls. */
const DEFAULT_IDLE_SECONDS = 600
/** A manifest needs six levels. */
const MAX_DEPTH = 32
/** More than anybody reads at once. */
const MAX_PROBLEMS = 50
const HOOKS: readonly HookName[] = [
  'preinstall',
  'hosthook_aftercreation',
  'install',
  'postinstall',
  'hosthook_postinstall',
]

const nonEmpty = (value: string | undefined): string | null =>
  value === undefined || value.trim() === '' ? null : value

function wordsOf(line: string, path: string, problems: Problem[]): readonly string[] {
  const { words, closed } = splitWords(line)
  if (!closed) problems.push({ path, message: 'a quote is not closed' })
  return words
}

/** `start` is the image's own; with it, `agent` runs beside. */
function mainOf(raw: Raw, problems: Problem[]): { main: Main; sidecar: string | null; path: string | null } {
  const line = nonEmpty(raw.agent) ?? nonEmpty(raw.commands?.run)
  const linePath = nonEmpty(raw.agent) === null ? 'commands.run' : 'agent'
  const start = nonEmpty(raw.start)
  if (start !== null) {
    return { main: { kind: 'image', args: wordsOf(start, 'start', problems) }, sidecar: line, path: 'start' }
  }
  if (line !== null) return { main: { kind: 'command', line }, sidecar: null, path: linePath }
  if (raw.mcp?.transport === 'stdio') return { main: { kind: 'idle' }, sidecar: null, path: 'mcp' }
  return { main: { kind: 'agent-server' }, sidecar: null, path: null }
}

function cliOf(raw: Raw): { line: string | null; path: string | null } {
  const places: [string | undefined, string][] = [
    [raw.cli, 'cli'],
    [raw.commands?.cli, 'commands.cli'],
    [raw.run, 'run'],
  ]
  const found = places.find(([value]) => nonEmpty(value) !== null)
  return found === undefined ? { line: null, path: null } : { line: found[0] ?? null, path: found[1] }
}

function entrypointOf({ entrypoint }: Raw, problems: Problem[]): Manifest['entrypoint'] {
  if (entrypoint === undefined) return null
  return typeof entrypoint === 'string' ? wordsOf(entrypoint, 'entrypoint', problems) : entrypoint
}

/** A list of lines is run as one: the first that fails ends it. */
function hookOf(value: string | readonly string[], path: string, problems: Problem[]): Hook | null {
  const lines = (typeof value === 'string' ? [value] : value).filter((line) => line.trim() !== '')
  const problem = lines.map(textProblem).find((message) => message !== null)
  if (problem !== undefined) problems.push({ path, message: problem })
  return lines.length === 0 || problem !== undefined ? null : { line: lines.join(' && '), path }
}

function hooksOf(layers: Layers, problems: Problem[]): Manifest['hooks'] {
  return Object.fromEntries(
    HOOKS.flatMap((name) => {
      const picked = layers.pick(name)
      const hook = picked === null ? null : hookOf(picked.value, picked.path, problems)
      return hook === null ? [] : [[name, hook]]
    }),
  )
}

/**
 * `start` alone promises no more than an open port; an `agent` line, beside it or not, is a server of MCP, and so is a program
 * on standard streams.
 */
function readinessOf(
  { readiness = {}, mcp }: Raw,
  { main, sidecar }: { main: Main; sidecar: string | null },
): Readiness {
  const isPlain = main.kind === 'image' && sidecar === null && mcp?.transport !== 'stdio'
  return {
    protocol: readiness.protocol ?? (isPlain ? 'tcp' : 'mcp'),
    port: readiness.port ?? null,
    path: readiness.path ?? '/',
    timeoutSeconds: readiness.timeoutSeconds ?? null,
  }
}

/** dev may write the code it works on; everywhere else it is what was installed. */
function mountsOf(layers: Layers, profile: string): Manifest['mounts'] {
  const fallback = profile === 'dev' ? 'rw' : 'ro'
  const given: { code?: 'rw' | 'ro' | undefined; skills?: 'rw' | 'ro' | undefined } = {}
  for (const { value } of layers.every('mounts')) Object.assign(given, value)
  return { code: given.code ?? fallback, skills: given.skills ?? fallback }
}

function reposOf(raw: Raw, problems: Problem[]): Manifest['repos'] {
  const entries = Object.entries(raw.repos ?? {}).map(([name, value]) => {
    const path = childPath('repos', name)
    if (!isName(name)) problems.push({ path, message: `expected the name of a repository, found ${show(name)}` })
    const { url, branch } = typeof value === 'string' ? { url: value, branch: undefined } : value
    const problem = textProblem(url) ?? (/^(?:-|\s*$)/.test(url) ? `expected a URL, found ${show(url)}` : null)
    if (problem !== null) problems.push({ path, message: problem })
    if (branch !== undefined && !/^[\w][\w./-]{0,254}$/.test(branch))
      problems.push({ path: `${path}.branch`, message: `expected a branch, found ${show(branch)}` })
    return [name, { url, branch: branch ?? null }] as const
  })
  return Object.fromEntries(entries)
}

function resourceEnvOf(raw: Raw): Manifest['resourceEnv'] {
  return Object.entries(raw.runtime?.resources?.env ?? {}).map(([name, value]) => ({
    name,
    template: String(value),
    path: childPath('runtime.resources.env', name),
  }))
}

/** Fields of the root whose own name says where they come from. */
const ROOT_ONLY = ['readiness', 'health', 'restart', 'workdir', 'entrypoint'] as const

type Found = Readonly<Record<string, string | null | undefined>>

/** `known`: those that were found on the way. */
function originsOf(raw: Raw, layers: Layers, known: Found): Manifest['origins'] {
  const image = raw.container === undefined ? 'image' : 'container'
  const found: Found = {
    ...known,
    image: raw.container === undefined && raw.image === undefined ? null : image,
    security: layers.pick('containerSecurity')?.path,
    limits: raw.hardwareLimits === undefined ? null : 'hardwareLimits',
    mounts: layers.pick('mounts')?.path,
    ...Object.fromEntries(ROOT_ONLY.map((name) => [name, raw[name] === undefined ? null : name])),
  }
  return Object.fromEntries(Object.entries(found).filter((entry): entry is [string, string] => entry[1] != null))
}

/** The image, what runs in it, and what people see of it. */
function programOf(raw: Raw, problems: Problem[]) {
  const { main, sidecar, path } = mainOf(raw, problems)
  const cli = cliOf(raw)
  const fields = {
    about: raw.about ?? raw.description ?? '',
    image: raw.container ?? raw.image ?? DEFAULT_IMAGE,
    main,
    sidecar,
    cli: cli.line,
    entrypoint: entrypointOf(raw, problems),
    workdir: raw.workdir ?? null,
  }
  return { fields, paths: { command: path, cli: cli.path } }
}

function portsOf(raw: Raw, layers: Layers) {
  return layers.pick('openPorts', 'ports') ?? (raw.port === undefined ? null : { value: raw.port, path: 'port' })
}

function normalizeManifest(raw: Raw, profile: string, problems: Problem[]): Manifest {
  checkTexts(raw, problems)
  const layers = layersOf(raw, profile)
  const program = programOf(raw, problems)
  const ports = portsOf(raw, layers)
  const network = networkOf(layers, problems)
  return {
    ...program.fields,
    env: environmentOf(layers, problems),
    resourceEnv: resourceEnvOf(raw),
    secrets: secretsOf(layers, problems),
    ports: ports === null ? [] : parsePorts(ports.value, ports.path, problems),
    volumes: volumesOf(raw, layers, problems),
    network: network.need,
    security: securityOf(layers, problems),
    limits: limitsOf(raw, problems),
    mounts: mountsOf(layers, profile),
    readiness: readinessOf(raw, program.fields),
    health: healthOf(raw, problems),
    restart: restartOf(raw, problems),
    hooks: hooksOf(layers, problems),
    update: raw.update === undefined ? null : hookOf(raw.update, 'update', problems),
    dependencies: dependenciesOf(layers.every('enable'), problems),
    repos: reposOf(raw, problems),
    startup: raw.startup ?? 'automatic',
    idleSeconds: raw.idleSeconds ?? DEFAULT_IDLE_SECONDS,
    mcp: speechOf(raw, problems),
    calls: callsOf(raw, problems),
    liteSandbox: isTrue(raw['lite-sandbox']),
    profiles: layers.profiles,
    declaredProfiles: Object.keys(raw.profiles ?? {}),
    origins: originsOf(raw, layers, { ...program.paths, ports: ports?.path, network: network.path }),
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
    // In the order of the file, as it is corrected.
    const sorted = problems.map(located).toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
    const shown = sorted.slice(0, MAX_PROBLEMS)
    const more = problems.length - shown.length
    return manifestInvalid(file, `${problemText(shown)}${more > 0 ? `; and ${more} more` : ''}`, { problems: shown })
  }
  const checked = manifestSchema().safeParse(json.value)
  if (!checked.success) throw fail(problemsOf(checked.error, json.value, rootNames))
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
