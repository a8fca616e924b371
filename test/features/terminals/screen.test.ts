import type { IBufferCell, Terminal } from '@xterm/headless'
import { beforeAll, describe, expect, test } from 'vitest'
import { style } from '../../../src/features/terminals/buffer-text.ts'
import { rawState, scrollsPlainly } from '../../../src/features/terminals/internals.ts'
import { loadTerminalLibrary, type TerminalLibrary } from '../../../src/features/terminals/library.ts'
import { createScreen, type Screen, type Snapshot } from '../../../src/features/terminals/screen.ts'

let library: TerminalLibrary
beforeAll(async () => void (library = await loadTerminalLibrary()))

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const quiet = { reply: () => {}, titled: () => {} }
const snapshotOf = (screen: Screen): Promise<Snapshot> => new Promise((resolve) => screen.snapshot(resolve))
const drawn = (terminal: Terminal, data: Uint8Array | string): Promise<void> =>
  new Promise((resolve) => terminal.write(data, resolve))

interface Content {
  readonly lines: readonly string[]
  readonly state: string
}

function lookOf(cell: IBufferCell): string {
  if (cell.isAttributeDefault()) return ''
  const lines = [cell.isInverse(), cell.isUnderline(), cell.isStrikethrough(), cell.isOverline()]
  const background = cell.isBgDefault() ? '' : `{${cell.getBgColorMode()},${cell.getBgColor()}}`
  // A blank shows its background, unless it is inverse or has a line.
  if (cell.getChars().trim() === '' && lines.every((flag) => flag === 0)) return background
  const flags = [cell.isBold(), cell.isDim(), cell.isItalic(), cell.isBlink(), cell.isInvisible(), ...lines]
  return `${background}[${cell.getFgColorMode()},${cell.getFgColor()},${flags.map((flag) => (flag === 0 ? 0 : 1)).join('')}]`
}

/** Every cell with its colours and flags, the cursor and the modes: what a person or a program could tell apart. */
function contentOf(terminal: Terminal): Content {
  const buffer = terminal.buffer.active
  const lines: string[] = []
  const cell = buffer.getNullCell()
  for (let y = 0; y < buffer.length; y += 1) {
    const line = buffer.getLine(y)
    // What came before the first line is gone.
    let text = line?.isWrapped === true && y > 0 ? '>' : ' '
    for (let x = 0; x < terminal.cols; x += 1) {
      line?.getCell(x, cell)
      text += (cell.getChars() || ' ') + lookOf(cell)
    }
    lines.push(text.trimEnd())
  }
  const { type, cursorX, cursorY, baseY } = buffer
  const hidden = rawState(terminal)
  const { mouseEncoding, isCursorHidden } = hidden ?? {}
  const pen = style(hidden?.pen.fg ?? 0, hidden?.pen.bg ?? 0)
  return { lines, state: JSON.stringify({ type, cursorX, cursorY, baseY, mouseEncoding, isCursorHidden, pen, modes: terminal.modes }) } // prettier-ignore
}

/** The first difference, short enough to be read; null: none. */
function difference(found: Content, wanted: Content): unknown {
  if (found.state !== wanted.state) return { found: found.state, wanted: wanted.state }
  const at = wanted.lines.findIndex((line, index) => line !== found.lines[index])
  if (at < 0) return found.lines.length === wanted.lines.length ? null : { lines: found.lines.length, wanted: wanted.lines.length } // prettier-ignore
  const [a, b] = [found.lines[at] ?? '', wanted.lines[at] ?? '']
  let column = 0
  while (column < a.length && a[column] === b[column]) column += 1
  const near = (text: string): string => text.slice(Math.max(0, column - 60), column + 120)
  return { at, of: wanted.lines.length, column, found: near(a), wanted: near(b) }
}

const plain = (size: { cols: number; rows: number; scrollback: number }): Terminal => library.create(size).terminal

async function restored(shot: Snapshot, scrollback: number): Promise<Content> {
  const terminal = plain({ cols: shot.cols, rows: shot.rows, scrollback })
  await drawn(terminal, shot.bytes)
  return contentOf(terminal)
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
    const screen = createScreen({ library, ...size, ...quiet })
    const reference = plain(size)
    const data = bytes(text)
    let most = 0
    for (let at = 0; at < data.byteLength; at += chunk) {
      screen.write(data.subarray(at, at + chunk))
      most = Math.max(most, screen.waiting)
      if (at % (chunk * 16) === 0) await new Promise((resolve) => setImmediate(resolve))
      const full = screen.full()
      if (full !== null) await full
    }
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

test('who waits for the answers has them, however much is drawn before', async () => {
  const replies: string[] = []
  const screen = createScreen({ library, cols: 80, rows: 24, scrollback: 10, titled: () => {}, reply: (data) => replies.push(data) }) // prettier-ignore
  screen.write(bytes('line\r\n'.repeat(100_000)))
  screen.write(bytes('ab\x1b[6n'))
  expect(replies).toEqual([])
  await screen.answered()
  expect(replies).toEqual(['\x1b[24;3R'])
  screen.dispose()
  await screen.answered()
})
