/** A published MCP server as an agent: its manifest and the files beside it. */
import { DEFAULT_IMAGE } from '../../../config/manifest/index.ts'
import { PloinkyError } from '../../../core/error.ts'
import type { Settings } from '../../../config/settings.ts'
import type { ProcessRunner } from '../../../core/process.ts'
import type { Runtimes } from '../../agents/index.ts'
import type { TemplateFile } from '../template.ts'
import { lookUpNpm, lookUpPypi } from './registry.ts'
import { agentNameOf, type EnvOf, parseEnv, parseSourceWords, type ServerWords, type Source } from './source.ts'

export interface ServerPlan {
  readonly name: string
  readonly image: string
  /** What is run, word by word. */
  readonly argv: readonly string[]
  /** Runs in the container before, once. */
  readonly install: string | null
  /** The exact package, `name@version`; null for images and commands. */
  readonly package: string | null
  readonly env: readonly string[]
  readonly files: readonly TemplateFile[]
}

/** What it asks. */
export interface ServerServices {
  readonly platform: { readonly processes: Pick<ProcessRunner, 'run' | 'which'> }
  readonly runtimes: Pick<Runtimes, 'use' | 'firstEngine'>
  readonly settings: { readonly values: Pick<Settings, 'runtime'> }
}

interface PlanOptions {
  readonly signal: AbortSignal
  readonly progress: (text: string) => void
}

interface Program {
  readonly image: string
  readonly argv: readonly string[]
  readonly about: string
  readonly package?: string
  readonly install?: string
  /** Of `code/package.json`: installed once, mounted at /node_modules, there without a network. */
  readonly dependencies?: Readonly<Record<string, string>>
}

const PYTHON_IMAGE = 'docker.io/library/python:3-alpine'
/** Where the packages of an agent are mounted. */
const BIN_DIR = '/node_modules/.bin'
const EXACT = /^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/

function chooseBin(name: string, bins: readonly string[], wanted: string | null): string {
  const own = name.split('/').at(-1) ?? name
  const found =
    wanted === null
      ? bins.length === 1
        ? bins[0]
        : bins.find((bin) => bin === own)
      : bins.find((bin) => bin === wanted)
  if (found !== undefined) return found
  const message =
    bins.length === 0 ? `Package "${name}" has no program` : `Package "${name}" has the programs ${bins.join(', ')}`
  throw new PloinkyError('USAGE_INVALID', message, {
    hint: bins.length === 0 ? 'Choose a package that can be run' : `Choose one: --bin ${bins[0] ?? 'NAME'}`,
    details: { available: bins },
  })
}

async function npmProgram(
  services: ServerServices,
  { source, bin }: { source: Source & { kind: 'npm' }; bin: string | null },
  { signal, progress }: PlanOptions,
): Promise<Program> {
  const { name, range } = source
  progress(`asking npm for ${name}`)
  const found = await lookUpNpm(services.platform.processes, name, { range, signal })
  const about = `MCP server of the npm package ${name}`
  if (found !== null) {
    const argv = [`${BIN_DIR}/${chooseBin(name, found.bins, bin)}`]
    const exact = { package: `${name}@${found.version}`, dependencies: { [name]: found.version } }
    return { image: DEFAULT_IMAGE, about, argv, ...exact }
  }
  if (range === null || !EXACT.test(range)) {
    throw new PloinkyError('USAGE_INVALID', 'There is no npm on this machine to ask for the version', {
      hint: `Give the exact one: --npm ${name}@1.2.3`,
    })
  }
  const spec = `${name}@${range}`
  const argv = bin === null ? ['npx', '-y', spec] : ['npx', '-y', '--package', spec, '--', bin]
  return { image: DEFAULT_IMAGE, about, argv, package: spec }
}

async function pypiProgram(
  source: Source & { kind: 'pypi' },
  bin: string | null,
  options: PlanOptions,
): Promise<Program> {
  const { name, extras } = source
  if (source.version === null) options.progress(`asking PyPI for ${name}`)
  const version = source.version ?? (await lookUpPypi(name, options.signal))
  const spec = `${name}${extras}==${version}`
  return {
    image: PYTHON_IMAGE,
    about: `MCP server of the PyPI package ${name}`,
    argv: [bin ?? name],
    package: spec,
    // Every character of it was checked; none means anything to a shell between these quotes.
    install: `pip install --quiet --no-cache-dir --disable-pip-version-check --root-user-action=ignore '${spec}'`,
  }
}

