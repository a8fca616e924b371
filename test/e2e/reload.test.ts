/** Changes of files take effect while the router runs. */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkspace, engine, waitFor, type Workspace } from '../helpers/workspace.ts'

describe(`a running router on ${engine} follows its files`, () => {
  let workspace: Workspace
  const agentDir = (): string => join(workspace.dir, '.ploinky/repos/mine/probe')
  const manifest = (value: string): string =>
    JSON.stringify({
      about: `says ${value}`,
      container: 'docker.io/library/node:24-alpine',
      agent: 'node server.mjs',
      readiness: { protocol: 'http' },
      env: { SAYS: value },
      profiles: { default: {}, qa: { env: { SAYS: 'qa' } } },
    })

  beforeAll(async () => {
    workspace = await createWorkspace()
    await workspace.json(['init'])
    await mkdir(agentDir(), { recursive: true })
    const program = `import http from 'node:http'
http.createServer((_request, response) => response.end(process.env.SAYS)).listen(process.env.PORT, process.env.PLOINKY_BIND)
process.on('SIGTERM', () => process.exit(0))
`
    await writeFile(join(agentDir(), 'server.mjs'), program)
    await writeFile(join(agentDir(), 'manifest.json'), manifest('one'))
    await writeFile(
      join(workspace.dir, '.ploinky/enabled_repos.json'),
      JSON.stringify({ version: 1, repos: ['builtin', 'mine'] }),
    )
    await workspace.json(['start', 'probe'])
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  const says = async (): Promise<string> => await (await workspace.fetch('/services/probe/')).text()
  const restart = (): Promise<Response> => workspace.fetch('/api/v1/agents/probe/restart', { method: 'POST' })

  it('a changed manifest counts at the next restart of the agent', async () => {
    expect(await says()).toBe('one')
    const pid = await workspace.routerPid()
    await writeFile(join(agentDir(), 'manifest.json'), manifest('two'))
    expect((await restart()).status).toBe(200)
    expect([await says(), await workspace.routerPid()]).toEqual(['two', pid])
  })

  it('so does another profile', async () => {
    await workspace.json(['config', 'profile', 'qa'])
    const shown = async (): Promise<true | undefined> => {
      const { profile } = (await (await workspace.fetch('/api/v1/status')).json()) as { profile: string }
      return profile === 'qa' ? true : undefined
    }
    await waitFor('the router knows the profile', shown)
    expect((await restart()).status).toBe(200)
    expect(await says()).toBe('qa')
  })

  it('an agent that is disabled is gone at once, and a token that was rotated too', async () => {
    const old = await workspace.token()
    await workspace.json(['disable', 'agent', 'probe'])
    expect((await workspace.fetch('/services/probe/')).status).toBe(404)
    await workspace.json(['token', 'rotate', '--yes'])
    const refused = async (): Promise<true | undefined> => {
      const { status } = await fetch(`${workspace.url}/status`, { headers: { authorization: `Bearer ${old}` } })
      return status === 401 ? true : undefined
    }
    await waitFor('the old token is refused', refused)
    const secrets = await readFile(join(workspace.dir, '.ploinky/.secrets'), 'utf8')
    expect(secrets).not.toContain(old)
  })

  it('a hand-written route file that is broken does not take the router down', async () => {
    await appendFile(join(workspace.dir, '.ploinky/routing.json'), 'garbage')
    expect((await fetch(`${workspace.url}/health`)).status).toBe(200)
  })
})
