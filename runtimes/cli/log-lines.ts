/**
 * Reads the output of `logs --timestamps`. Engines store a long line in pieces and print a time stamp before each of
 * them, in the middle of the line; those are taken out again. Bytes are never dropped: a line over the limit is given in
 * several pieces.
 */
import { concat } from '../../src/core/bytes.ts'
import { nextLineFeed } from './bytes.ts'

/** A longer line is given in pieces of this size. */
const MAX_LINE_BYTES = 64 * 1024
/** A time stamp with its blank: `2026-11-21T00:12:18.081762140+00:00 ` is the longest form. */
const MAX_STAMP_BYTES = 40
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) /
/** In the middle of a line only the exact form of podman counts (nanoseconds, numeric offset or Z). */
const INNER_STAMP = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d) /g

export interface TimedLine {
  readonly at: string | null
  readonly text: string
}

const latin1 = new TextDecoder('latin1')
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Where a UTF-8 character starts at or before `at`, so that a cut does not go through one. */
function characterStart(bytes: Uint8Array, at: number): number {
  let start = at
  while (start > at - 4 && start > 0 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--
  return start
}

/**
 * Lines of one stream. `blockBytes`: the engine repeats the time stamp after every block of exactly that many bytes;
 * null: after pieces of any length.
 */
export async function* timedLines(
  source: AsyncIterable<Uint8Array>,
  blockBytes: number | null,
): AsyncGenerator<TimedLine> {
  const parser = createLineParser(blockBytes)
  for await (const chunk of source) yield* parser.push(chunk)
  yield* parser.end()
}

export interface LineParser {
  push(chunk: Uint8Array): TimedLine[]
  end(): TimedLine[]
}

export function createLineParser(blockBytes: number | null): LineParser {
  const unstamped = blockBytes === null ? innerStampsRemoved : blockStampsRemoved(blockBytes)
  let parts: Uint8Array[] = []
  let size = 0
  let long: { at: string | null; block: number } | null = null

  /** A complete line, or the last part of one that was given in pieces. */
  function finish(raw: Uint8Array): TimedLine[] {
    const line = readStart(raw, long)
    const { bytes } = unstamped(line)
    const rest = long !== null && bytes.byteLength === 0
    long = null
    return rest ? [] : pieces(line.at, bytes)
  }

  /** The line is over the limit and has no end yet: gives what is certain, keeps what may be the start of a stamp. */
  function cut(raw: Uint8Array): { lines: TimedLine[]; rest: Uint8Array } {
    const line = readStart(raw, long)
    const certain = characterStart(line.body, Math.max(0, line.body.byteLength - MAX_STAMP_BYTES))
    const { bytes, block, used } = unstamped(line, certain)
    long = { at: line.at, block }
    return { lines: pieces(line.at, bytes), rest: line.body.subarray(used) }
  }

  return {
    push(chunk) {
      const lines: TimedLine[] = []
      let start = 0
      for (let end = nextLineFeed(chunk, 0); end >= 0; end = nextLineFeed(chunk, start)) {
        lines.push(...finish(concat([...parts, chunk.subarray(start, end)])))
        parts = []
        size = 0
        start = end + 1
      }
      if (start < chunk.byteLength) {
        parts.push(chunk.subarray(start))
        size += chunk.byteLength - start
      }
      if (size > MAX_LINE_BYTES * 2) {
        const { lines: early, rest } = cut(concat(parts))
        lines.push(...early)
        parts = [rest]
        size = rest.byteLength
      }
      return lines
    },
    end() {
      if (size === 0 && long === null) return []
      return finish(concat(parts))
    },
  }
}

interface Start {
  readonly at: string | null
  readonly body: Uint8Array
  /** Bytes of the current block that were given already. */
  readonly block: number
}

function readStart(raw: Uint8Array, long: { at: string | null; block: number } | null): Start {
  if (long !== null) return { at: long.at, body: raw, block: long.block }
  const match = STAMP.exec(latin1.decode(raw.subarray(0, MAX_STAMP_BYTES)))
  if (match === null) return { at: null, body: raw, block: 0 }
  return { at: match[1] ?? null, body: raw.subarray(match[0].length), block: 0 }
}

interface Unstamped {
  readonly bytes: Uint8Array
  /** Bytes of the last block. */
  readonly block: number
  /** Bytes of the input that are dealt with. */
  readonly used: number
}

/** Only the first `certain` bytes of the body are dealt with; a stamp at that edge is recognised by what follows. */
type Unstamp = (line: Start, certain?: number) => Unstamped

/** Stamps stand after every full block, and nowhere else: text that looks like one is kept. */
const blockStampsRemoved =
  (blockBytes: number): Unstamp =>
  ({ at, body, block }, certain = body.byteLength) => {
    const kept: Uint8Array[] = []
    let start = 0
    let filled = block
    while (start < certain) {
      const end = Math.min(certain, start + blockBytes - filled)
      kept.push(body.subarray(start, end))
      filled += end - start
      start = end
      if (filled < blockBytes || at === null) continue
      filled = 0
      const match = STAMP.exec(latin1.decode(body.subarray(start, start + MAX_STAMP_BYTES)))
      if (match !== null) start += match[0].length
    }
    return { bytes: concat(kept), block: at === null ? 0 : filled, used: start }
  }

/** Compares two stamps; to the nanosecond when they are of the same form, which those of one engine are. */
function isBefore(a: string, b: string): boolean {
  return a.length === b.length && a.slice(29) === b.slice(29) ? a < b : Date.parse(a) < Date.parse(b)
}

/**
 * Stamps may stand anywhere. One that is older than the line's own is the program's text: what a program prints about
 * the present was true before the engine read it.
 */
const innerStampsRemoved: Unstamp = ({ at, body }, certain = body.byteLength) => {
  if (at === null) return { bytes: body.subarray(0, certain), block: 0, used: certain }
  const kept: Uint8Array[] = []
  let start = 0
  for (const match of latin1.decode(body).matchAll(INNER_STAMP)) {
    if (match.index >= certain) break
    if (isBefore(match[0].trimEnd(), at)) continue
    kept.push(body.subarray(start, match.index))
    start = match.index + match[0].length
  }
  if (start < certain) {
    kept.push(body.subarray(start, certain))
    start = certain
  }
  return { bytes: concat(kept), block: 0, used: start }
}

function pieces(at: string | null, bytes: Uint8Array): TimedLine[] {
  const lines: TimedLine[] = []
  let start = 0
  while (bytes.byteLength - start > MAX_LINE_BYTES) {
    const end = characterStart(bytes, start + MAX_LINE_BYTES)
    lines.push({ at, text: utf8.decode(bytes.subarray(start, end)) })
    start = end
  }
  if (start < bytes.byteLength || lines.length === 0) lines.push({ at, text: utf8.decode(bytes.subarray(start)) })
  return lines
}
