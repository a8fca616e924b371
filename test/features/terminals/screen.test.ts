import type { Terminal } from '@xterm/headless'
import { beforeAll, describe, expect, test, onTestFinished, vi } from 'vitest'
import { extendedOf } from '../../../src/features/terminals/extended-style.ts'
import { rawState, scrollsPlainly } from '../../../src/features/terminals/internals.ts'
import { loadTerminalLibrary, type TerminalLibrary } from '../../../src/features/terminals/library.ts'
import { createScreen, type Screen, type Snapshot } from '../../../src/features/terminals/screen.ts'
import { contentOf, type Content, difference } from '../../helpers/terminal-look.ts'

let library: TerminalLibrary
beforeAll(async () => void (library = await loadTerminalLibrary()))

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const quiet = { reply: () => {}, titled: () => {} }
const snapshotOf = (screen: Screen): Promise<Snapshot> => new Promise((resolve) => screen.snapshot(resolve))
const drawn = (terminal: Terminal, data: Uint8Array | string): Promise<void> =>
  new Promise((resolve) => terminal.write(data, resolve))

const plain = (size: { cols: number; rows: number; scrollback: number }): Terminal => library.create(size).terminal

async function restored(shot: Snapshot, scrollback: number): Promise<Content> {
  const terminal = plain({ cols: shot.cols, rows: shot.rows, scrollback })
  await drawn(terminal, shot.bytes)
  return contentOf(terminal)
}

/** Of each cell that has some: its link, and the kind and colour of its underline. */
function extras(terminal: Terminal) {
  const state = rawState(terminal)
  if (state === null) throw new Error('xterm has changed')
  const { lines } = state.normal
  return Array.from({ length: lines.length }, (_, y) => y).flatMap((y) =>
    Array.from({ length: terminal.cols }, (_, x) => x).flatMap((x) => {
      const line = lines.get(y)
      const extended = line === undefined ? undefined : extendedOf(line, x)
      if (extended === undefined || (extended._ext === 0 && extended._urlId === 0)) return []
      return [{ y, x, ext: extended._ext, uri: state.links(extended._urlId)?.uri }]
    }),
  )
}

