import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, vi } from 'vitest'
import { buildAgent } from '../../src/tools/build-agent.mjs'

export const builtin = (agent: string): string =>
  fileURLToPath(new URL(`../../src/repositories/builtin/${agent}/`, import.meta.url))

const undo: (() => void | Promise<void>)[] = []

afterAll(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

/** Does something when the test file is over, in reverse order. */
export function cleanUp(step: () => void | Promise<void>): void {
  undo.push(step)
}

/** An empty folder that disappears with the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ploinky-test-agent-'))
  cleanUp(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A code directory with the given files; scripts are executable. */
export function codeFolder(files: Record<string, string>): string {
  const folder = temporaryFolder()
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    if (text.startsWith('#!')) chmodSync(path, 0o755)
  }
  return folder
}

let built: Promise<string> | undefined

/** The /Agent folder, built once for a test file exactly as it is shipped. */
export function agentFolder(): Promise<string> {
  built ??= (async () => {
    const folder = temporaryFolder()
    await buildAgent(folder)
    return folder
  })()
  return built
}

export interface RunningAgent {
  url: string
  process: ChildProcess
  /** Everything that it wrote to standard error so far. */
  log: () => string
  /** Sends SIGTERM and answers the exit code. */
  stop: () => Promise<number | null>
}

/** Starts the built AgentServer on a free loopback port and waits until it listens. */
export async function startAgent(codeDir: string, env: Record<string, string> = {}): Promise<RunningAgent> {
  const program = join(await agentFolder(), 'server/AgentServer.mjs')
  const child = spawn(process.execPath, [program], {
    cwd: codeDir,
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      PLOINKY_BIND: '127.0.0.1',
      PLOINKY_CODE_DIR: codeDir,
      AGENT_NAME: 'sample',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const stop = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    return child.exitCode
  }
  cleanUp(async () => void (await stop()))
  let log = ''
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      log += `${line}\n`
      const entry: unknown = line.startsWith('{') ? JSON.parse(line) : undefined
      if (typeof entry === 'object' && entry !== null && 'port' in entry && typeof entry.port === 'number')
        resolve(entry.port)
    })
    child.once('exit', (code) => reject(new Error(`The agent ended with ${code}: ${log}`)))
  })
  return { url: `http://127.0.0.1:${port}`, process: child, log: () => log, stop }
}

export const ERAS = ['legacy', 'auto'] as const
export type Era = (typeof ERAS)[number]

/** The official client, connected. */
export async function connect(agent: { url: string }, mode: Era): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } })
  await client.connect(new StreamableHTTPClientTransport(new URL(`${agent.url}/mcp`)))
  cleanUp(() => client.close())
  return client
}

/** The texts of a result's content. */
export function texts(result: { content?: unknown }): string[] {
  const blocks = Array.isArray(result.content) ? result.content : []
  return blocks.map((block: { text?: unknown }) => String(block.text))
}

/** Waits for a condition instead of for a time; the machine may be slow. */
export function until<T>(check: () => T): Promise<T> {
  return vi.waitFor(check, { timeout: 15_000, interval: 20 })
}

/** True while a process exists (a zombie that nobody collects yet has ended). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  return true
}

/** A JSON-RPC request over plain HTTP. */
export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
}
