/** Much output, stalled clients, bad input: no program is held back, no memory grows, and every refusal has a code. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TtyView } from '../../src/features/terminals/protocol.ts'
import { openTty, type TtyClient, type TtyClientOptions, withoutEcho } from '../helpers/tty-client.ts'
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
/** Attach, detach and kill, so often; the long run of a release is 1000. */
const CYCLES = Number(process.env['PLOINKY_TEST_TTY_CYCLES'] ?? 10)
const MB = 1024 * 1024
let workspace: Workspace

beforeAll(async () => {
  workspace = await createWorkspace()
  await workspace.json(['start', 'demo', '--runtime', runtimeName])
}, 240_000)
afterAll(async () => await workspace?.[Symbol.asyncDispose](), 120_000)

const shell = (options: TtyClientOptions = {}): Promise<TtyClient> =>
  openTty(workspace, 'demo', { ...options, query: { command: 'shell', ...options.query } })
const views = (): Promise<TtyView[]> => workspace.json<TtyView[]>(['terminals'])

/** Of this run alone: other engines of this machine may run the same test, and all their processes are seen. */
const SLEEP = `sleep ${1_000_000 + process.pid}`

async function routerMemory(): Promise<number> {
  const status = readFileSync(`/proc/${await workspace.routerPid()}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024
}

async function container(): Promise<string> {
  const { stdout } = await run(program, ['ps', '-q', '--no-trunc'])
  for (const id of stdout.trim().split('\n').filter(Boolean))
    if ((await run(program, ['inspect', id])).stdout.includes(workspace.dir)) return id
  throw new Error('the container of the agent was not found')
}

/** Processes in the container, what the router started on this host, and what the engine runs here for the container. */
async function processes(): Promise<string[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,ppid=,args='], { maxBuffer: 16 * MB })
  const id = isContainerEngine ? await container() : null
  const all = stdout.split('\n').flatMap((line) => {
    const [, pid, ppid, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return pid === undefined ? [] : [{ pid: Number(pid), ppid: Number(ppid), args }]
  })
  const descendants = (parent: number): string[] =>
    all.filter(({ ppid }) => ppid === parent).flatMap(({ pid, args }) => [args, ...descendants(pid)])
  const marked = all.filter(({ args }) => args.includes(SLEEP) || (id !== null && args.includes(id)))
  // Podman keeps a watcher of each ended program for 300 s, for whoever asks how it ended; it goes by itself.
  const lasting = marked.filter(({ args }) => !args.includes('--exit-delay'))
  const host = [...descendants(await workspace.routerPid()), ...lasting.map(({ args }) => args)]
  if (id === null) return host
  const inside = await run(program, ['top', id])
  return [...host, ...inside.stdout.trim().split('\n').slice(1)]
}

/** Without what passes: the fewest of a few looks. */
async function lastingProcesses(): Promise<string[]> {
  const looks: string[][] = []
  for (let look = 0; look < 5; look += 1) looks.push(await processes())
  return looks.reduce((fewest, next) => (next.length < fewest.length ? next : fewest))
}

describe('a flood', { timeout: 150_000 }, () => {
  test('Ctrl-C is answered at once while the client reads', async () => {
    await using tty = await shell()
    await tty.message('attached')
    tty.type('yes\r')
    await waitFor('output', () => (tty.received > 4 * MB ? true : undefined))
    tty.clear()
    const began = performance.now()
    tty.type('\u0003')
    tty.type('echo do""ne\r')
    await tty.saw('done', 20_000)
    expect(performance.now() - began).toBeLessThan(10_000)
    tty.send({ type: 'end' })
    await tty.closed
  })

  test('200 MB to a stalled client grow no memory and hold nothing back; it gets the screen when it reads again', async () => {
    await using tty = await shell({ acks: false })
    const { session, snapshotBytes } = await tty.message('attached')
    await using witness = await openTty(workspace, 'demo', { query: { session: session.id } })
    await witness.message('attached')
    await withoutEcho(witness)
    tty.socket.pause()
    const flood = async (bytes: number, end: string): Promise<number> => {
      const lines = 'yes "0123456789 0123456789 0123456789 0123456789"'
      witness.type(`${lines} | head -c ${bytes}; echo ${end}-$((1+1))\r`)
      await witness.saw(`${end}-2`, 120_000)
      return (await routerMemory()) / MB
    }
    // Its lines are full then, and what is kept for who does not read is as much as it ever is.
    const memory = [await flood(20_000_000, 'full'), await flood(100_000_000, 'half'), await flood(100_000_000, 'all')]
    const growths = (): number[] => memory.slice(1).map((now, index) => now - (memory[index] ?? 0))
    // What is kept grows with each of them; garbage that was not collected yet (up to 42 MB were seen) does not.
    if (Math.min(...growths()) >= 16) memory.push(await flood(100_000_000, 'more'))
    expect(Math.min(...growths()), `grew by ${growths().join(', ')} MB`).toBeLessThan(16)
    expect(memory.at(-1)).toBeLessThan(300)
    if (isContainerEngine) {
      const other = run(program, ['exec', await container(), 'true'], { timeout: 10_000 })
      await expect(other).resolves.toBeDefined()
    }
    tty.socket.resume()
    // Somebody who gives no sign of life for a minute was let go, and comes back.
    const isCut = await waitFor('it reads again', () => {
      if (tty.socket.readyState !== tty.socket.OPEN) return 'cut'
      tty.send({ type: 'ack', bytes: Math.max(0, tty.received - snapshotBytes) })
      return tty.messages.some(({ type }) => type === 'snapshot') ? 'screen' : undefined
    })
    expect(tty.received).toBeLessThan(20 * MB)
    await using again = isCut === 'cut' ? await openTty(workspace, 'demo', { query: { session: session.id } }) : tty
    await again.saw(/(?:all|more)-2/)
    witness.send({ type: 'end' })
    await witness.closed
  })

  test('sequences without an end, deep parameters and garbage break nothing', async () => {
    await using tty = await shell()
    await tty.message('attached')
    await withoutEcho(tty)
    const bombs = [
      "printf '\\033]0;'; head -c 3000000 /dev/zero | tr '\\0' A; printf '\\007'",
      "i=0; while [ $i -lt 200 ]; do printf '\\033[999999999;999999999H\\033[99999X\\033[9999@\\033[9999L\\033[9999S\\033[9999T'; i=$((i+1)); done",
      "printf '\\033[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1m'",
      'head -c 2000000 /dev/urandom',
      "printf '\\033c\\033[!p'",
    ]
    for (const bomb of bombs) tty.type(`${bomb}\r`)
    tty.type('reset 2>/dev/null; echo sur""vived-$((1+1))\r')
    await tty.saw('survived-2', 60_000)
    const [view] = await views()
    expect((view?.title ?? '').length).toBeLessThanOrEqual(200)
    tty.send({ type: 'end' })
    await tty.closed
  })
})

describe('bad input', { timeout: 120_000 }, () => {
  test.each([
    ['an unknown agent', 'nobody', {}, 4404, 'AGENT_NOT_FOUND'],
    ['a session that is gone', 'demo', { session: 'gone-gone-gone' }, 4404, 'SESSION_NOT_FOUND'],
    ['a command that is not allowed', 'demo', { command: 'reboot' }, 4403, 'DENIED'],
    ['no size', 'demo', { cols: '0' }, 4400, 'REQUEST_INVALID'],
    ['a size of millions', 'demo', { cols: '1000000', rows: '1000000' }, 4400, 'REQUEST_INVALID'],
    ['a link that was made up', 'demo', { session: 'x', share: 'A'.repeat(43) }, 4401, 'UNAUTHENTICATED'],
  ])('%s is told with a code', async (_name, agent, query, close, code) => {
    await using tty = await openTty(workspace, agent, { query })
    expect(await tty.message('error')).toMatchObject({ code })
    expect(await tty.closed).toMatchObject({ code: close })
  })

  test('strangers, other sites and agents do not come in', async () => {
    await expect(openTty(workspace, 'demo', { headers: {} })).rejects.toThrow('401')
    await expect(openTty(workspace, 'demo', { headers: { origin: 'https://evil.example' } })).rejects.toThrow('403')
    await using page = await openTty(workspace, 'demo', { headers: { origin: workspace.url } })
    expect(await page.closed).toMatchObject({ code: 4401 })
    const cookie = await signIn()
    await expect(openTty(workspace, 'demo', { headers: { cookie } })).rejects.toThrow('403')
    await expect(openTty(workspace, 'demo', { headers: { cookie, 'sec-fetch-site': 'same-origin' } })).rejects.toThrow(
      '403',
    )
    await using own = await openTty(workspace, 'demo', { headers: { cookie, origin: workspace.url } })
    expect(await own.message('attached')).toMatchObject({ role: 'owner' })
    own.send({ type: 'end' })
    await own.closed
  })

  async function signIn(): Promise<string> {
    const body = JSON.stringify({ token: await workspace.token() })
    const headers = { 'content-type': 'application/json', origin: workspace.url }
    const answer = await fetch(`${workspace.url}/auth/login`, { method: 'POST', headers, body })
    return (answer.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? ''
  }

  test.each([
    ['text that is no JSON', 'hello', 4400],
    ['an unknown message', '{"type":"sudo"}', 4400],
    ['a size that is none', '{"type":"resize","cols":-1,"rows":9}', 4400],
    ['a frame of 2 MB', Buffer.alloc(2 * MB), 1009],
  ])('%s ends the connection, not the terminal', async (_name, data, code) => {
    await using tty = await shell()
    const { session } = await tty.message('attached')
    tty.socket.send(data)
    expect(await tty.closed).toMatchObject({ code })
    expect((await views()).map(({ id }) => id)).toContain(session.id)
    await workspace.json(['terminal', 'end', session.id])
  })

  test('binary garbage is typed, and no more', async () => {
    await using tty = await shell()
    await tty.message('attached')
    tty.type('echo re""ady; cat >/dev/null\r')
    // Before that the line editor of the shell would take it for commands.
    await tty.saw('ready')
    tty.socket.send(Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 167) % 256).filter((byte) => ![3, 4, 26, 28].includes(byte)))) // prettier-ignore
    tty.type('\u0003\r')
    tty.type('stty sane; echo al""ive\r')
    await tty.saw('alive')
    tty.send({ type: 'end' })
    await tty.closed
  })

  test('too many terminals are refused', async () => {
    await using small = await createWorkspace()
    await small.json(['start', 'demo', '--runtime', runtimeName], { env: { PLOINKY_TERMINAL_AGENT_LIMIT: '1' } })
    await using first = await openTty(small, 'demo', { query: { command: 'shell' } })
    await first.message('attached')
    await using second = await openTty(small, 'demo', { query: { command: 'shell' } })
    expect(await second.message('error')).toMatchObject({ code: 'RATE_LIMITED' })
    expect(await second.closed).toMatchObject({ code: 4429 })
  })
})

test(
  'reconnects leak nothing, and cycles of attach, detach and kill leave no process',
  { timeout: 60_000 + CYCLES * 3000 },
  async () => {
    const before = (await lastingProcesses()).length
    const long = await shell()
    const { session } = await long.message('attached')
    for (let i = 0; i < CYCLES * 2; i += 1) {
      await using again = await openTty(workspace, 'demo', { query: { session: session.id } })
      await again.message('attached')
    }
    await waitFor('one who looks', async () => {
      const view = (await views()).find(({ id }) => id === session.id)
      return view?.peers.length === 1 ? true : undefined
    })
    for (let i = 0; i < CYCLES; i += 1) {
      const tty = await shell()
      const { session: own } = await tty.message('attached')
      tty.type(`(${SLEEP} &); ${SLEEP}\r`)
      if (i % 2 === 0) await tty[Symbol.asyncDispose]()
      if (i % 3 === 0) await workspace.json(['terminal', 'end', own.id])
      else {
        await using last = await openTty(workspace, 'demo', { query: { session: own.id } })
        await last.message('attached')
        last.send({ type: 'end' })
        await last.closed
      }
      await tty[Symbol.asyncDispose]()
    }
    await workspace.json(['terminal', 'end', session.id])
    await long.closed
    let left: string[] = []
    const isClean = async (): Promise<true | undefined> => {
      left = await processes()
      return left.length <= before ? true : undefined
    }
    await waitFor('the processes of before', isClean).catch(() => expect(left).toHaveLength(before))
    expect((await views()).map(({ id }) => id)).not.toContain(session.id)
  },
)
