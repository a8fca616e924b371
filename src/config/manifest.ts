/**
 * The manifest: what authors write (both generations of spellings) -> one normal form.
 * Nothing is dropped in silence: a key that is not known, or known and not honoured, is a warning with its path.
 */
import * as z from 'zod'
import { PloinkyError } from '../core/error.ts'
import { parseJson } from '../core/json.ts'
import { problemsOf, problemText, type Problem } from './check.ts'
import { type EnvEntry, normalizeEnv } from './manifest-env.ts'
import { parsePorts, type PublishedPort } from './manifest-ports.ts'

const text = z.string()
const list = z.union([text, z.array(text)])
const envSchema = z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())])
const portsSchema = z.union([text, z.number(), z.array(z.union([text, z.number()]))])
const readinessSchema = z.looseObject({
  protocol: z.optional(z.enum(['tcp', 'mcp', 'http', 'none'])),
  port: z.optional(z.int().min(1).max(65535)),
  path: z.optional(text),
  timeoutSeconds: z.optional(z.number().positive().max(3600)),
})
const limitsSchema = z.looseObject({
  memory: z.optional(z.union([text, z.number()])),
  cpus: z.optional(z.union([text, z.number()])),
  pidsLimit: z.optional(z.int().min(1).max(1_000_000)),
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
const MAX_BYTES = 1024 * 1024

type Raw = z.output<typeof manifestSchema>

function warningsOf(raw: Raw): Problem[] {
  const check = (value: object, prefix: string, honoured: readonly string[]): Problem[] =>
    Object.keys(value)
      .filter((key) => !honoured.includes(key) && !INFORMATION.has(key))
      .map((key) => ({
        path: `${prefix}${key}`,
        message: KNOWN_ONLY.has(key) ? 'known, not honoured by this version' : 'unknown key, ignored',
      }))
  const profiles = Object.entries(raw.profiles ?? {}).flatMap(([name, profile]) =>
    check(profile, `profiles.${name}.`, PROFILE_HONOURED),
  )
  return [...check(raw, '', HONOURED), ...profiles]
}

/** Words of a `start` line: split at spaces, quotes keep words together. No expansion of any kind. */
export function splitWords(line: string): string[] {
  const words: string[] = []
  for (const match of line.matchAll(/(?:[^\s"']+|"(?:[^"\\]|\\.)*"|'[^']*')+/g)) {
    words.push(
      match[0].replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_all, double?: string, single?: string) =>
        double === undefined ? (single ?? '') : double.replace(/\\(.)/g, '$1'),
      ),
    )
  }
  return words
}

const nonEmpty = (value: string | undefined): string | null =>
  value === undefined || value.trim() === '' ? null : value

function mainOf(raw: Raw): Manifest['main'] {
  const line = nonEmpty(raw.agent) ?? nonEmpty(raw.commands?.run)
  if (line !== null) return { kind: 'command', line }
  const start = nonEmpty(raw.start)
  return start === null ? { kind: 'agent-server' } : { kind: 'image', args: splitWords(start) }
}

/** Bytes of `512m`, `2g`, `1024`; null when it is not a size. */
export function parseBytes(value: string | number): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(String(value).trim())
  if (match === null) return null
  const power = ['', 'k', 'm', 'g', 't'].indexOf((match[2] ?? '').toLowerCase())
  return Math.round(Number(match[1]) * 1024 ** power)
}

function limitsOf(raw: Raw, problems: Problem[]): Manifest['limits'] {
  const { memory, cpus, pidsLimit } = raw.hardwareLimits ?? {}
  const memoryBytes = memory === undefined ? null : parseBytes(memory)
  if (memory !== undefined && (memoryBytes === null || memoryBytes < 6 * 1024 * 1024)) {
    problems.push({
      path: 'hardwareLimits.memory',
      message: `expected a size of at least 6m such as "512m", found ${JSON.stringify(memory)}`,
    })
  }
  const cpuCount = cpus === undefined ? null : Number(cpus)
  if (cpuCount !== null && !(cpuCount > 0 && cpuCount <= 1024)) {
    problems.push({
      path: 'hardwareLimits.cpus',
      message: `expected a number of processors, found ${JSON.stringify(cpus)}`,
    })
  }
  return { memoryBytes, cpus: cpuCount, pids: pidsLimit ?? null }
}

function checkText(raw: Raw, problems: Problem[]): void {
  for (const key of ['container', 'image', 'workdir', 'agent', 'start', 'cli'] as const) {
    const value = raw[key]
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    if (value !== undefined && /[\u0000-\u0008\u000b-\u001f]/.test(value)) {
      problems.push({ path: key, message: 'control characters are not allowed' })
    }
  }
  const image = raw.container ?? raw.image
  if (image !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/.test(image)) {
    problems.push({
      path: raw.container === undefined ? 'image' : 'container',
      message: `expected an image reference, found ${JSON.stringify(image)}`,
    })
  }
  if (raw.workdir !== undefined && !raw.workdir.startsWith('/')) {
    problems.push({ path: 'workdir', message: `expected an absolute path, found ${JSON.stringify(raw.workdir)}` })
  }
}

/** Effective profile: `default` under the active one (facts of the original: missing active means default alone). */
function profileOf(raw: Raw, active: string) {
  const base = raw.profiles?.['default'] ?? {}
  const over = active === 'default' ? {} : (raw.profiles?.[active] ?? {})
  return { base, over }
}

export function normalizeManifest(raw: Raw, profile: string, problems: Problem[]): Manifest {
  checkText(raw, problems)
  const { base, over } = profileOf(raw, profile)
  const main = mainOf(raw)
  const entrypoint =
    raw.entrypoint === undefined
      ? null
      : typeof raw.entrypoint === 'string'
        ? splitWords(raw.entrypoint)
        : raw.entrypoint
  const env = [
    ...normalizeEnv(raw.env, 'env', problems),
    ...normalizeEnv(base.env, 'profiles.default.env', problems),
    ...normalizeEnv(over.env, `profiles.${profile}.env`, problems),
  ]
  const portSource =
    over.openPorts ?? over.ports ?? base.openPorts ?? base.ports ?? raw.openPorts ?? raw.ports ?? raw.port
  return {
    about: raw.about ?? raw.description ?? '',
    image: raw.container ?? raw.image ?? DEFAULT_IMAGE,
    main,
    cli: nonEmpty(raw.cli) ?? nonEmpty(raw.commands?.cli),
    entrypoint,
    workdir: raw.workdir ?? null,
    // Later entries of the same name win.
    env: [...new Map(env.map((entry) => [entry.name, entry])).values()],
    ports: parsePorts(portSource, 'ports', problems),
    readiness: {
      protocol: raw.readiness?.protocol ?? (main.kind === 'image' ? 'tcp' : 'mcp'),
      port: raw.readiness?.port ?? null,
      path: raw.readiness?.path ?? '/',
      timeoutSeconds: raw.readiness?.timeoutSeconds ?? null,
    },
    limits: limitsOf(raw, problems),
    codeMount: over.mounts?.code ?? base.mounts?.code ?? (profile === 'dev' ? 'rw' : 'ro'),
    warnings: warningsOf(raw),
  }
}

/** Text of a manifest.json -> normal form; MANIFEST_INVALID lists every problem with its key path. */
export function parseManifest(source: string, options: { file: string; profile: string }): Manifest {
  const fail = (problems: readonly Problem[]): PloinkyError =>
    new PloinkyError('MANIFEST_INVALID', `Invalid manifest "${options.file}": ${problemText(problems)}`, {
      hint: `Correct the manifest: ${options.file}`,
      details: { file: options.file, problems },
    })
  if (source.length > MAX_BYTES) throw fail([{ path: '(root)', message: `larger than ${MAX_BYTES} bytes` }])
  const json = parseJson(source)
  if (!json.ok) throw fail([{ path: `line ${json.line}`, message: json.problem }])
  const checked = manifestSchema.safeParse(json.value)
  if (!checked.success) throw fail(problemsOf(checked.error, json.value, HONOURED))
  const problems: Problem[] = []
  const manifest = normalizeManifest(checked.data, options.profile, problems)
  if (problems.length > 0) throw fail(problems)
  return manifest
}