/** The same from one run to the next. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

const WORDS = ['plain', 'wörter', '日本語', '🙂', 'e\u0301', '\x1b[31mred', '\x1b[0m', '\x1b[1;44mbold on blue', '\x1b[38;5;200mpink', '\x1b[38;2;1;2;3;48;2;9;8;7mtrue', '\x1b[3;9mstruck', '\x1b[7minverse', '\t', '  ', '\x1b[2K', '\r\n', '\r\n', 'x'.repeat(95)] // prettier-ignore

describe('a snapshot', () => {
  test.each([1, 2, 3, 4, 5])('of random lines and colours is the same screen (%i)', async (seed) => {
    const next = random(seed)
    const text = Array.from({ length: 3000 }, () => WORDS[next(WORDS.length)]).join(' ')
    const size = { cols: 40 + next(60), rows: 10 + next(20), scrollback: 500 }
    const screen = createScreen({ library, ...size, ...quiet })
    const reference = plain(size)
    screen.write(bytes(text))
    await drawn(reference, text)
    expect(difference(await restored(await snapshotOf(screen), size.scrollback), contentOf(reference))).toBeNull()
  })

  test('has the other screen, modes and the cursor of a full-screen program', async () => {
    const size = { cols: 80, rows: 24, scrollback: 100 }
    const text = `${'line\r\n'.repeat(60)}\x1b[?1049h\x1b[2J\x1b[5;10Hvi\x1b[?2004h\x1b[?1h\x1b[?1000h\x1b[?1006h\x1b[?25l\x1b[31m\x1b[12;3H`
    const screen = createScreen({ library, ...size, ...quiet })
    const reference = plain(size)
    screen.write(bytes(text))
    await drawn(reference, text)
    expect(difference(await restored(await snapshotOf(screen), size.scrollback), contentOf(reference))).toBeNull()
  })

  test('has links where they were, and underlines in their kind and colour', async () => {
    const size = { cols: 30, rows: 10, scrollback: 100 }
    const link = (id: string, to: string, text: string): string => `\x1b]8;${id};${to}\x1b\\${text}\x1b]8;;\x1b\\`
    const text = [
      `see ${link('', 'https://example.org/a;b', 'this page')} and ${link('id=x', 'https://example.org/2', 'another one that is wrapped')}`,
      `${link('id=x', 'https://example.org/2', '日本🙂e\u0301')} \x1b[4:3;58:2::200:10:20mcurly\x1b[0m \x1b[4:2mtwo\x1b[0m \x1b[4;58:5:9mred\x1b[0m \x1b[41;4:4mdots\x1b[0m`,
      `\x1b]8;;https://example.org/open\x1b\\still `,
    ].join('\r\n')
    const screen = createScreen({ library, ...size, ...quiet })
    const reference = plain(size)
    screen.write(bytes(text))
    await drawn(reference, text)
    const shot = await snapshotOf(screen)
    const copy = plain(size)
    await drawn(copy, shot.bytes)
    for (const terminal of [copy, reference]) await drawn(terminal, 'more')
    const found = extras(copy)
    expect(found).toEqual(extras(reference))
    expect(new Set(found.map(({ uri }) => uri))).toEqual(
      new Set([undefined, 'https://example.org/a;b', 'https://example.org/2', 'https://example.org/open']),
    )
    expect(found.filter(({ uri }) => uri === 'https://example.org/open').length).toBe('still more'.length)
    expect(difference(contentOf(copy), contentOf(reference))).toBeNull()
  })

  test('has the colours that a program redefined, and gives back those that it gave back', async () => {
    const size = { cols: 30, rows: 10, scrollback: 100 }
    const screen = createScreen({ library, ...size, ...quiet })
    const told = async (): Promise<string> => new TextDecoder().decode((await snapshotOf(screen)).bytes)
    expect(await told()).not.toContain('\x1b]')
    screen.write(bytes('\x1b]4;1;#ff0000;200;rgb:00/80/ff\x07\x1b]11;#123456\x07\x1b]12;#abc\x07\x1b]10;?\x07'))
    const all = await told()
    for (const set of ['4;1;#ff0000', '4;200;#0080ff', '11;#123456', '12;#a0b0c0'])
      expect(all).toContain(`\x1b]${set}\x1b\\`)
    expect(all).not.toContain('\x1b]10;')
    screen.write(bytes('\x1b]104;1\x07\x1b]111\x07'))
    expect(await told()).toMatch(/\x1b\]104\x1b.*\x1b\]4;200;#0080ff\x1b\\\x1b\]12;#a0b0c0\x1b/)
    screen.write(bytes('\x1b]104\x07\x1b]112\x07'))
    expect(await told()).not.toContain('#')
  })

  /** Sequences of vttest's menus, one after the other, each with what makes it seen. */
  const PREPARED = [
    ['a region with its own origin', '\x1b[5;10r\x1b[?6h\x1b[1;1Hregion', '\r\nmore'.repeat(9)],
    ['letters that draw', '\x1b[3;3H\x1b(0', 'lqqqk\r\nx   x\r\nmqqqj'],
    ['letters that draw, of G1', '\x1b[3;3H\x1b)0\x0e', 'lqqqk\x0f plain'],
    ['tab stops', '\x1b[3;1H\x1b[3g\x1b[1;5H\x1bH\x1b[1;33H\x1bH\x1b[1;1H', 'a\tb\tc\td'],
    ['no tab stop', '\x1b[3g\r', 'a\tb'],
    ['what was put aside', '\x1b[3;7H\x1b[1;31m\x1b(0\x1b7\x1b(B\x1b[0m\x1b[20;1H', '\x1b8lqk\x1b[H\x1b8again'],
    ['what was put aside at the edge', `\x1b[3;1H${'e'.repeat(80)}\x1b7\x1b[1;1H`, '\x1b8x'],
    ['insertion in colours', '\x1b[1;1Hbehind\x1b[1;1H\x1b[4h\x1b[44m', 'before \x1b[K'],
    ['no wrapping', '\x1b[?7l\x1b[2;70H', '0123456789abcdef'],
    ['a full screen, and what was before', '\x1b[9;9H\x1b[1;32;45m\x1b[?1049h\x1b[0mfull\x1b[2;9r', '\x1b[?1049lthere'],
    [
      'a full screen with things put aside',
      '\x1b[?1049h\x1b[7;7H\x1b[33m\x1b7\x1b[m\x1b[H',
      '\x1b8yes\x1b[?1049l\x1b8no',
    ],
    ['the other screen without a cursor of its own', '\x1b[4;4H\x1b7\x1b[9;9H\x1b[?47hother', '\x1b[?47l\x1b8here'],
    ['a pending wrap', `\x1b[3;1H${'e'.repeat(80)}`, 'f'],
    ['a pending wrap after a wide character', `\x1b[3;1H${'e'.repeat(78)}語`, 'f'],
  ] as const
  test.each(PREPARED)('goes on like the terminal itself: %s', async (_name, prepared, then) => {
    const size = { cols: 80, rows: 24, scrollback: 100 }
    const before = `${'line\r\n'.repeat(40)}${prepared}`
    const screen = createScreen({ library, ...size, ...quiet })
    const [reference, late] = [plain(size), plain(size)]
    screen.write(bytes(before))
    await drawn(reference, before)
    await drawn(late, (await snapshotOf(screen)).bytes)
    expect(difference(contentOf(late), contentOf(reference))).toBeNull()
    await drawn(late, then)
    await drawn(reference, then)
    expect(difference(contentOf(late), contentOf(reference))).toBeNull()
  })

  test('comes with all that was written since', async () => {
    const screen = createScreen({ library, cols: 80, rows: 24, scrollback: 100, ...quiet })
    screen.write(bytes('before'))
    const seen = new Promise<{ before: string; since: string }>((resolve) =>
      screen.snapshot(
        (shot, since) =>
        resolve({ before: new TextDecoder().decode(shot.bytes), since: since.map((part) => new TextDecoder().decode(part)).join('') }), // prettier-ignore
      ),
    )
    screen.write(bytes(' after'))
    expect(await seen).toEqual({ before: expect.stringContaining('before'), since: ' after' })
  })
})

