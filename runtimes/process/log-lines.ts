/** Bytes of a log file as lines that know where they end. */

import { concat } from '../../src/core/bytes.ts'

/** A longer line is given in pieces of this size. */
const MAX_LINE_BYTES = 64 * 1024
const LINE_FEED = 10
/** Read at a time when looking for the last lines from the end. */
const BLOCK_BYTES = 64 * 1024

export interface OffsetLine {
  readonly text: string
  /** Offset of the byte after the line, its line feed included. */
  readonly end: number
}

export interface LineSplitter {
  push(chunk: Uint8Array): OffsetLine[]
  /** What is left without a line end. */
  rest(): OffsetLine[]
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export function createLineSplitter(start: number): LineSplitter {
  let parts: Uint8Array[] = []
  let held = 0
  let offset = start

  function take(extra: number): OffsetLine {
    const bytes = parts.length === 1 && parts[0] ? parts[0] : concat(parts)
    offset += bytes.byteLength + extra
    parts = []
    held = 0
    return { text: decoder.decode(bytes), end: offset }
  }

  /** Cuts what is held in pieces of whole characters, and keeps the last, which may still grow. */
  function cut(): OffsetLine[] {
    const lines: OffsetLine[] = []
    let bytes: Uint8Array = concat(parts)
    while (bytes.byteLength > MAX_LINE_BYTES) {
      let end = MAX_LINE_BYTES
      while (end > MAX_LINE_BYTES - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
      offset += end
      lines.push({ text: decoder.decode(bytes.subarray(0, end)), end: offset })
      bytes = bytes.subarray(end)
    }
    parts = [bytes]
    held = bytes.byteLength
    return lines
  }

  return {
    push(chunk) {
      const lines: OffsetLine[] = []
      let from = 0
      for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, from)) {
        parts.push(chunk.subarray(from, at))
        held += at - from
        if (held > MAX_LINE_BYTES) lines.push(...cut())
        lines.push(take(1))
        from = at + 1
      }
      if (from < chunk.byteLength) {
        parts.push(chunk.subarray(from))
        held += chunk.byteLength - from
        if (held > MAX_LINE_BYTES * 2) lines.push(...cut())
      }
      return lines
    },
    rest: () => (held === 0 ? [] : [take(0)]),
  }
}

export type ReadRange = (start: number, end: number) => Promise<Uint8Array>

/** Offset at which the last `count` lines of `size` bytes begin, found by reading backwards. */
export async function tailOffset(read: ReadRange, size: number, count: number): Promise<number> {
  if (count <= 0) return size
  let left = count
  for (let end = size; end > 0; end -= BLOCK_BYTES) {
    const start = Math.max(0, end - BLOCK_BYTES)
    const block = await read(start, end)
    for (let at = block.lastIndexOf(LINE_FEED); at >= 0; at = at > 0 ? block.lastIndexOf(LINE_FEED, at - 1) : -1) {
      // The line feed at the very end closes the last line, it does not begin another.
      if (start + at === size - 1) continue
      left -= 1
      if (left === 0) return start + at + 1
    }
  }
  return 0
}
