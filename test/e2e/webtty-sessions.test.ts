/** Terminals belong to the router: they are listed, shared, recorded, limited, and nothing of them is left behind. */
import { execFile } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TtyView } from '../../src/features/terminals/protocol.ts'
import type { NewShare } from '../../src/features/terminals/service.ts'
import { openTty, type TtyClient, withoutEcho } from '../helpers/tty-client.ts'
import {
  createWorkspace,
  engine,
  isContainerEngine,
  runtimeName,
  waitFor,
  type Workspace,
} from '../helpers/workspace.ts'

const run = promisify(execFile)
const program = engine.startsWith('podman') ? 'podman' : 'docker'
let workspace: Workspace

beforeAll(async () => {
  workspace = await createWorkspace()
  await workspace.json(['start', 'demo', '--runtime', runtimeName])
}, 240_000)
afterAll(async () => await workspace?.[Symbol.asyncDispose](), 120_000)

const views = (): Promise<TtyView[]> => workspace.json<TtyView[]>(['terminals'])
const shell = (query: Record<string, string> = {}): Promise<TtyClient> =>
  openTty(workspace, 'demo', { query: { command: 'shell', ...query } })

async function containerId(): Promise<string> {
  const { stdout } = await run(program, ['ps', '-q', '--filter', `label=ploinky.workspace`, '--no-trunc'])
  const ids = stdout.trim().split('\n').filter(Boolean)
  for (const id of ids) {
    const { stdout: mounts } = await run(program, ['inspect', id])
    if (mounts.includes(workspace.dir)) return id
  }
  throw new Error('the container of the agent was not found')
}

/** Of this run alone: other engines of this machine may run the same test, and all their processes are seen. */
const sleepOf = (test: number): string => `sleep ${test}${1_000_000 + process.pid}`

/** Programs with this word in their command line, in the container or on this host. */
async function running(word: string): Promise<number> {
  const list = isContainerEngine
    ? (
        await run(program, [
          'top',
          await containerId(),
          ...(program === 'docker' ? ['-eo', 'pid,args'] : ['pid', 'args']),
        ])
      ).stdout
    : (await run('ps', ['-eo', 'pid,args'], { maxBuffer: 64 * 1024 * 1024 })).stdout
  return list.split('\n').filter((line) => line.includes(word) && !line.includes('ps -eo')).length
}

async function endAll(): Promise<void> {
  for (const { id } of await views()) await workspace.json(['terminal', 'end', id])
}