describe('lines that nobody could see', () => {
  const size = { cols: 80, rows: 24, scrollback: 1000 }
  /** Bytes as they come from an engine, in pieces that end anywhere. */
  async function flood(text: string, chunk = 4093): Promise<{ screen: Screen; dropped: boolean; reference: Terminal }> {
    // A program that never makes a pause, however little of the processor is left for this test.
    let now = performance.now()
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    onTestFinished(() => clock.mockRestore())
    const screen = createScreen({ library, ...size, ...quiet })
    const reference = plain(size)
    const data = bytes(text)
    let most = 0
    for (let at = 0; at < data.byteLength; at += chunk) {
      now += 0.1
      screen.write(data.subarray(at, at + chunk))
      most = Math.max(most, screen.waiting)
      if (at % (chunk * 16) === 0) await new Promise((resolve) => setImmediate(resolve))
      const full = screen.full()
      if (full !== null) await full
    }
    clock.mockRestore()
    await drawn(reference, data)
    expect(most).toBeLessThan(9 * 1024 * 1024)
    return { screen, dropped: screen.dropped > data.byteLength / 2, reference }
  }
  const lines = (count: number, from = 0): string =>
    Array.from({ length: count }, (_, i) => `${from + i} ${'wörter und 日本 '.repeat((i * 7) % 9)}\tend\r\n`).join('')

  test.each([
    ['plain text', () => lines(120_000)],
    ['after colours, with a prompt at the end', () => `\x1b[1;33;44mstart\x1b[5;5H${lines(120_000)}\x1b[0m$ `],
    ['long lines that wrap', () => `${'y'.repeat(333)}\r\n`.repeat(40_000)],
  ])('are dropped, and the rest is the same: %s', { timeout: 60_000 }, async (_name, text) => {
    const { screen, dropped, reference } = await flood(text())
    expect(dropped).toBe(true)
    expect(difference(await restored(await snapshotOf(screen), size.scrollback), contentOf(reference))).toBeNull()
  })

  test.each([
    ['colours in every line', () => lines(100_000).replaceAll('\tend', '\x1b[32mend\x1b[0m')],
    ['one long line', () => 'z'.repeat(9 * 1024 * 1024)],
    ['a region that scrolls by itself', () => `\x1b[3;10r\x1b[3;1H${lines(100_000)}`],
    ['line feeds without returns', () => 'word\n'.repeat(2_000_000)],
    ['a title without an end', () => `\x1b]0;${lines(100_000)}`],
    ['C1 controls in UTF-8', () => `${lines(1)}\u0085next\u008d`.repeat(60_000)],
  ])('are drawn where dropping could be seen: %s', { timeout: 60_000 }, async (_name, text) => {
    const { screen, reference } = await flood(text())
    expect(screen.dropped).toBe(0)
    expect(difference(await restored(await snapshotOf(screen), size.scrollback), contentOf(reference))).toBeNull()
  })
})

