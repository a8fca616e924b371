/**
 * The git program, held so that a repository cannot make it run anything.
 *
 * Two kinds of calls. Those that reach a server (`clone --no-checkout`, `fetch`) keep the user's own configuration: proxies,
 * certificates and credential helpers are there. Those that touch files (`reset`, `status`) see no configuration but the
 * clone's own, which we wrote: filters that a user has set up would otherwise run on whatever a repository names in
 * `.gitattributes`. Hooks, templates, submodules, remote helpers and prompts are off in both.
 */
import { join } from 'node:path'
import { isPloinkyError, PloinkyError } from '../../core/error.ts'
import type { ProcessRunner, ProcessSpec } from '../../core/process.ts'
import { Secret } from '../../core/secret.ts'
import { gitFailure } from './git-failure.ts'
import { openCredentials, type Source } from './source.ts'

export interface GitPlace {
  readonly source: Source
  readonly branch: string | null
}

export interface GitOptions {
  progress?: ((text: string) => void) | undefined
  signal?: AbortSignal | undefined
}

export interface Git {
  /** Clones into `dir`, which must not exist; what is left of a failure is the caller's to remove. Gives the commit. */
  clone(place: GitPlace, dir: string, options: GitOptions): Promise<string>
  /** Fetches and gives the commit; history only back to what the clone has, or just that commit. */
  fetch(place: GitPlace, dir: string, options: GitOptions & { shallow: boolean }): Promise<string>
  /** Files that git knows and that differ from the commit. */
  changed(dir: string): Promise<number>
  head(dir: string): Promise<string | null>
  isAncestor(dir: string, older: string, newer: string): Promise<boolean>
  /** Moves to a commit. Changed files and files that git does not know stay, or nothing moves. */
  moveTo(dir: string, commit: string): Promise<void>
  /** Address that a clone made by hand came from. */
  origin(dir: string): Promise<string | null>
}

const HARDENING = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'protocol.ext.allow=never',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'filter.lfs.smudge=',
  'filter.lfs.process=',
  'filter.lfs.clean=',
  'filter.lfs.required=false',
  // A server that sends nothing for a minute is gone.
  'http.lowSpeedLimit=1',
  'http.lowSpeedTime=60',
  'gc.auto=0',
  'maintenance.auto=false',
  'advice.detachedHead=false',
].flatMap((setting) => ['-c', setting])

/** A git hook, or a shell in the middle of something, would point git at another repository. */
const FOREIGN = [
  'GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR GIT_NAMESPACE',
  'GIT_TEMPLATE_DIR GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_EXTERNAL_DIFF GIT_TRACE GIT_TRACE_CURL GIT_CURL_VERBOSE GIT_PREFIX',
]
  .join(' ')
  .split(' ')

type Environment = NonNullable<ProcessSpec['env']>

const QUIET: Environment = {
  ...Object.fromEntries(FOREIGN.map((name) => [name, undefined])),
  // Messages are read.
  LC_ALL: 'C',
  LANGUAGE: undefined,
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '',
  // ssh asks for passphrases and unknown hosts by itself: this program answers with a refusal.
  SSH_ASKPASS: 'false',
  SSH_ASKPASS_REQUIRE: 'force',
  GCM_INTERACTIVE: 'never',
  GIT_LFS_SKIP_SMUDGE: '1',
}

/** No configuration of the user or of the machine. Older versions of git know only HOME. */
const SEALED: Environment = {
  ...QUIET,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_COUNT: undefined,
  GIT_ATTR_NOSYSTEM: '1',
  HOME: '/dev/null',
  XDG_CONFIG_HOME: '/dev/null',
}

/** Constant text that git gives to its shell; what it prints comes from the environment. */
const HELPER =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$PLOINKY_GIT_USER" "$PLOINKY_GIT_PASSWORD"; }; f'

function networkEnvironment(source: Source): Environment {
  const base: Environment = {
    ...QUIET,
    // Also where a server sends us on to.
    GIT_ALLOW_PROTOCOL: source.local ? 'file' : 'git:http:https:ssh',
  }
  if (source.auth === null) return base
  const { user, password } = openCredentials(source.auth)
  const key = `credential.${new URL(source.location).origin}.helper`
  return {
    ...base,
    // For this host alone; an empty value forgets the user's helpers for it.
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: key,
    GIT_CONFIG_VALUE_0: '',
    GIT_CONFIG_KEY_1: key,
    GIT_CONFIG_VALUE_1: HELPER,
    PLOINKY_GIT_USER: new Secret(user),
    PLOINKY_GIT_PASSWORD: new Secret(password),
  }
}

/** Arguments for a clone that we have: named, so that git never finds the repository that the workspace itself is in. */
export const inClone = (dir: string, ...args: string[]): string[] => [
  ...HARDENING,
  `--git-dir=${join(dir, '.git')}`,
  `--work-tree=${dir}`,
  ...args,
]

