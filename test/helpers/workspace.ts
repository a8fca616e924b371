/** A throw-away workspace and the real program in it: what a person at a terminal has. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findDeno } from '../setup/deno.mjs'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
/** Ends a program that hangs, so that the test says so instead of the runner. */
const COMMAND_TIMEOUT_MS = 150_000

export type Engine = 'docker' | 'podman' | 'podman-rootless' | 'host'

/** The engine of this run; `host` where nothing was chosen, so that the tests run anywhere. */
export const engine = (process.env['PLOINKY_TEST_ENGINE'] ?? 'host') as Engine
/** The JavaScript runtime that runs the program. */
export const platform = (process.env['PLOINKY_TEST_PLATFORM'] ?? 'node') as 'node' | 'deno'
export const isContainerEngine = engine !== 'host'
/** `--runtime` of this run. */
export const runtimeName = engine === 'podman-rootless' ? 'podman' : engine

export interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  readonly signal?: AbortSignal
}

/** argv of the program itself. */
export function program(args: readonly string[]): [string, ...string[]] {
  if (platform === 'node') return [process.execPath, join(ROOT, 'dist/ploinky.cjs'), ...args]
  return [findDeno(ROOT) ?? 'deno', 'run', '-A', '--no-prompt', join(ROOT, 'src/cli/bin.ts'), ...args]
}

/** The environment without what would change the program's decisions. */
function cleanEnv(extra: RunOptions['env'] = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:PLOINKY_|CONTAINER_RUNTIME|ROUTER_PORT|VITEST|NODE_OPTIONS)/.test(name),
  )
  return { ...Object.fromEntries(kept), CONTAINER_RUNTIME: runtimeName, NO_COLOR: '1', ...extra }
}

export function spawnProgram(args: readonly string[], options: RunOptions & { cwd: string }) {
  const [file, ...rest] = program(args)
  return spawn(file, rest, { cwd: options.cwd, env: cleanEnv(options.env), stdio: ['pipe', 'pipe', 'pipe'] })
}

function run(args: readonly string[], options: RunOptions & { cwd: string }): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawnProgram(args, options)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_TIMEOUT_MS)
    options.signal?.addEventListener('abort', () => child.kill('SIGINT'), { once: true })
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code: code ?? (signal === 'SIGKILL' ? 137 : 1), stdout, stderr })
    })
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}

/** Below the range from which kernels give ports to connections, and engines to containers: those are taken at any moment. */
const FREE_PORTS = { first: 20_000, count: 6_000 }

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** A port that nobody listens on, and that nobody is likely to take before the test does. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = FREE_PORTS.first + Math.floor(Math.random() * FREE_PORTS.count)
    if (await isFree(port)) return port
  }
  throw new Error('no free port')
}

export interface Workspace extends AsyncDisposable {
  readonly dir: string
  readonly port: number
  readonly url: string
  run(args: readonly string[], options?: RunOptions): Promise<Result>
  /** Runs with `--json`; fails the test when the exit code is not 0. */
  json<T>(args: readonly string[], options?: RunOptions): Promise<T>
  token(): Promise<string>
  /** An authorized request to the router. */
  fetch(path: string, init?: RequestInit): Promise<Response>
  routerPid(): Promise<number>
  /** The end of what the router's log says of errors: what a test adds to its failure. */
  routerErrors(): Promise<string>
}

export async function createWorkspace(): Promise<Workspace> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'ploinky-ws-')))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let token: string | undefined
  const workspace: Workspace = {
    dir,
    port,
    url,
    run: (args, options) => run(args, { cwd: dir, ...options, env: { PLOINKY_PORT: String(port), ...options?.env } }),
    async json<T>(args: readonly string[], options?: RunOptions) {
      const result = await workspace.run([...args, '--json'], options)
      if (result.code !== 0)
        throw new Error(`ploinky ${args.join(' ')} ended with ${result.code}:\n${result.stderr}${result.stdout}`)
      return JSON.parse(result.stdout) as T
    },
    token: async () => (token ??= (await workspace.json<{ token: string }>(['token'])).token),
    async fetch(path, init) {
      const headers = new Headers(init?.headers)
      headers.set('authorization', `Bearer ${await workspace.token()}`)
      return await fetch(`${url}${path}`, { ...init, headers })
    },
    routerPid: async () => Number((await readFile(join(dir, '.ploinky/running/router.pid'), 'utf8')).trim()),
    async routerErrors() {
      const log = await readFile(join(dir, '.ploinky/logs/router.log'), 'utf8').catch(String)
      const errors = log.split('\n').filter((line) => line.includes('"level":"error"'))
      return errors.slice(-5).join('\n').slice(-4000)
    },
    async [Symbol.asyncDispose]() {
      await run(['destroy', '--yes', '--data'], { cwd: dir })
      await rm(dir, { recursive: true, force: true })
    },
  }
  return workspace
}

/** Calls until it gives something other than undefined; the message says what was waited for. */
export async function waitFor<T>(
  what: string,
  check: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const value = await check()
    if (value !== undefined) return value
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A process that ended and was not collected by its parent yet (Z) is not alive. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z'
  } catch {
    // No /proc on this system: the signal's word counts. On Linux: gone meanwhile.
    return process.platform !== 'linux'
  }
}