test('the parts of xterm that are used beside its API are where they were', async () => {
  const terminal = plain({ cols: 80, rows: 24, scrollback: 10 })
  expect(rawState(terminal)).toMatchObject({ alternate: null, mouseEncoding: 'DEFAULT', isCursorHidden: false })
  expect(scrollsPlainly(terminal)).toBe(true)
  await drawn(terminal, '\x1b[3')
  expect(scrollsPlainly(terminal)).toBe(false)
  await drawn(terminal, '1m\x1b[2;5r')
  expect(scrollsPlainly(terminal)).toBe(false)
  await drawn(terminal, '\x1b[r\x1b]0;title')
  expect(scrollsPlainly(terminal)).toBe(false)
  expect(rawState({} as Terminal)).toBeNull()
  expect(scrollsPlainly({} as Terminal)).toBe(false)
})

test('what is asked for two thousand million times is done as often as can be seen', async () => {
  const size = { cols: 80, rows: 24, scrollback: 1000 }
  const lines = 'line\r\n'.repeat(60)
  const asked = (n: string): string =>
    `${lines}\x1b[5;5H\x1b[${n}L\x1b[${n}S\x1b[${n}T${lines}\x1b[5;5H\x1b[${n}M\x1b[${n}I\x1b[${n}Zx\x1b[3b`
  const [bomb, plainly] = [plain(size), plain(size)]
  await drawn(bomb, asked('2000000000'))
  await drawn(plainly, asked('80'))
  expect(difference(contentOf(bomb), contentOf(plainly))).toBeNull()
  await drawn(bomb, 'y\x1b[2000000000b')
  expect(bomb.buffer.active.getLine(bomb.buffer.active.length - 2)?.translateToString()).toBe('y'.repeat(80))
})

test('questions of programs are answered once, by the server', async () => {
  const replies: string[] = []
  const screen = createScreen({ library, cols: 80, rows: 24, scrollback: 10, titled: () => {}, reply: (data) => replies.push(data) }) // prettier-ignore
  screen.write(bytes('ab\x1b[6n\x1b[c'))
  await snapshotOf(screen)
  expect(replies.join('')).toContain('\x1b[1;3R')
  expect(replies).toHaveLength(2)
})

test('who asks for pictures is told that they can be shown, and with how many colours', async () => {
  const replies: string[] = []
  const screen = createScreen({ library, cols: 80, rows: 24, scrollback: 10, titled: () => {}, reply: (data) => replies.push(data) }) // prettier-ignore
  // Device attributes; colours asked for, set, and the size of a picture; then a picture, which is no text.
  for (const sequence of ['[0c', '[?1;1;0S', '[?1;3;16S', '[?2;1;0S', 'Pq#0;2;0;0;0~~\x1b\\x'])
    screen.write(bytes(`\x1b${sequence}`))
  const { bytes: shot } = await snapshotOf(screen)
  expect(replies).toEqual(['\x1b[?62;4;22c', '\x1b[?1;0;256S', '\x1b[?1;2S', '\x1b[?2;1S'])
  expect(new TextDecoder().decode(shot)).toMatch(/^x/)
})

test('who waits for the answers has them, however much is drawn before', async () => {
  const replies: string[] = []
  const screen = createScreen({ library, cols: 80, rows: 24, scrollback: 10, patienceMs: 60_000, titled: () => {}, reply: (data) => replies.push(data) }) // prettier-ignore
  // More than is drawn in one go. How long that takes is this machine's.
  screen.write(bytes('line\r\n'.repeat(12_000)))
  screen.write(bytes('ab\x1b[6n'))
  expect(replies).toEqual([])
  await screen.answered()
  expect(replies).toEqual(['\x1b[24;3R'])
  screen.dispose()
  await screen.answered()
})
