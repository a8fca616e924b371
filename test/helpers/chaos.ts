/** Random kills of containers, of the router and of the engine, and what must be true at the end. */
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ownDaemons } from '../setup/daemons.mjs'
import { startDocker } from '../setup/docker.mjs'
import { isContainerEngine, runtimeName, waitFor, type Workspace } from './workspace.ts'

const exec = promisify(execFile)

interface Status {
  workspace: { id: string }
  router: { running: boolean; pid: number | null }
  agents: { name: string; state: string; container: string | null; supervision?: { restarts: number } }[]
}

/** The same kills again for the same seed. */
export function createRandom(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return (limit) => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}

const PROGRAM = `import http from 'node:http'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
appendFileSync(join(process.env.WORKSPACE_PATH, 'runs'), process.pid + '\\n')
http.createServer((request, response) => response.end('well')).listen(process.env.PORT, process.env.PLOINKY_BIND)
process.on('SIGTERM', () => process.exit(0))
`

export async function defineAgents(workspace: Workspace, count: number): Promise<string[]> {
  await workspace.json(['init'])
  const names = Array.from({ length: count }, (_, index) => `c${index}`)
  for (const name of names) {
    const dir = join(workspace.dir, '.ploinky/repos/chaos', name)
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, 'server.mjs'), PROGRAM)
    const image = 'docker.io/library/node:24-alpine'
    const manifest = { about: name, container: image, agent: 'exec node server.mjs', readiness: { protocol: 'http' } }
    await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest))
  }
  const repos = { version: 1, repos: ['builtin', 'chaos'] }
  await writeFile(join(workspace.dir, '.ploinky/enabled_repos.json'), JSON.stringify(repos))
  for (const name of names) await workspace.json(['enable', 'agent', `chaos/${name}`])
  await workspace.json(['start'])
  return names
}

export const statusOf = (workspace: Workspace): Promise<Status> => workspace.json<Status>(['status'])

export type Kill = 'kill' | 'remove' | 'router' | 'engine'

const ownDocker = () => ownDaemons().find(({ name }) => name === 'dockerd')
/** Only a docker daemon that the set-up of the tests started is killed; podman has none. */
export const canKillEngine = (): boolean => runtimeName === 'docker' && ownDocker() !== undefined

/** Its containers end with it, or when it comes back: nobody tells of that meanwhile. */
async function killEngine(awayMs: number): Promise<boolean> {
  const daemon = ownDocker()
  if (daemon === undefined) return false
  process.kill(daemon.pid, 'SIGKILL')
  await new Promise((resolve) => setTimeout(resolve, awayMs))
  // One that finds another process of its number does not start.
  await waitFor('dockerd is gone', () => (existsSync(`/proc/${daemon.pid}`) ? undefined : true))
  await startDocker((line) => process.stderr.write(`${line}\n`))
  return true
}

/** One deed. True when there was something to kill. `awayMs`: for how long an engine is gone. */
export async function strike(
  workspace: Workspace,
  kind: Kill,
  { container, awayMs }: { container: string; awayMs: number },
): Promise<boolean> {
  if (kind === 'engine') return await killEngine(awayMs)
  if (kind === 'router') {
    const pid = await workspace.routerPid().catch(() => 0)
    if (pid <= 1) return false
    try {
      process.kill(pid, 'SIGKILL')
      return true
    } catch {
      return false
    }
  }
  if (isContainerEngine) {
    const args = kind === 'kill' ? ['kill', container] : ['rm', '-f', container]
    return await exec(runtimeName, args).then(
      () => true,
      () => false,
    )
  }
  const pid = Number(
    await readFile(join(workspace.dir, '.ploinky/runtimes/host', container, 'pid'), 'utf8').catch(() => 0),
  )
  if (pid <= 1) return false
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}

/** Every agent serves, each in one container; the router runs. */
export async function recovered(workspace: Workspace, names: readonly string[], timeoutMs: number): Promise<Status> {
  let last = ''
  const look = async (): Promise<Status | undefined> => {
    const status = await statusOf(workspace)
    last = JSON.stringify(status)
    if (!status.router.running) return undefined
    const ready = status.agents.filter(({ state }) => state === 'ready')
    if (ready.length !== names.length) return undefined
    const answers = await Promise.all(
      names.map((name) =>
        workspace.fetch(`/services/${name}/`).then(
          ({ status: code }) => code,
          () => 0,
        ),
      ),
    )
    last = answers.join()
    return answers.every((code) => code === 200) ? status : undefined
  }
  try {
    return await waitFor(
      'every agent is ready again',
      () => look().catch((error) => void (last = String(error))),
      timeoutMs,
    )
  } catch (error) {
    throw new Error(`${String(error)}: ${last}`, { cause: error })
  }
}

/** Between what was told of an engine and what is told of it after it was gone. */
const GAP = '|'

/** Starts and ends of each container, in their order, as the engine tells them from now on (it keeps but a few). */
export function recordEvents(id: string) {
  const isDocker = runtimeName === 'docker'
  const format = isDocker ? '{{.Action}} {{.Actor.Attributes.name}}' : '{{.Status}} {{.Name}}'
  const filters = ['--filter', `label=ploinky.workspace=${id}`, '--filter', 'type=container']
  let text = ''
  let isOver = false
  let again: ReturnType<typeof setTimeout> | undefined
  let child = follow()

  function follow() {
    const next = spawn(runtimeName, ['events', ...filters, '--format', format], { stdio: ['ignore', 'pipe', 'ignore'] })
    next.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    next.once('close', () => {
      text += `\n${GAP}\n`
      if (!isOver) again = setTimeout(() => (child = follow()), 20)
    })
    return next
  }
  return {
    /** By container: `S` for each start, `E` for each end, `|` where an engine was gone. */
    runs(): Map<string, string> {
      const runs = new Map<string, string>()
      for (const line of text.split('\n').filter(Boolean)) {
        if (line === GAP) {
          for (const [name, told] of runs) runs.set(name, told + GAP)
          continue
        }
        const [action = '', name = ''] = line.split(' ')
        const letter = action === 'start' ? 'S' : action === 'die' || action === 'died' ? 'E' : ''
        runs.set(name, (runs.get(name) ?? '') + letter)
      }
      return runs
    },
    [Symbol.dispose](): void {
      isOver = true
      clearTimeout(again)
      child.kill('SIGKILL')
    },
  }
}

export async function runningContainers(id: string): Promise<string[]> {
  const { stdout } = await exec(runtimeName, [
    'ps',
    '-a',
    '--filter',
    `label=ploinky.workspace=${id}`,
    '--format',
    '{{.Names}} {{.State}}',
  ])
  return stdout.split('\n').filter(Boolean).sort()
}

/** Processes that have the workspace in their command line, without those in containers. */
export async function processesOf(workspace: Workspace): Promise<string[]> {
  const { stdout } = await exec('ps', ['-eo', 'pid=,args='], { maxBuffer: 16 * 1024 * 1024 })
  return stdout.split('\n').filter((line) => line.includes(workspace.dir) && !line.includes(' ps -eo'))
}

/** Process ids of the routers of a workspace. Its watchdog asks one now and then for its health, with a program of the same name. */
export async function routersOf(workspace: Workspace): Promise<number[]> {
  return (await processesOf(workspace))
    .filter((line) => /router-serve/.test(line) && !/ploinky-watchdog|--check/.test(line))
    .map((line) => Number.parseInt(line, 10))
}
