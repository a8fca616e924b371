/** Real terminals, and programs that are handed the caller's own. */
import { eventually } from '../../helpers/eventually.ts'
import { expect } from 'vitest'
import type { TtySession } from '../../../runtimes/adapter.ts'
import { programs } from '../../helpers/runtime-programs.ts'
import type { Contract } from '../runtime.ts'
import { collect, decode, marker, within } from './kit.ts'

const SIZE = { cols: 97, rows: 31 }
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Reads a terminal all the time, as every user of `openTty` has to, and tells when a text has come. */
function readAll(session: TtySession) {
  let seen = ''
  let ended = false
  let wake = (): void => {}
  const reading = (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of session.output) {
      seen += decoder.decode(chunk, { stream: true })
      wake()
    }
    ended = true
    wake()
  })()
  return {
    text: () => seen,
    async until(text: string): Promise<void> {
      const check = async (): Promise<void> => {
        while (!seen.includes(text)) {
          if (ended) throw new Error(`the terminal ended without "${text}": ${JSON.stringify(seen)}`)
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
      await within(check(), () => `"${text}" on the terminal; it shows ${JSON.stringify(seen)}`)
    },
    /** Exit code, once everything has been read. */
    async end(): Promise<number> {
      const code = await within(session.closed, () => `the end of the terminal; it shows ${JSON.stringify(seen)}`)
      await within(reading, 'the end of the output')
      return code
    },
  }
}

export function terminalCases(contract: Contract): void {
  sizes(contract)
  keys(contract)
  ends(contract)
  handedOver(contract)
}

function sizes(contract: Contract): void {
  contract('openTty is a real terminal of the size asked for', async ({ start, adapter }) => {
    const { name } = await start()
    const session = await adapter.openTty(name, programs.size(), SIZE)
    const screen = readAll(session)
    expect(await screen.end()).toBe(0)
    expect(screen.text().trim()).toBe('31 97')
  })

  contract('openTty tells the program about a new size', async ({ start, adapter }) => {
    const { name } = await start()
    const session = await adapter.openTty(name, programs.resized(), SIZE)
    const screen = readAll(session)
    await screen.until('31 97')
    await session.resize(120, 40)
    session.write(encode('\r'))
    expect(await screen.end()).toBe(3)
    expect(screen.text()).toContain('40 120')
    // After the end: no error, nobody is there to be told.
    await session.resize(80, 24)
    session.write(encode('late'))
  })

  contract('openTty sets the terminal type, the env and the folder', async (t) => {
    const { name } = await t.start()
    const cwd = t.capabilities.bindMounts ? '/etc' : t.folder
    const options = { ...SIZE, env: { ODD: 'a, "b" 🦀' }, cwd }
    const screen = readAll(await t.adapter.openTty(name, programs.terminalFacts(), options))
    expect(await screen.end()).toBe(0)
    expect(screen.text().trim()).toBe(`xterm-256color|a, "b" 🦀|${cwd}`)
  })
}

function keys(contract: Contract): void {
  contract('openTty passes UTF-8 both ways and gives the exit code', async ({ start, adapter }) => {
    const { name } = await start()
    const session = await adapter.openTty(name, programs.asks(), SIZE)
    const screen = readAll(session)
    await screen.until('name? ')
    session.write(encode('žluťoučký 🦀\r'))
    expect(await screen.end()).toBe(4)
    expect(screen.text()).toContain('got:<žluťoučký 🦀>')
  })

  contract('Ctrl-C on a terminal ends the program with 130', async ({ start, adapter }) => {
    const { name } = await start()
    const session = await adapter.openTty(name, programs.interruptible(), SIZE)
    const screen = readAll(session)
    await screen.until('ready')
    session.write(encode('k\r'))
    await screen.until('k\r\nk')
    session.write(encode('\x03'))
    expect(await screen.end()).toBe(130)
    expect(screen.text()).not.toContain('late')
  })

  contract('a lone Ctrl-P reaches the program', async ({ start, adapter }) => {
    const { name } = await start()
    const session = await adapter.openTty(name, programs.rawKey(), SIZE)
    const screen = readAll(session)
    await screen.until('ready')
    session.write(encode('\x10'))
    expect(await screen.end()).toBe(0)
    expect(screen.text()).toMatch(/ready\s+10\s*$/)
  })
}

function ends(contract: Contract): void {
  contract('killing a terminal leaves no process', async (t) => {
    const { name } = await t.start()
    const mark = marker()
    const session = await t.adapter.openTty(name, programs.tree(mark), SIZE)
    const screen = readAll(session)
    await screen.until('up')
    await eventually(async () => expect(await t.survivors(name, mark)).toBe(2))
    await within(session.kill(), 'kill')
    await screen.end()
    expect(await t.survivors(name, mark)).toBe(0)
    await session.kill()
  })

  contract('a terminal is ended by its tag', async (t) => {
    const { name } = await t.start()
    const [mark, tag] = [marker(), marker()]
    const session = await t.adapter.openTty(name, programs.tree(mark), { ...SIZE, tag })
    const screen = readAll(session)
    await screen.until('up')
    await eventually(async () => expect(await t.survivors(name, mark)).toBe(2))
    await within(t.adapter.endTerminal(name, `${tag}x`), 'endTerminal with another tag')
    expect(await t.survivors(name, mark)).toBe(2)
    // Nothing that lives in memory outlives its maker.
    if (t.adapter.id === 'fake') await session.kill()
    else await within(t.adapter.endTerminal(name, tag), 'endTerminal')
    await screen.end()
    expect(await t.survivors(name, mark)).toBe(0)
    await t.adapter.endTerminal(name, tag)
    await t.adapter.endTerminal(`${name}-gone`, tag)
  })

  contract('aborting a terminal leaves no process', async (t) => {
    const { name } = await t.start()
    const mark = marker()
    const controller = new AbortController()
    const session = await t.adapter.openTty(name, programs.tree(mark), { ...SIZE, signal: controller.signal })
    const screen = readAll(session)
    await screen.until('up')
    await eventually(async () => expect(await t.survivors(name, mark)).toBe(2))
    controller.abort()
    await screen.end()
    await eventually(async () => expect(await t.survivors(name, mark)).toBe(0))
  })

  contract('a terminal ends when its instance is removed', async ({ start, adapter }) => {
    const { name } = await start()
    const session = await adapter.openTty(name, programs.interruptible(), SIZE)
    const screen = readAll(session)
    await screen.until('ready')
    await adapter.remove(name)
    expect(await screen.end()).not.toBe(0)
  })

  contract('a terminal delivers a megabyte to its reader', async ({ start, adapter }) => {
    const { name } = await start()
    const session = await adapter.openTty(name, programs.floods('1'), SIZE)
    const bytes = await within(collect(session.output), 'the output')
    expect(await session.closed).toBe(0)
    // The terminal turns each line feed into two bytes.
    expect(bytes.byteLength).toBe(1_000_000 + 1000)
  })
}

function handedOver(contract: Contract): void {
  contract('interactive without a terminal is a command with plain pipes', async ({ start, adapter, target }) => {
    const { name } = await start({ env: { FROM_INSTANCE: 'yes' } })
    const spec = await adapter.interactive(name, programs.shouts(), { tty: false })
    const result = await target.platform.processes.run(spec, { stdin: 'quiet\n' })
    expect(result).toMatchObject({ exitCode: 5, stdout: 'QUIET\n' })
    const shows = await adapter.interactive(name, programs.shows('FROM_INSTANCE', 'OWN'), {
      tty: false,
      env: { OWN: 'odd, "value"' },
    })
    expect((await target.platform.processes.run(shows)).stdout).toBe('yes\0odd, "value"\0')
  })

  contract('interactive with a terminal hands it over', async ({ start, adapter, target }) => {
    const pty = await target.platform.pty()
    if (pty === null) throw new Error('this machine has no pseudo-terminal library: npm ci')
    const { name } = await start()
    const spec = await adapter.interactive(name, programs.asks(), { tty: true })
    const child = pty(spec, SIZE)
    let seen = ''
    const reading = (async () => {
      for await (const chunk of child.output) seen += decode(chunk)
    })()
    await eventually(() => expect(seen).toContain('name? '))
    child.write(encode('me\r'))
    expect(await within(child.exit, 'the exit')).toBe(4)
    await within(reading, 'the end of the output')
    expect(seen).toContain('got:<me>')
  })
}
