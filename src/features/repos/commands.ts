/** Commands on repositories. */
import { columns } from '../../core/columns.ts'
import { type Command, type CommandContext, defineCommand, type Input, type Param } from '../../cli/command.ts'
import { exitCodeOf, toErrorBody } from '../../core/error.ts'
import type { Services } from '../../services.ts'
import type { RepoChange, RepoInfo, RepoUpdate } from './index.ts'
import { PREDEFINED } from './predefined.ts'

type Context = CommandContext<Services>

const text = (input: Input, name: string): string | null =>
  typeof input[name] === 'string' ? (input[name] as string) : null
const words = (input: Input, name: string): readonly string[] =>
  Array.isArray(input[name]) ? (input[name] as readonly string[]) : []

const repoParam: Param = {
  type: 'string',
  summary: 'Name of a repository',
  required: true,
  complete: 'repos',
  placeholder: 'name',
}
const branchParam: Param = { type: 'string', summary: 'Branch or tag (default: the main one)', placeholder: 'branch' }

const ways = (context: Context) => ({
  signal: context.signal,
  progress: (line: string, key: string) => context.out.progress(line, key),
})

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`

/** Seven digits, as git shows them. */
const short = (commit: string | null): string | null => commit?.slice(0, 7) ?? null

function renderChange(data: unknown): string {
  const repo = data as RepoChange & { warnings: readonly string[] }
  const place =
    repo.source === null ? '' : ` (${[repo.source, repo.branch, short(repo.commit)].filter(Boolean).join(', ')})`
  const done = { added: 'Added', enabled: 'Enabled', disabled: 'Disabled', removed: 'Removed', unchanged: 'Unchanged' }
  const holds = repo.enabled ? [`Holds ${count(repo.agents, 'agent')}, ${count(repo.skills, 'skill')}`] : []
  const next = repo.enabled && repo.agents > 0 ? ['Next: ploinky list agents'] : []
  return [`${done[repo.outcome]}: ${repo.name}${place}`, ...holds, ...repo.warnings, ...next].join('\n')
}

/** The change, with what a person should know about it. */
function noted(change: RepoChange): RepoChange & { warnings: string[] } {
  const what = change.skills > 0 ? 'only skills' : 'no agents'
  return {
    ...change,
    warnings: change.enabled && change.agents === 0 ? [`It holds ${what}: there is nothing to start`] : [],
  }
}

const addRepo = defineCommand<Services>({
  name: 'add repo',
  summary: 'Add a repository of agents: git, a folder or an archive; enables it',
  description:
    'A git repository is cloned. A folder is used in place, a git folder too with --link. An archive (.tar, .tar.gz, .tgz, .zip), here or on the web, is unpacked. ' +
    `Without a source: ${Object.keys(PREDEFINED).join(', ')}.`,
  group: 'Agents',
  positionals: ['name', 'source', 'branch'],
  params: {
    name: { type: 'string', summary: 'Name; without it, that of the source', required: true, placeholder: 'name' },
    source: { type: 'string', summary: 'Address, folder or archive', placeholder: 'source' },
    branch: branchParam,
    link: { type: 'boolean', summary: 'Use a git folder in place instead of cloning it' },
  },
  examples: [
    { run: 'ploinky add repo basic', does: 'one of the predefined repositories' },
    { run: 'ploinky add repo mine https://example.com/agents.git --branch main', does: 'a branch of a git repository' },
    { run: 'ploinky add repo ./agents', does: 'a folder, used in place' },
  ],
  access: 'session',
  permission: 'admin',
  http: { method: 'POST', path: '/repositories' },
  async run(input, context) {
    const { workspace, repos } = await context.services()
    await workspace.init()
    const request = {
      name: text(input, 'name'),
      source: text(input, 'source'),
      branch: text(input, 'branch'),
      link: input['link'] === true,
      // What is on this machine is for those who sit at it.
      allowLocal: context.principal === 'local',
    }
    return noted(await repos.add(request, ways(context)))
  },
  render: renderChange,
})

const enableRepo = defineCommand<Services>({
  name: 'enable repo',
  summary: 'Enable a repository; one that is known is fetched when it is missing',
  group: 'Agents',
  positionals: ['name', 'branch'],
  params: { name: repoParam, branch: branchParam },
  examples: [{ run: 'ploinky enable repo basic', does: 'fetch it if it is missing, and enable it' }],
  access: 'session',
  permission: 'admin',
  http: { method: 'POST', path: '/repositories/{name}/enable' },
  async run(input, context) {
    const { workspace, repos } = await context.services()
    await workspace.init()
    return noted(await repos.enable(text(input, 'name') ?? '', text(input, 'branch'), ways(context)))
  },
  render: renderChange,
})

const disableRepo = defineCommand<Services>({
  name: 'disable repo',
  summary: 'Disable a repository; its files stay',
  group: 'Agents',
  positionals: ['name'],
  params: {
    name: repoParam,
    remove: { type: 'boolean', summary: 'Remove the files too; asks when something would be lost' },
  },
  examples: [{ run: 'ploinky disable repo basic --remove', does: 'disable it and remove its clone' }],
  access: 'session',
  permission: 'admin',
  http: { method: 'POST', path: '/repositories/{name}/disable' },
  async run(input, context) {
    const { registry, repos } = await context.services()
    const name = text(input, 'name') ?? ''
    const remove = input['remove'] === true
    const agents = (await registry.list()).filter((agent) => agent.repo === name).map((agent) => agent.name)
    const losses = remove ? await repos.losses(name) : []
    const reasons = [...losses, ...(remove && agents.length > 0 ? [`the enabled agents ${agents.join(', ')}`] : [])]
    if (reasons.length > 0 && !(await context.confirm(`Remove repository "${name}" with ${reasons.join(' and ')}?`))) {
      return { ...(await repos.disable(name, false)), warnings: ['Its files were kept'] }
    }
    const change = await repos.disable(name, remove)
    const left = agents.map((agent) => `Still enabled: ${agent}; it cannot start. Run: ploinky disable agent ${agent}`)
    return { ...change, warnings: left }
  },
  render: renderChange,
})

interface UpdateReport {
  readonly repositories: readonly (Omit<RepoUpdate, 'error'> & { error?: unknown; exit?: number })[]
}

const update = defineCommand<Services>({
  name: 'update',
  summary: 'Bring repositories up to date; changes made here are never lost',
  group: 'Agents',
  positionals: ['repos'],
  params: {
    repos: { type: 'rest', summary: 'Names, or "all" (default)', complete: 'repos', placeholder: 'name' },
  },
  examples: [{ run: 'ploinky update', does: 'all repositories' }],
  access: 'session',
  permission: 'admin',
  http: { method: 'POST', path: '/repositories/update' },
  async run(input, context): Promise<UpdateReport> {
    const { repos } = await context.services()
    const [first, ...others] = words(input, 'repos')
    // "update repo basic" and "update repos" are what people of the first ploinky type.
    const names = first === 'repo' || first === 'repos' ? others : first === undefined ? [] : [first, ...others]
    const results = await repos.update(names, ways(context))
    return {
      repositories: results.map(({ error, ...result }) =>
        error === null ? result : { ...result, error: toErrorBody(error).error, exit: exitCodeOf(error) },
      ),
    }
  },
  render: (data) => renderUpdate(data as UpdateReport),
  exitCode: (data) => (data as UpdateReport).repositories.find(({ exit }) => exit !== undefined)?.exit ?? 0,
})

function renderUpdate({ repositories }: UpdateReport): string {
  if (repositories.length === 0) return 'No repositories were added\nNext: ploinky list repos --all'
  return repositories
    .map(({ name, outcome, from, to, note, error }) => {
      const { message, details } = (error ?? {}) as { message?: string; details?: { suggestion?: string } }
      const hint = details?.suggestion === undefined ? '' : `\n  hint: ${details.suggestion}`
      if (outcome === 'failed') return `${name}  failed: ${message}${hint}`
      if (outcome === 'updated') return `${name}  updated ${short(from) ?? 'nothing'}..${short(to)}`
      return `${name}  unchanged${note === null ? '' : `: ${note}`}`
    })
    .join('\n')
}

const notHere = (name: string, source: string): RepoInfo => ({
  ...{ name, enabled: false, builtIn: false, kind: 'git', source, branch: null, commit: null },
  ...{ agents: 0, skills: 0, present: false, path: '' },
})

const listRepos = defineCommand<Services>({
  name: 'list repos',
  summary: 'Repositories of agent definitions',
  group: 'Agents',
  params: { all: { type: 'boolean', summary: 'Also the predefined ones that were not added', short: 'a' } },
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/repositories' },
  async run(input, context) {
    const here = await (await context.services()).catalog.repos()
    const missing = Object.entries(PREDEFINED).filter(([name]) => !here.some((repo) => repo.name === name))
    return input['all'] === true ? [...here, ...missing.map(([name, source]) => notHere(name, source))] : here
  },
  render: (data) => renderRepos(data as readonly RepoInfo[]),
})

function renderRepos(repos: readonly RepoInfo[]): string {
  const cells = repos.map((repo) => [
    repo.name,
    repo.kind,
    repo.enabled ? (repo.present ? 'enabled' : 'enabled, missing') : repo.present ? 'disabled' : 'not added',
    `${repo.agents}`,
    `${repo.skills}`,
    repo.branch ?? '-',
    short(repo.commit) ?? '-',
    repo.builtIn ? 'comes with ploinky' : (repo.source ?? '-'),
  ])
  const rows = [['NAME', 'KIND', 'STATE', 'AGENTS', 'SKILLS', 'BRANCH', 'COMMIT', 'SOURCE'], ...cells]
  return columns(rows)
}

export const repoCommands: readonly Command<Services>[] = [addRepo, enableRepo, disableRepo, update, listRepos]
