/** A throw-away workspace that the bench runs the built program in. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must, ran } from './measure.mjs'
import { freePort } from './proxy/processes.mjs'

/** The repository of the bench's own agents. */
const REPO = 'bench'

/**
 * @typedef {{ bin: string, node: string, env: NodeJS.ProcessEnv, runtime: string, quick: boolean,
 *   undo: (step: () => unknown) => () => Promise<void>, say: (line: string) => void }} Context
 */

/** @param {Context} context */
export async function openWorkspace(context) {
  const dir = mkdtempSync(join(tmpdir(), 'ploinky-bench-ws-'))
  const port = await freePort()
  const env = { ...context.env, CONTAINER_RUNTIME: context.runtime, PLOINKY_PORT: String(port), PLOINKY_WORKSPACE: dir }
  const argv = (...args) => [context.node, context.bin, ...args]
  const options = { cwd: dir, env }
  const workspace = {
    dir,
    port,
    env,
    argv,
    /** Runs a command; its samples may count. */
    run: (...args) => ran(argv(...args), options),
    /** Runs a command that has to work; for setting up. */
    must: (...args) => must(argv(...args), options),
    async json(...args) {
      return JSON.parse((await must(argv(...args, '--json'), options)).stdout)
    },
    read: (name) => JSON.parse(readFileSync(join(dir, '.ploinky', name), 'utf8')),
    /** Writes a state file as the program would. */
    write(name, content) {
      mkdirSync(join(dir, '.ploinky'), { recursive: true })
      writeFileSync(join(dir, '.ploinky', name), `${JSON.stringify({ version: 1, ...content }, null, 2)}\n`)
    },
    /** Definitions `bench/<name>`: the AgentServer with one tool. */
    define(names) {
      for (const name of names) {
        const folder = join(dir, '.ploinky/repos', REPO, name)
        mkdirSync(folder, { recursive: true })
        const tool = { name: 'hello', description: 'Says hello', command: 'echo', args: ['hello'], inputSchema: {} }
        writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ about: 'An agent of the bench' }))
        writeFileSync(join(folder, 'mcp-config.json'), JSON.stringify({ tools: [tool] }))
      }
      workspace.write('enabled_repos.json', { repos: ['builtin', REPO] })
    },
    /** Enabled, never started. */
    enable(names) {
      const enabledAt = new Date(0).toISOString()
      const record = (agent) => ({ repo: REPO, agent, enabledAt, runtime: null, wanted: false })
      workspace.write('agents', { agents: Object.fromEntries(names.map((name) => [name, record(name)])), static: null })
    },
    close: context.undo(async () => {
      const ended = await ran(argv('destroy', '--yes', '--data'), { ...options, capture: true })
      if (ended.code !== 0)
        context.say(`a workspace was not destroyed: ${(ended.stderr || ended.stdout).trim().slice(-500)}`)
      rmSync(dir, { recursive: true, force: true })
    }),
  }
  return workspace
}

/** Names a00, a01, ... */
export const agentNames = (count) => Array.from({ length: count }, (_, index) => `a${String(index).padStart(2, '0')}`)
