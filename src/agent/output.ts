import { concat } from '../core/bytes.ts'

/** Keeps the first `max` bytes of a stream and counts on nothing about where chunks are cut. */
interface CappedText {
  push: (chunk: Uint8Array) => void
  text: () => string
  truncated: () => boolean
}

export function createCappedText(max: number): CappedText {
  const chunks: Uint8Array[] = []
  let size = 0
  let truncated = false
  return {
    push: (chunk) => {
      const room = max - size
      if (chunk.length > room) truncated = true
      if (room <= 0 || chunk.length === 0) return
      const kept = chunk.length > room ? chunk.slice(0, room) : chunk
      chunks.push(kept)
      size += kept.length
    },
    text: () => {
      const all = concat(chunks)
      return new TextDecoder().decode(truncated ? withoutCutCharacter(all) : all)
    },
    truncated: () => truncated,
  }
}

/** Drops the first bytes of a UTF-8 character whose other bytes fell victim to the cap. */
function withoutCutCharacter(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes
  }
  return bytes
}

/** Calls `onLine` for each line of a byte stream; a line longer than `maxLine` characters arrives in pieces. */
export function createLineSplitter(
  onLine: (line: string) => void,
  maxLine: number,
): { push: (chunk: Uint8Array) => void; end: () => void } {
  const decoder = new TextDecoder()
  let rest = ''
  const feed = (text: string): void => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
    while (rest.length > maxLine) {
      onLine(rest.slice(0, maxLine))
      rest = rest.slice(maxLine)
    }
  }
  return {
    push: (chunk) => feed(decoder.decode(chunk, { stream: true })),
    end: () => {
      feed(decoder.decode())
      if (rest !== '') onLine(rest)
      rest = ''
    },
  }
}
