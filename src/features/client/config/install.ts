/** `mcp config`: shows or writes what a client needs. Nothing is written without a copy of what was there. */
import { dirname, join } from 'node:path'
import { nearest } from '../../../core/id.ts'
import { PloinkyError, quoteWord } from '../../../core/error.ts'
import type { Services } from '../../../services.ts'
import { endpointPath } from '../connect.ts'
import { type CommandLine, MCP_CLIENTS, type McpClient, TOKEN_VARIABLE } from './clients.ts'
import { diffOf, type Entry, snippet, withEntry } from './edit.ts'

export interface ConfigRequest {
  readonly client: string
  /** Null: all agents. */
  readonly agent: string | null
  /** Name of the server for the client. */
  readonly name: string | null
  /** The file of this workspace, which may be committed, instead of the user's. */
  readonly project: boolean
  /** The client calls the router itself instead of starting a command. */
  readonly http: boolean
  readonly npx: boolean
  readonly write: 'no' | 'dry' | 'yes'
}

export interface ConfigResult {
  readonly client: string
  readonly title: string
  readonly file: string
  readonly name: string
  readonly outcome: 'shown' | 'would-change' | 'changed' | 'unchanged'
  readonly text: string
  /** The client's own command that does the same. */
  readonly command: string | null
  readonly diff: string | null
  readonly backup: string | null
  readonly next: string
  readonly notes: readonly string[]
}

type ConfigServices = Pick<Services, 'platform' | 'paths' | 'client' | 'router' | 'settings' | 'version'>

const NAME = /^[A-Za-z][\w-]{0,62}$/
const DEFAULT_NAME = 'ploinky'

function clientOf(id: string): McpClient {
  const found = MCP_CLIENTS.find((client) => client.id === id)
  if (found !== undefined) return found
  const ids = MCP_CLIENTS.map((client) => client.id)
  const near = nearest(id, ids)
  throw new PloinkyError('USAGE_INVALID', `Unknown client "${id}"`, {
    hint: near === null ? `One of: ${ids.join(', ')}` : `Did you mean "${near}"? Known: ${ids.join(', ')}`,
    details: { available: ids },
  })
}

function nameOf({ name, agent }: ConfigRequest): string {
  const chosen = name ?? (agent === null ? DEFAULT_NAME : `${DEFAULT_NAME}-${agent.replace(/[^\w-]/g, '-')}`)
  if (NAME.test(chosen)) return chosen
  throw new PloinkyError('NAME_INVALID', `Not a name for a server: ${JSON.stringify(chosen.slice(0, 80))}`, {
    hint: 'Use a letter, then letters, digits, "-" and "_"',
  })
}

/** The program that runs now, by its own path: clients with a window have another PATH than shells, and no stranger is fetched. */
function program({ platform, version }: ConfigServices, { npx, project }: ConfigRequest): CommandLine {
  const self = platform.selfCommand([])
  // A path of this machine means nothing in a file that others get, and one in the cache of npx will be gone.
  if (project) return { file: 'npx', args: ['ploinky'] }
  const isCached = self.args.some((word) => /[/\\]_npx[/\\]/.test(word))
  return npx || isCached ? { file: 'npx', args: ['-y', `ploinky@${version}`] } : self
}

function stdioCommand(services: ConfigServices, request: ConfigRequest, client: McpClient): CommandLine {
  const { file, args } = program(services, request)
  // In a project, the folder that the client starts its servers in is the workspace or below it.
  const folder = request.project ? client.projectFolder : services.paths.root
  const workspace = folder === null ? [] : ['--workspace', folder]
  const agent = request.agent === null ? [] : ['--agent', request.agent]
  return { file, args: [...args, ...workspace, 'mcp', 'stdio', ...agent] }
}

async function urlOf({ client, router, settings }: ConfigServices, agent: string | null): Promise<string> {
  const { host, port } = settings.values
  const info = (await router.info()) ?? {
    host,
    port,
    pid: 0,
    startTicks: null,
    version: '',
    startedAt: '',
    watchdog: null,
  }
  return `${client.baseUrl(info)}${endpointPath(agent)}`
}

