/** Whatever happens to a container or to the router is noticed and put right; a person's word counts more. */
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createWorkspace,
  engine,
  isAlive,
  isContainerEngine,
  runtimeName,
  waitFor,
  type Workspace,
} from '../helpers/workspace.ts'

const exec = promisify(execFile)
/** From the deed to the answer that shows it. The machine of a test run is busy; noticing takes a fraction of this. */
const NOTICED_MS = 10_000

interface Status {
  workspace: { id: string }
  router: { running: boolean; pid: number }
  agents: {
    name: string
    state: string
    container: string | null
    startedAt: string | null
    lastError: { code: string; message: string } | null
    supervision?: {
      reason: string | null
      restarts: number
      nextRestartAt: string | null
      lastExit: { exitCode: number; signal: string | null; lines: string[] } | null
      probes: Record<string, string | null>
    }
  }[]
}

const PROGRAM = `import http from 'node:http'
let sick = false
const server = http.createServer((request, response) => {
  if (request.url === '/sick') sick = true
  if (request.url === '/health') response.statusCode = sick ? 500 : 200
  if (request.url !== '/crash') return response.end('well')
  console.error('crashes on demand')
  process.exit(7)
})
server.listen(process.env.PORT, process.env.PLOINKY_BIND)
process.on('SIGTERM', () => process.exit(0))
`