export function cloneArgs({ source, branch }: GitPlace, dir: string): string[] {
  return [
    ...HARDENING,
    ...['clone', '--no-checkout', '--no-recurse-submodules', '--template=', '--origin', 'origin'],
    ...['--depth', '1', '--single-branch', '--progress'],
    ...(branch === null ? [] : [`--branch=${branch}`]),
    ...['--', source.location, dir],
  ]
}

export function fetchArgs({ source, branch }: GitPlace, dir: string, shallow: boolean): string[] {
  const depth = shallow ? ['--depth', '1'] : []
  return inClone(
    dir,
    ...['fetch', '--no-recurse-submodules', '--no-tags', '--progress', ...depth],
    ...['--', source.location, branch ?? 'HEAD'],
  )
}

export function createGit(processes: Pick<ProcessRunner, 'run' | 'stream'>): Git {
  /** Runs with the network, telling how far it is. */
  async function reach(args: string[], place: GitPlace, { progress, signal }: GitOptions): Promise<void> {
    const spec = { file: 'git', args, env: networkEnvironment(place.source) }
    const child = processes.stream(spec, signal === undefined ? {} : { signal })
    const [code, said] = await Promise.all([child.exit, follow(child.stderr, progress), drain(child.stdout)]).catch(
      (error: unknown) => {
        throw missing(error)
      },
    )
    if (signal?.aborted === true) throw new PloinkyError('INTERRUPTED', 'Interrupted')
    if (code !== 0) throw gitFailure(said, place)
  }

  /** Runs on the files of a clone. */
  async function local(dir: string, ...args: string[]) {
    try {
      return await processes.run({ file: 'git', args: inClone(dir, ...args), env: SEALED, cwd: dir })
    } catch (error) {
      throw missing(error)
    }
  }

  async function must(dir: string, ...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await local(dir, ...args)
    if (exitCode === 0) return stdout.trim()
    throw new PloinkyError('REPO_UNAVAILABLE', `git ${args[0]} failed in "${dir}": ${lastWords(stderr)}`, {
      hint: `Look at it: git -C ${JSON.stringify(dir)} status`,
    })
  }

  async function commitOf(dir: string, name: string): Promise<string | null> {
    const { exitCode, stdout } = await local(dir, 'rev-parse', '--verify', '--quiet', `${name}^{commit}`)
    return exitCode === 0 ? stdout.trim() : null
  }

  return {
    async clone(place, dir, options) {
      await reach(cloneArgs(place, dir), place, options)
      const commit = await commitOf(dir, 'HEAD')
      if (commit === null) throw gitFailure(['the repository is empty'], place)
      await must(dir, 'reset', '--hard', '--quiet')
      return commit
    },
    async fetch(place, dir, { shallow, ...options }) {
      await reach(fetchArgs(place, dir, shallow), place, options)
      const commit = await commitOf(dir, 'FETCH_HEAD')
      if (commit === null) throw gitFailure(['nothing was fetched'], place)
      return commit
    },
    async changed(dir) {
      const args = ['status', '--porcelain', '-z', '--untracked-files=no', '--ignore-submodules=all']
      return (await must(dir, ...args)).split('\0').filter((line) => line !== '').length
    },
    head: (dir) => commitOf(dir, 'HEAD'),
    isAncestor: async (dir, older, newer) =>
      (await local(dir, 'merge-base', '--is-ancestor', older, newer)).exitCode === 0,
    moveTo: async (dir, commit) => void (await must(dir, 'reset', '--keep', '--quiet', commit)),
    async origin(dir) {
      const { exitCode, stdout } = await local(dir, 'config', '--get', 'remote.origin.url')
      return exitCode === 0 && stdout.trim() !== '' ? stdout.trim() : null
    },
  }
}

const lastWords = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 300) ?? ''

function missing(error: unknown): unknown {
  if (!isPloinkyError(error) || error.code !== 'RUNTIME_UNAVAILABLE') return error
  return new PloinkyError('REPO_UNAVAILABLE', 'Cannot run "git": it is needed for repositories that are fetched', {
    hint: 'Install git, or add a folder or an archive: ploinky add repo NAME ./agents.tgz',
    details: { program: 'git' },
    cause: error,
  })
}

/** Lines kept of what git says; the reason of a failure is among the last. */
const KEPT_LINES = 30
const MAX_LINE = 1000

async function follow(stderr: AsyncIterable<Uint8Array>, progress: GitOptions['progress']): Promise<string[]> {
  const decoder = new TextDecoder()
  const said: string[] = []
  let rest = ''
  const line = (text: string): void => {
    const step = /^(?:remote: )?([A-Z][a-z]+ (?:objects|deltas)):\s+(\d+)%/.exec(text)
    if (step !== null) return progress?.(`${(step[1] ?? '').toLowerCase()} ${step[2]} %`)
    if (text.trim() === '') return
    said.push(text.trim().slice(0, MAX_LINE))
    if (said.length > KEPT_LINES) said.shift()
  }
  for await (const chunk of stderr) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/[\r\n]/)
    rest = (lines.pop() ?? '').slice(0, MAX_LINE)
    lines.forEach(line)
  }
  line(rest)
  return said
}

async function drain(stream: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of stream);
}