async function entryOf(services: ConfigServices, request: ConfigRequest, client: McpClient): Promise<Entry> {
  const name = nameOf(request)
  if (!request.http) return { name, value: client.stdio(stdioCommand(services, request, client)), asked: null }
  if (client.http === null) {
    throw new PloinkyError('CAPABILITY_UNSUPPORTED', `${client.title} can only keep a token in its file`, {
      hint: 'Leave out --http: a started command needs no token',
    })
  }
  const { entry, asked } = client.http(await urlOf(services, request.agent))
  return { name, value: entry, asked: asked ?? null }
}

function fileOf({ platform, paths }: ConfigServices, { project }: ConfigRequest, client: McpClient): string {
  const { os, env } = platform
  if (!project) return client.file({ platform: os.platform, home: os.homeDir, env })
  if (client.projectFile !== null) return join(paths.root, client.projectFile)
  throw new PloinkyError('CAPABILITY_UNSUPPORTED', `${client.title} has no file for projects`, {
    hint: 'Leave out --project',
  })
}

function notesOf({ platform }: ConfigServices, { http, project }: ConfigRequest, client: McpClient): string[] {
  const fromEnv = http && client.id !== 'vscode'
  return [
    ...(fromEnv
      ? [`${client.title} takes the token from its environment: export ${TOKEN_VARIABLE}="$(ploinky token)"`]
      : []),
    ...(project && !http
      ? ['Whoever uses the file needs ploinky where npx finds it (npm install --save-dev ploinky)']
      : []),
    ...(!http && platform.env['PLOINKY_MASTER_KEY'] !== undefined
      ? ['The secrets of this workspace are encrypted: the client needs PLOINKY_MASTER_KEY in its environment']
      : []),
  ]
}

/** Words as a shell takes them, to be copied. */
const quoted = (words: readonly string[]): string => words.map(quoteWord).join(' ')

async function write(
  { platform: { fs } }: ConfigServices,
  at: { file: string; before: string | null; after: string; project: boolean },
): Promise<string | null> {
  // Dotfiles are often links into a repository of their own.
  const target = (await fs.realPath(at.file)) ?? at.file
  const mode = (await fs.stat(target))?.mode ?? (at.project ? 0o644 : 0o600)
  if ((await fs.readText(target)) !== at.before) {
    throw new PloinkyError('CONFLICT', `"${at.file}" was changed by somebody else just now`, { hint: 'Run it again' })
  }
  let backup: string | null = null
  if (at.before !== null) {
    backup = `${target}.bak-${new Date().toISOString().replace(/[:.]/g, '-')}`
    await fs.writeAtomic(backup, at.before, { mode: mode & 0o777 })
  }
  await fs.mkdir(dirname(target))
  await fs.writeAtomic(target, at.after, { mode: mode & 0o777 })
  return backup
}

export async function configure(services: ConfigServices, request: ConfigRequest): Promise<ConfigResult> {
  const client = clientOf(request.client)
  const entry = await entryOf(services, request, client)
  const file = fileOf(services, request, client)
  const own =
    request.http || request.project ? undefined : client.own?.(entry.name, stdioCommand(services, request, client))
  const result = {
    ...{ client: client.id, title: client.title, file, name: entry.name, next: client.next },
    text: snippet(client, entry),
    command: own === undefined ? null : quoted(own),
    notes: notesOf(services, request, client),
    ...{ diff: null, backup: null },
  }
  if (request.write === 'no') return { ...result, outcome: 'shown' }
  const before = await services.platform.fs.readText(file)
  const after = withEntry(before ?? '', client, { ...entry, file })
  if (after === before) return { ...result, outcome: 'unchanged' }
  const diff = diffOf(before ?? '', after, file)
  if (request.write === 'dry') return { ...result, outcome: 'would-change', diff }
  const backup = await write(services, { file, before, after, project: request.project })
  return { ...result, outcome: 'changed', diff, backup }
}