describe('sessions', { timeout: 90_000 }, () => {
  test('are opened, listed, renamed and ended by commands', async () => {
    const made = await workspace.json<TtyView>([
      'terminal',
      'new',
      'demo',
      '--command',
      'shell',
      '--name',
      'build',
      '--detached',
    ])
    expect(await views()).toMatchObject([{ id: made.id, agent: 'demo', name: 'build', command: 'shell', peers: [] }])
    await workspace.json(['terminal', 'rename', 'build', 'deploy'])
    await using tty = await openTty(workspace, 'demo', { query: { session: made.id } })
    expect((await tty.message('attached')).session.name).toBe('deploy')
    tty.type(`(${sleepOf(1)} &) ; ${sleepOf(1)}\r`)
    await waitFor('two programs', async () => ((await running(sleepOf(1))) === 2 ? true : undefined))
    await workspace.json(['terminal', 'end', 'deploy'])
    expect(await tty.message('exit')).toBeDefined()
    await waitFor('no program', async () => ((await running(sleepOf(1))) === 0 ? true : undefined))
    expect(await views()).toEqual([])
  })

  test('a link lets a stranger see one terminal, without typing, until it is taken back', async () => {
    await using owner = await shell()
    const { session } = await owner.message('attached')
    const link = await workspace.json<NewShare & { url: string }>(['terminal', 'share', session.id])
    const query = Object.fromEntries(new URL(link.url).searchParams)
    await using guest = await openTty(workspace, 'demo', { query, headers: {} })
    expect(await guest.message('attached')).toMatchObject({ role: 'viewer' })
    guest.type('echo gu""est\r')
    guest.send({ type: 'input', data: 'echo gu""est\r' })
    guest.send({ type: 'end' })
    guest.send({ type: 'record', on: true })
    owner.type('echo ow""ner\r')
    await guest.saw('owner')
    expect(owner.text()).not.toContain('guest')
    const page = await fetch(link.url, { headers: { accept: 'text/html' }, redirect: 'manual' })
    expect([200, 404]).toContain(page.status)
    const other = await fetch(`${workspace.url}/webtty/demo`, { headers: { accept: 'text/html' }, redirect: 'manual' })
    expect(other.status).toBe(302)
    await workspace.json(['terminal', 'unshare', session.id])
    expect(await guest.closed).toMatchObject({ code: 4401 })
    await using late = await openTty(workspace, 'demo', { query, headers: {} })
    expect(await late.message('error')).toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(await late.closed).toMatchObject({ code: 4401 })
    await endAll()
  })

  test('two who type: the size follows the one who typed last, or who takes it', async () => {
    await using first = await shell({ cols: '80', rows: '24' })
    const { session } = await first.message('attached')
    await using second = await openTty(workspace, 'demo', { query: { session: session.id, cols: '120', rows: '40' } })
    await second.message('attached')
    second.type('stty size\r')
    await second.saw('40 120')
    expect(await first.message('size')).toMatchObject({ cols: 120, rows: 40 })
    first.send({ type: 'take' })
    expect(await second.message('size', ({ cols }) => cols === 80)).toMatchObject({ rows: 24 })
    await endAll()
  })

  test('are recorded as an asciicast that only its owner can read, without what is typed', async () => {
    await using tty = await shell()
    const { session } = await tty.message('attached')
    await withoutEcho(tty)
    await workspace.json(['terminal', 'record', session.id])
    await tty.message('session', ({ session: view }) => view.recording)
    tty.type('echo sh""own # hid""den\r')
    await tty.saw('shown')
    tty.type('exit 3\r')
    await tty.closed
    const [found] = await waitFor('a recording', async () => {
      const list = await workspace.json<{ recording: string }[]>(['terminal', 'recordings'])
      return list.length > 0 ? list : undefined
    })
    const path = join(workspace.dir, '.ploinky/recordings', `${found?.recording}.cast`)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const text = await waitFor('the end of it', async () => {
      const now = await readFile(path, 'utf8')
      return now.includes('"x"') ? now : undefined
    })
    const [head, ...events] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(head).toMatchObject({ version: 3, term: { cols: 80, rows: 24 } })
    expect(events.at(-1)).toEqual([expect.any(Number), 'x', '3'])
    expect(text).toContain('shown')
    expect(text).not.toContain('# hid')
    const served = await workspace.fetch(`/recordings/${found?.recording}.cast`)
    expect(await served.text()).toBe(text)
    expect((await fetch(`${workspace.url}/recordings/${found?.recording}.cast`)).status).toBe(401)
    await workspace.json(['terminal', 'recording', 'remove', found?.recording ?? '', '--yes'])
    expect(await readdir(join(workspace.dir, '.ploinky/recordings'))).toEqual([])
  })

  test('end with their agent, and say so', async () => {
    await using tty = await shell()
    await tty.message('attached')
    tty.type(`${sleepOf(2)}\r`)
    await workspace.json(['stop', 'demo'])
    expect(await tty.message('exit')).toBeDefined()
    expect(await tty.closed).toMatchObject({ code: 1000 })
    await using refused = await shell()
    expect(await refused.message('error')).toMatchObject({ code: 'AGENT_NOT_RUNNING' })
    expect(await refused.closed).toMatchObject({ code: 4409 })
    await workspace.json(['start', 'demo', '--runtime', runtimeName])
    if (!isContainerEngine) expect(await running(sleepOf(2))).toBe(0)
  })

  test('of a router that was killed are ended by the next one', async () => {
    await using tty = await shell()
    await tty.message('attached')
    tty.type(`(setsid ${sleepOf(3)} &) ; ${sleepOf(3)}\r`)
    await waitFor('two programs', async () => ((await running(sleepOf(3))) === 2 ? true : undefined))
    process.kill(await workspace.routerPid(), 'SIGKILL')
    await tty.closed
    await workspace.json(['start', 'demo', '--runtime', runtimeName])
    await waitFor('no program', async () => ((await running(sleepOf(3))) === 0 ? true : undefined), 20_000)
  })
})
