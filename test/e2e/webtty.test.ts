/** The terminal of an agent over its socket: what is promised to pages and programs, on every engine and both runtimes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTty } from '../helpers/tty-client.ts'
import { createWorkspace, runtimeName, type Workspace } from '../helpers/workspace.ts'

let workspace: Workspace

beforeAll(async () => {
  workspace = await createWorkspace()
  await workspace.json(['start', 'demo', '--runtime', runtimeName])
}, 240_000)
afterAll(async () => await workspace?.[Symbol.asyncDispose](), 120_000)

describe('a terminal', { timeout: 60_000 }, () => {
  test('runs a shell in a real terminal of the size that was asked for', async () => {
    await using tty = await openTty(workspace, 'demo', { query: { command: 'shell', cols: '91', rows: '27' } })
    const attached = await tty.message('attached')
    expect(attached).toMatchObject({ role: 'owner', session: { agent: 'demo', cols: 91, rows: 27, exitCode: null } })
    tty.type('stty size; test -t 0 && echo tty-$((40+2))\r')
    await tty.saw('27 91')
    await tty.saw('tty-42')
    tty.type('exit 7\r')
    expect(await tty.message('exit')).toMatchObject({ code: 7 })
    expect(await tty.closed).toMatchObject({ code: 1000 })
  })

  test('runs the program of the agent by default', async () => {
    await using tty = await openTty(workspace, 'demo')
    expect((await tty.message('attached')).session.command).toBe('cli')
    tty.send({ type: 'end' })
    expect(await tty.closed).toMatchObject({ code: 1000 })
  })

  test('goes on when nobody looks, and shows its screen to who comes back', async () => {
    const first = await openTty(workspace, 'demo', { query: { command: 'shell' } })
    const { session } = await first.message('attached')
    first.type('echo be""fore; MARK=here\r')
    await first.saw('before')
    await first[Symbol.asyncDispose]()
    await using second = await openTty(workspace, 'demo', { query: { session: session.id } })
    expect((await second.message('attached')).session.id).toBe(session.id)
    await second.saw('before')
    second.type('echo still-$MARK\r')
    await second.saw('still-here')
    second.send({ type: 'end' })
    await second.closed
  })

  test('speaks JSON text with those who offer no sub-protocol', async () => {
    await using tty = await openTty(workspace, 'demo', { query: { command: 'shell' }, binary: false })
    expect(tty.socket.protocol).toBe('')
    tty.send({ type: 'resize', cols: 100, rows: 30 })
    tty.type('sleep 0.2; stty size; echo "gr""üße 🙂"\r')
    await tty.saw('30 100')
    await tty.saw('grüße 🙂')
    tty.send({ type: 'end' })
    await tty.closed
  })
})
