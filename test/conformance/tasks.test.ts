/**
 * The official suite's scenarios of the Tasks extension, against an agent that knows no tasks: what it takes for one, the router adds.
 * `tasks-required-task-error` is left out: only a server that knows tasks can have a tool that refuses to work without them.
 */
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkspace, engine, platform, type Workspace } from '../helpers/workspace.ts'
import { runScenario } from './suite.ts'

const SERVER = fileURLToPath(new URL('../fixtures/mcp-no-tasks.mjs', import.meta.url))
const REVISION = '2026-07-28'
const SCENARIOS = [
  ...['lifecycle', 'capability-negotiation', 'wire-fields', 'request-state-removal', 'mrtr-input', 'request-headers'],
  ...['dispatch-and-envelope', 'mrtr-composition'],
]

describe(`tasks of an agent that has none, on ${engine} with ${platform}`, () => {
  let workspace: Workspace
  beforeAll(async () => {
    workspace = await createWorkspace()
    const dir = join(workspace.dir, '.ploinky/repos/conformance/plain')
    await mkdir(dir, { recursive: true })
    await copyFile(SERVER, join(dir, 'server.mjs'))
    const manifest = {
      ...{ container: 'docker.io/library/node:24-alpine', agent: 'exec node server.mjs' },
      ...{ mcp: { taskAfterSeconds: 0.3 }, readiness: { protocol: 'http', path: '/health' } },
    }
    await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest))
    const repos = { version: 1, repos: ['builtin', 'conformance'] }
    await writeFile(join(workspace.dir, '.ploinky/enabled_repos.json'), JSON.stringify(repos))
    await workspace.json(['enable', 'agent', 'conformance/plain'])
    await workspace.json(['start'])
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  it.each(SCENARIOS)('tasks-%s', async (name) => {
    const endpoint = { url: `${workspace.url}/mcps/plain/mcp`, token: await workspace.token() }
    const { code, output, scenarios } = await runScenario(endpoint, `tasks-${name}`, REVISION)
    const checks = scenarios.get(`tasks-${name}`) ?? []
    expect(checks.filter(({ status }) => status === 'FAILURE')).toEqual([])
    expect(checks.filter(({ status }) => status === 'SUCCESS').length, output).toBeGreaterThan(0)
    expect(code, output).toBe(0)
  })
})
