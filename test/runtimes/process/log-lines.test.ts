import { describe, expect, it } from 'vitest'
import { createLineSplitter, tailOffset, type OffsetLine } from '../../../runtimes/process/log-lines.ts'

/** Repeatable randomness (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

function split(bytes: Uint8Array, cut: () => number, start = 0): OffsetLine[] {
  const splitter = createLineSplitter(start)
  const lines: OffsetLine[] = []
  for (let at = 0; at < bytes.byteLength;) {
    const size = Math.max(1, Math.floor(cut() * 20))
    lines.push(...splitter.push(bytes.subarray(at, at + size)))
    at += size
  }
  return [...lines, ...splitter.rest()]
}

describe('lines of a log file', () => {
  it('are the same however the bytes arrive, and know where they end', () => {
    const text = 'one\n\nžluťoučký 🦀\r\nlast without end'
    const bytes = new TextEncoder().encode(text)
    for (let seed = 1; seed <= 200; seed++) {
      const lines = split(bytes, random(seed), 100)
      expect(lines.map((line) => line.text)).toEqual(['one', '', 'žluťoučký 🦀\r', 'last without end'])
      expect(lines.map(({ end }) => end)).toEqual([104, 105, 125, 100 + bytes.byteLength])
    }
  })

  it('are cut when they are very long, between characters, without loss', () => {
    const long = 'ž🦀x'.repeat(60_000)
    const bytes = new TextEncoder().encode(`${long}\nshort\n`)
    for (const size of [1000, 65_536, 70_001, bytes.byteLength]) {
      const splitter = createLineSplitter(0)
      const lines: OffsetLine[] = []
      for (let at = 0; at < bytes.byteLength; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)))
      const pieces = lines.slice(0, -1)
      expect(pieces.length).toBeGreaterThan(1)
      expect(pieces.map(({ text }) => text).join('')).toBe(long)
      expect(Math.max(...pieces.map(({ text }) => new TextEncoder().encode(text).length))).toBeLessThanOrEqual(65_536)
      expect(lines.at(-1)).toEqual({ text: 'short', end: bytes.byteLength })
      expect(splitter.rest()).toEqual([])
    }
  })

  it('have bytes that are no UTF-8 replaced, not refused', () => {
    const splitter = createLineSplitter(0)
    expect(splitter.push(new Uint8Array([0x61, 0xff, 0x62, 0x0a]))).toEqual([{ text: 'a\ufffdb', end: 4 }])
  })
})

describe('the last lines of a file', () => {
  it('begin where counting from the end says, for any content and block border', async () => {
    const next = random(7)
    for (let round = 0; round < 60; round++) {
      let text = ''
      const wanted = Math.floor(next() * 3) === 0 ? 200_000 : 300
      while (text.length < wanted)
        text += `${'x'.repeat(Math.floor(next() * 2000 * next()))}${next() < 0.9 ? '\n' : ''}`
      const bytes = new TextEncoder().encode(text)
      const lines = text.split('\n')
      if (lines.at(-1) === '') lines.pop()
      const count = Math.floor(next() * 20)
      const offset = await tailOffset(async (start, end) => bytes.subarray(start, end), bytes.byteLength, count)
      const got = text.slice(offset).split('\n')
      if (got.at(-1) === '') got.pop()
      expect(got).toEqual(count === 0 ? [] : lines.slice(-count))
    }
  })
})
