/** `attach`: another terminal of a person as a window of a session, over lines that are cut, and left as it was found. */
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Terminal } from '@xterm/headless'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { attach, type AttachResult } from '../../src/features/terminals/attach.ts'
import { createScreenWriter } from '../../src/features/terminals/attach-screen.ts'
import { loadTerminalLibrary } from '../../src/features/terminals/library.ts'
import type { TtyView } from '../../src/features/terminals/protocol.ts'
import type { Terminals } from '../../src/features/terminals/service.ts'
import { connectWebSocket } from '../../src/platform/web-sockets.ts'
import type { RawTerminalListener } from '../../src/platform/index.ts'
import { createFakeTerminal } from '../helpers/cli-terminal.ts'
import { contentOf } from '../helpers/terminal-look.ts'
import { createWorkspace, runtimeName, waitFor, type Workspace } from '../helpers/workspace.ts'

let workspace: Workspace
let line: Line
let terminal: Terminal

beforeAll(async () => {
  workspace = await createWorkspace()
  await workspace.json(['start', 'demo', '--runtime', runtimeName])
  line = await openLine(workspace.port)
}, 240_000)
afterEach(() => line.mend())
afterAll(async () => {
  await line?.close()
  await workspace?.[Symbol.asyncDispose]()
}, 120_000)

/** A line to the router that can be cut. */
interface Line {
  readonly port: number
  cut(): void
  mend(): void
  close(): Promise<void>
}

async function openLine(port: number): Promise<Line> {
  const open = new Set<Socket>()
  let isCut = false
  const server: Server = createServer((near) => {
    if (isCut) return near.destroy()
    const far = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      // prettier-ignore
      open.add(one)
      one.pipe(other).on('error', () => {})
      one.on('error', () => {})
      one.on('close', () => (open.delete(one), other.destroy()))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true
      for (const socket of open) socket.destroy()
    },
    mend: () => void (isCut = false),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

const shell = (): Promise<TtyView> =>
  workspace.json<TtyView>(['terminal', 'new', 'demo', '--command', 'shell', '--detached'])

/** This terminal: what it shows, and what is typed on it. */
async function sitDown() {
  const library = await loadTerminalLibrary()
  terminal = library.create({ cols: 90, rows: 28, scrollback: 1000 }).terminal
  const keyboard = { listener: null as RawTerminalListener | null, closed: 0 }
  const openRaw = (listener: RawTerminalListener) => {
    keyboard.listener = listener
    return {
      size: { cols: 90, rows: 28 },
      write: (bytes: Uint8Array, done: () => void) => terminal.write(bytes, done),
      close: () => void (keyboard.closed += 1),
    }
  }
  const place = async (path: string) => ({
    url: `ws://127.0.0.1:${line.port}${path}`,
    headers: { authorization: `Bearer ${await workspace.token()}` },
  })
  return {
    keyboard,
    type: (text: string) => keyboard.listener?.input(new TextEncoder().encode(text)),
    attach: (session: string): Promise<AttachResult> =>
      attach(
        {
          terminals: { list: async () => await workspace.json<TtyView[]>(['terminals']) } as unknown as Terminals,
          client: { webSocket: place },
          platform: { terminal: { ...createFakeTerminal({ tty: true }), openRaw }, net: { connectWebSocket } },
        },
        { session, signal: new AbortController().signal },
      ),
  }
}

const shown = (): string => contentOf(terminal).lines.join('\n')
const shows = (what: RegExp): Promise<true> =>
  waitFor(`${what.source} on the screen`, () => (what.test(shown()) ? true : undefined)).catch((cause: unknown) => {
    throw new Error(`Not seen: ${what.source}\n${shown()}`, { cause })
  })

describe('attach', { timeout: 90_000 }, () => {
  test('comes back by itself after its line was cut, with the screen as it is then', async () => {
    const { id } = await shell()
    const desk = await sitDown()
    const done = desk.attach(id)
    await shows(/[#$]$/m)
    desk.type('stty size; sleep 2; echo af""ter\r')
    await shows(/28 90/)
    line.cut()
    await shows(/connection lost, trying again/)
    line.mend()
    await shows(/^ ?after/m)
    expect(shown()).not.toContain('connection lost')
    desk.type('echo ag""ain\r')
    await shows(/^ ?again/m)
    desk.type('\u001dd')
    expect(await done).toEqual({ session: id, detached: true, exitCode: null })
    expect(desk.keyboard.closed).toBe(1)
    await workspace.json(['terminal', 'end', id])
  })

  test('can be left while there is no line', async () => {
    const { id } = await shell()
    const desk = await sitDown()
    const done = desk.attach(id)
    await shows(/[#$]$/m)
    line.cut()
    await shows(/connection lost/)
    desk.type('\u001dd')
    expect(await done).toMatchObject({ detached: true })
    await workspace.json(['terminal', 'end', id])
  })

  test('says so when the terminal ended meanwhile', async () => {
    const { id } = await shell()
    const desk = await sitDown()
    const done = desk.attach(id)
    const failed = expect(done).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND', hint: expect.stringContaining('ploinky terminals') }) // prettier-ignore
    await shows(/[#$]$/m)
    line.cut()
    await shows(/connection lost/)
    await workspace.json(['terminal', 'end', id])
    line.mend()
    await failed
    expect(desk.keyboard.closed).toBe(1)
  })

  test('gives the exit code of the program, and leaves no mode of it behind', async () => {
    const { id } = await shell()
    const desk = await sitDown()
    const done = desk.attach(id)
    await shows(/[#$]$/m)
    desk.type(
      "printf '\\033[?1049h\\033[?1000;1006;2004;1004;1h\\033[?25l\\033[4h\\033[31m\\033[5;9r\\033(0'; exit 7\r",
    )
    expect(await done).toEqual({ session: id, detached: false, exitCode: 7 })
    await expectFresh()
  })
})

/** As a new terminal, apart from what is on it. */
async function expectFresh(): Promise<void> {
  const library = await loadTerminalLibrary()
  const fresh = library.create({ cols: 90, rows: 28, scrollback: 1000 }).terminal
  await new Promise<void>((resolve) => fresh.write('\r\n'.repeat(28), resolve))
  const stateOf = (of: Terminal): object => ({ ...(JSON.parse(contentOf(of).state) as object), baseY: 0 })
  expect(stateOf(terminal)).toEqual(stateOf(fresh))
  terminal.write('lqk')
  await shows(/lqk$/)
}

test('a terminal that was never drawn on is left alone', async () => {
  const written: string[] = []
  const raw = {
    write: (bytes: Uint8Array, done: () => void) => (written.push(new TextDecoder().decode(bytes)), done()),
  }
  await createScreenWriter(raw, () => {}).end()
  expect(written.join('')).toBe('')
})
