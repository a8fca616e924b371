import { describe, expect, it } from 'vitest'
import { timedLines, type TimedLine } from '../../../runtimes/cli/log-lines.ts'
import { chunksOf, recordedBytes } from './support.ts'

const T1 = '2026-11-21T00:12:18.081762140Z'
const T2 = '2026-11-21T00:12:19.000000000Z'
const BLOCK = 16 * 1024

async function read(text: string | Uint8Array, block: number | null, chunk = 1 << 20): Promise<TimedLine[]> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  const lines: TimedLine[] = []
  for await (const line of timedLines(chunksOf(bytes, chunk), block)) lines.push(line)
  return lines
}
const texts = async (...args: Parameters<typeof read>): Promise<string[]> =>
  (await read(...args)).map(({ text }) => text)

describe.each([
  ['docker/20.10.24', BLOCK],
  ['podman/4.3.1', null],
] as const)('%s', (version, block) => {
  const bytes = recordedBytes(`${version}/logs.txt`)
  const expected = ['a'.repeat(40_000), 'short', 'partial', '', 'no end']
  it.each([1 << 20, 65_536, 1000, 7])('stored pieces are one line again, in chunks of %i', async (chunk) => {
    const lines = await read(bytes, block, chunk)
    expect(lines.map(({ text }) => text)).toEqual(expected)
    for (const { at } of lines) expect(at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/)
  })
})

describe('a line over the limit', () => {
  /** As docker prints it: a stamp before every block. */
  const stored = (line: string): string => {
    const blocks = []
    for (let at = 0; at < line.length; at += BLOCK) blocks.push(`${T1} ${line.slice(at, at + BLOCK)}`)
    return `${blocks.join('')}\n`
  }
  it.each([3, 100_000, 1 << 20])('comes in pieces and loses nothing, in chunks of %i', async (chunk) => {
    const line = Array.from({ length: 60_000 }, (_, i) => String(i % 10_000).padStart(5, '0')).join('')
    const given = await texts(`${stored(line)}${T2} next\n`, BLOCK, chunk)
    expect(given.length).toBeGreaterThan(3)
    expect(given.slice(0, -1).every((text) => text.length <= 140_000)).toBe(true)
    expect(given.slice(0, -1).join('')).toBe(line)
    expect(given.at(-1)).toBe('next')
  })
  it('is not cut inside a character', async () => {
    const line = 'é'.repeat(200_000)
    const given = await texts(`${T1} ${line}\n`, null, 60_001)
    expect(given.join('')).toBe(line)
  })
})

describe("a program's own time stamps", () => {
  const own = 'started 2026-11-21T00:12:18.000000001Z now'
  it('are text where stamps stand at blocks only', async () => {
    expect(await texts(`${T1} at ${T2} x\n`, BLOCK)).toEqual([`at ${T2} x`])
  })
  it('are text where they are older than the line', async () => {
    expect(await texts(`${T1} ${own}\n`, null)).toEqual([own])
  })
})

it('keeps empty lines, carriage returns, colours and a last line without an end', async () => {
  const text = `${T1} \n${T1} a\rb\n${T1} \u001b[31mred\u001b[0m\r\n${T2} end`
  expect(await read(text, BLOCK)).toEqual([
    { at: T1, text: '' },
    { at: T1, text: 'a\rb' },
    { at: T1, text: '\u001b[31mred\u001b[0m\r' },
    { at: T2, text: 'end' },
  ])
})

it('gives lines without a time as they are', async () => {
  expect(await read('engine says no\n', BLOCK)).toEqual([{ at: null, text: 'engine says no' }])
  expect(await read('', BLOCK)).toEqual([])
})