describe(`supervision on ${engine}`, () => {
  let workspace: Workspace
  let name = ''
  const dir = (): string => join(workspace.dir, '.ploinky/repos/mine/probe')

  const status = async (): Promise<Status['agents'][number]> => {
    // Of the router itself: a command takes seconds on a busy machine, and states pass sooner.
    const { agents } = (await (await workspace.fetch('/api/v1/status')).json()) as Status
    const agent = agents.find((item) => item.name === 'probe')
    if (agent === undefined) throw new Error('no such agent')
    return agent
  }
  const is = (state: string, timeoutMs = 60_000) =>
    waitFor(
      `the agent is ${state}`,
      async () => {
        const agent = await status()
        return agent.state === state ? agent : undefined
      },
      timeoutMs,
    )
  const call = (path = '/', signal?: AbortSignal): Promise<Response> =>
    workspace.fetch(`/services/probe${path}`, signal === undefined ? {} : { signal })
  const serves = (): Promise<true> =>
    waitFor('the agent serves', async () => ((await call()).status === 200 ? true : undefined), 60_000)
  const order = (...args: string[]): Promise<unknown> => exec(runtimeName, args)
  const containers = async (): Promise<string[]> => {
    const { workspace: found } = await workspace.json<Status>(['status'])
    const { stdout } = await exec(runtimeName, ['ps', '-aq', '--filter', `label=ploinky.workspace=${found.id}`])
    return stdout.split('\n').filter(Boolean)
  }

  beforeAll(async () => {
    workspace = await createWorkspace()
    await workspace.json(['init'])
    await mkdir(dir(), { recursive: true })
    await writeFile(join(dir(), 'server.mjs'), PROGRAM)
    const manifest = {
      ...{ about: 'probed', container: 'docker.io/library/node:24-alpine', agent: 'exec node server.mjs' },
      readiness: { protocol: 'http' },
      health: { liveness: { http: '/health', interval: 0.5, failureThreshold: 2 } },
    }
    await writeFile(join(dir(), 'manifest.json'), JSON.stringify(manifest))
    const repos = { version: 1, repos: ['builtin', 'mine'] }
    await writeFile(join(workspace.dir, '.ploinky/enabled_repos.json'), JSON.stringify(repos))
    await workspace.json(['start', 'probe'])
    name = (await status()).container ?? ''
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  it('a program that crashes: refused with the reason, explained in status, started again', async () => {
    await call('/crash').catch(() => {})
    // The engine's word may come a moment before its event, which is what the reason is learnt from.
    const failed = await waitFor(
      'the end is explained',
      async () => {
        const agent = await status()
        return agent.state === 'failed' && agent.supervision?.lastExit != null ? agent : undefined
      },
      NOTICED_MS,
    )
    expect(failed.supervision?.lastExit).toMatchObject({ exitCode: 7, signal: null })
    expect(failed.supervision?.lastExit?.lines.join('\n')).toContain('crashes on demand')
    await is('ready')
    expect((await call()).status).toBe(200)
    const text = (await workspace.run(['status'])).stdout
    expect(text).toContain('restarts: 1')
    expect(text).toContain('exit code 7')
    const events = await readFile(join(workspace.dir, '.ploinky/logs/events.ndjson'), 'utf8')
    for (const type of ['agent.failed', 'agent.restarting', 'agent.restarted']) expect(events).toContain(`"${type}"`)
    // Who looks late finds it restarting already; the event says it in any case.
    expect(events).toMatch(/"nextRestartAt":"20[^\n]*"agent\.failed"/)
  })

  it.runIf(isContainerEngine)('killed by hand: 503 with a time to come back, then back', async () => {
    await order('kill', name)
    const refused = await waitFor(
      'a refusal that says why',
      async () => {
        // Where packets to a container that is gone go nowhere, a call that was on its way waits longer than the pause lasts.
        const answer = await call('/', AbortSignal.timeout(300)).catch(() => undefined)
        if (answer?.status !== 503) return undefined
        const { error } = (await answer.json()) as { error: { message: string } }
        // A probe may have found nobody there before the engine told of the end.
        return error.message.includes('SIGKILL') ? answer : undefined
      },
      NOTICED_MS,
    )
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    await serves()
  })

  it.runIf(isContainerEngine)('removed by hand: made again, once', async () => {
    await order('rm', '-f', name)
    await is('failed', NOTICED_MS)
    await is('ready')
    await serves()
    expect(await containers()).toHaveLength(1)
  })

  // Without cgroup v2, rootless podman has no freezer.
  it.runIf(engine === 'docker' || engine === 'podman')('paused by hand: shown and left alone', async () => {
    await order('pause', name)
    await is('paused', NOTICED_MS)
    expect((await call()).status).toBe(503)
    await order('unpause', name)
    await is('ready', NOTICED_MS)
    expect((await call()).status).toBe(200)
  })

  it.runIf(isContainerEngine)('replaced by hand: a conflict is shown, the other container is not touched', async () => {
    await order('rm', '-f', name)
    await order('run', '-d', '--pull', 'never', '--name', name, 'docker.io/library/alpine:3', 'sleep', '600')
    try {
      const failed = await waitFor('the conflict', async () => {
        const agent = await status()
        return agent.state === 'failed' && agent.supervision?.reason?.includes('not made by ploinky')
          ? agent
          : undefined
      })
      expect(failed.supervision?.nextRestartAt).toBeNull()
    } finally {
      await order('rm', '-f', name)
    }
    await workspace.json(['start', 'probe'])
    await serves()
  })

  it('one that lives but is not well is started again, when its probe has failed often enough', async () => {
    const before = (await status()).startedAt
    await call('/sick')
    await waitFor(
      'a new start',
      async () => {
        const { state, startedAt } = await status()
        return state === 'ready' && startedAt !== before ? true : undefined
      },
      90_000,
    )
    expect((await call('/health')).status).toBe(200)
  })

  it('stopped by a person: stays stopped', async () => {
    await call('/crash').catch(() => {})
    await is('failed', NOTICED_MS)
    await workspace.json(['stop', 'probe'])
    expect((await status()).state).toBe('stopped')
    // Longer than its pause would have been: what is waited for is another agent's start.
    await workspace.json(['start', 'shell'])
    expect((await status()).state).toBe('stopped')
    await workspace.json(['start', 'probe'])
    await serves()
  })

  it('the router: killed, it comes back by itself and restarts no agent', async () => {
    const before = (await status()).startedAt
    const pid = await workspace.routerPid()
    process.kill(pid, 'SIGKILL')
    await waitFor('another router', async () => {
      const next = await workspace.routerPid().catch(() => pid)
      return next !== pid && isAlive(next) ? next : undefined
    })
    await serves()
    expect((await status()).startedAt).toBe(before)
    const log = (await workspace.run(['logs', 'router'])).stdout
    expect(log).toContain('the router ended and is started again')
  })

  it('stop ends the watchdog too, also while it waits', async () => {
    process.kill(await workspace.routerPid(), 'SIGKILL')
    const info = JSON.parse(await readFile(join(workspace.dir, '.ploinky/running/router.json'), 'utf8')) as {
      watchdog: { pid: number }
    }
    expect(isAlive(info.watchdog.pid)).toBe(true)
    await workspace.json(['stop'])
    await waitFor('the watchdog is gone', () => (isAlive(info.watchdog.pid) ? undefined : true))
    expect((await workspace.json<Status>(['status'])).router.running).toBe(false)
  })
})