/** What the image runs by itself. It is fetched for that, as it has to be anyway. */
async function imageCommand(
  { runtimes, settings }: ServerServices,
  reference: string,
  { signal, progress }: PlanOptions,
) {
  const { runtime } = settings.values
  const adapter =
    runtime === 'auto'
      ? await runtimes.firstEngine()
      : await runtimes.use(runtime as Parameters<typeof runtimes.use>[0])
  if (adapter === null || !adapter.capabilities.images) {
    throw new PloinkyError('RUNTIME_UNAVAILABLE', `No container engine can say what image "${reference}" runs`, {
      hint: 'Run: ploinky doctor; or say what to run: --command "program argument"',
    })
  }
  const pulling = adapter.ensureImage(reference, 'missing', { signal })
  for (;;) {
    const step = await pulling.next()
    if (step.done === true) return step.value.command ?? null
    progress(`pulling ${reference}: ${step.value.message}`)
  }
}

async function imageProgram(
  services: ServerServices,
  { reference, argv }: Source & { kind: 'image' },
  { args, options }: { args: readonly string[]; options: PlanOptions },
): Promise<Program> {
  const about = `MCP server of the image ${reference}`
  if (argv !== null) return { image: reference, argv, about }
  const own = await imageCommand(services, reference, options)
  // Arguments stand in place of the image's own ones.
  const program = own === null ? [] : args.length > 0 ? own.entrypoint : [...own.entrypoint, ...own.arguments]
  if (program.length + args.length > 0) return { image: reference, argv: program, about }
  throw new PloinkyError('USAGE_INVALID', `Image "${reference}" has no program of its own`, {
    hint: 'Say what to run: --command "program argument"',
  })
}

function programOf(services: ServerServices, words: ServerWords, options: PlanOptions): Promise<Program> | Program {
  const source = parseSourceWords(words)
  switch (source.kind) {
    case 'npm':
      return npmProgram(services, { source, bin: words.bin }, options)
    case 'pypi':
      return pypiProgram(source, words.bin, options)
    case 'image':
      return imageProgram(services, source, { args: words.args, options })
    case 'command':
      return { image: DEFAULT_IMAGE, argv: source.argv, about: 'MCP server of a command' }
  }
}

/** One word of a line that a manifest splits again. */
const word = (text: string): string => (/^[^\s"'\\]+$/.test(text) ? text : `"${text.replace(/[\\"]/g, '\\$&')}"`)

/** One word of a line that a person may run. */
export const shown = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : JSON.stringify(text))

function envEntry({ name, from, value }: EnvOf): unknown {
  if (from !== null) return { name, varName: from, required: true }
  return value === null ? { name, required: true } : { name, default: value }
}

function manifestOf(
  program: Program,
  argv: readonly string[],
  { http, env }: { http: number | null; env: readonly EnvOf[] },
) {
  const speech =
    http === null
      ? { mcp: { transport: 'stdio', command: argv } }
      : {
          // The whole command, not what the image puts in front of it.
          ...{ entrypoint: [], start: argv.map(word).join(' ') },
          ...{ mcp: { transport: 'http', port: http }, readiness: { protocol: 'mcp', port: http } },
        }
  return {
    about: program.about,
    container: program.image,
    ...speech,
    ...(program.install === undefined ? {} : { install: program.install }),
    ...(env.length === 0 ? {} : { env: env.map(envEntry) }),
  }
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

function readme(name: string, program: Program, argv: readonly string[]): string {
  const exact = program.package === undefined ? '' : ` Its version is fixed: \`${program.package}\`.`
  return [
    `# ${name}`,
    '',
    `${program.about}.${exact} It runs in \`${program.image}\` as:`,
    '',
    '```',
    argv.map(shown).join(' '),
    '```',
    '',
    `Start it with \`ploinky start ${name}\`, see its tools with \`ploinky client list tools --agent ${name}\`.`,
    'Change `manifest.json` as you like: it is yours.',
    '',
  ].join('\n')
}

/** Asks registries and engines, and writes nothing. */
export async function planServer(
  services: ServerServices,
  words: ServerWords,
  options: PlanOptions,
): Promise<ServerPlan> {
  const name = agentNameOf(parseSourceWords(words), words.name)
  const env = parseEnv(words.env)
  const program = await programOf(services, words, options)
  const argv = [...program.argv, ...words.args]
  const files: TemplateFile[] = [
    { path: 'manifest.json', text: json(manifestOf(program, argv, { http: words.http, env })) },
    { path: 'README.md', text: readme(name, program, argv) },
    ...(program.dependencies === undefined
      ? []
      : [{ path: 'code/package.json', text: json({ private: true, dependencies: program.dependencies }) }]),
  ]
  return {
    ...{ name, image: program.image, argv, install: program.install ?? null, package: program.package ?? null },
    ...{ env: env.map(({ name: variable, from }) => (from === null ? variable : `${variable} from ${from}`)), files },
  }
}
