/** Links and terminals that end by themselves, and what each role may do. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TtyView } from '../../src/features/terminals/protocol.ts'
import type { NewShare } from '../../src/features/terminals/service.ts'
import { openTty, type TtyClient } from '../helpers/tty-client.ts'
import { createWorkspace, runtimeName, waitFor, type Workspace } from '../helpers/workspace.ts'

const TOTAL_SECONDS = 30
const LEFT_SECONDS = 2
let workspace: Workspace

beforeAll(async () => {
  workspace = await createWorkspace()
  const env = {
    PLOINKY_TERMINAL_DETACHED: String(LEFT_SECONDS),
    PLOINKY_TERMINAL_LONGEST: String(TOTAL_SECONDS),
    PLOINKY_RECORDING_LIMIT: '65536',
  }
  await workspace.json(['start', 'demo', '--runtime', runtimeName], { env })
}, 240_000)
afterAll(async () => await workspace?.[Symbol.asyncDispose](), 120_000)

const shell = (query: Record<string, string> = {}): Promise<TtyClient> =>
  openTty(workspace, 'demo', { query: { command: 'shell', ...query } })

async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const answer = await workspace.fetch(`/api/v1/${path}`, { method, ...init })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

const sessions = async (): Promise<string[]> => (await api<TtyView[]>('GET', 'terminals')).map(({ id }) => id)

async function guest(session: string, role: 'viewer' | 'editor', expires = '10m') {
  const link = await api<NewShare>('POST', `terminals/${session}/shares`, { role, expires })
  const query = Object.fromEntries(new URL(link.path, workspace.url).searchParams)
  return { query, tty: await openTty(workspace, 'demo', { query: { ...query, cols: '70', rows: '20' }, headers: {} }) }
}

describe('a link', { timeout: 60_000 }, () => {
  test('that has expired lets nobody in, and who came by it is told and cut', async () => {
    await using owner = await shell()
    const { session } = await owner.message('attached')
    const { tty, query } = await guest(session.id, 'viewer', '2s')
    expect(await tty.message('attached')).toMatchObject({ role: 'viewer' })
    expect(await tty.closed).toMatchObject({ code: 4401 })
    const told = { code: 'UNAUTHENTICATED', message: 'This link has expired, or was taken back' }
    expect(await tty.message('error')).toMatchObject({ ...told, hint: expect.stringContaining('Ask for a new one') })
    await using late = await openTty(workspace, 'demo', { query, headers: {} })
    expect(await late.message('error')).toMatchObject(told)
    expect(await late.closed).toMatchObject({ code: 4401 })
    expect(late.messages.map(({ type }) => type)).toEqual(['error'])
    // The terminal itself goes on.
    owner.type('echo st""ill\r')
    await owner.saw('still')
    owner.send({ type: 'end' })
    await owner.closed
  })

  test('of an editor types and takes the size, and neither names, records, ends nor shares', async () => {
    await using owner = await shell({ cols: '90', rows: '25', name: 'kept' })
    const { session } = await owner.message('attached')
    await using tty = (await guest(session.id, 'editor')).tty
    expect(await tty.message('attached')).toMatchObject({ role: 'editor' })
    tty.send({ type: 'rename', name: 'taken' })
    tty.send({ type: 'record', on: true })
    tty.send({ type: 'end' })
    tty.type('echo ty""ped; stty size\r')
    await owner.saw('typed')
    await owner.saw('20 70')
    expect(await owner.message('session', ({ session: view }) => view.peers.some(({ role, active }) => role === 'editor' && active))).toBeDefined() // prettier-ignore
    // A second one who types too: all of them see what each writes, in one order.
    await using second = (await guest(session.id, 'editor')).tty
    await second.message('attached')
    second.type('echo sec""ond\r')
    for (const each of [owner, tty, second]) await each.saw('second')
    const view = (await api<TtyView[]>('GET', 'terminals')).find(({ id }) => id === session.id)
    expect(view).toMatchObject({ name: 'kept', recording: false, exitCode: null })
    expect(view?.peers.map(({ role }) => role).sort()).toEqual(['editor', 'editor', 'owner'])
    // The link is no sign-in: nothing of the API is open by it.
    const share = await fetch(`${workspace.url}/api/v1/terminals/${session.id}/shares`, { method: 'POST', body: '{}' })
    expect(share.status).toBe(401)
    owner.send({ type: 'end' })
    await owner.closed
  })
})

describe('a terminal', { timeout: 90_000 }, () => {
  test('ends when nobody has looked at it for long enough, and not before', async () => {
    const tty = await shell()
    const { session } = await tty.message('attached')
    await using watcher = await openTty(workspace, 'demo', { query: { session: session.id } })
    await watcher.message('attached')
    await tty[Symbol.asyncDispose]()
    // Longer than it may be alone: it is not.
    watcher.type(`sleep ${LEFT_SECONDS + 2}; echo wo""ke\r`)
    await watcher.saw('woke')
    expect(await sessions()).toContain(session.id)
    await watcher[Symbol.asyncDispose]()
    await waitFor('its end', async () => ((await sessions()).includes(session.id) ? undefined : true))
  })

  test('ends at its longest time, and says why', async () => {
    await using tty = await shell()
    await tty.message('attached')
    tty.type('sleep 1000\r')
    await waitFor('the end', () => (tty.socket.readyState === tty.socket.CLOSED ? true : undefined), 60_000)
    expect(await tty.message('error')).toMatchObject({ code: 'RATE_LIMITED', message: `A terminal lasts ${TOTAL_SECONDS} s at most: this one ends` }) // prettier-ignore
    expect(await tty.message('exit')).toBeDefined()
    expect(await tty.closed).toMatchObject({ code: 1000 })
  })

  test('is recorded up to the largest size; then the recording ends, says so, and the terminal goes on', async () => {
    await using tty = await shell()
    const { session } = await tty.message('attached')
    tty.send({ type: 'record', on: true })
    await tty.message('session', ({ session: view }) => view.recording)
    tty.clear()
    tty.type('yes 0123456789 | head -c 400000; echo do""ne\r')
    await tty.saw('done')
    const last = await waitFor('the end of the recording', () => {
      const view = tty.messages.findLast((message) => message.type === 'session')
      return view?.session.recording === false ? view : undefined
    })
    expect(last.session.exitCode).toBeNull()
    const [found] = await api<{ recording: string; bytes: number }[]>('GET', 'recordings')
    const text = await waitFor('its last line', async () => {
      const now = await readFile(join(workspace.dir, '.ploinky/recordings', `${found?.recording}.cast`), 'utf8')
      return now.includes('recording ended: it has its largest size') ? now : undefined
    })
    // One more piece of output, at most, than it may hold.
    expect(text.length).toBeLessThan(4 * 65_536)
    tty.type('echo go""es on\r')
    await tty.saw('goes on')
    tty.send({ type: 'end' })
    await tty.closed
    expect(session.recording).toBe(false)
  })
})
