/** The end of a growing text. */
export interface TailText {
  push: (text: string) => void
  /** `logSeq` counts every character that ever came, so that a reader can tell what is new. */
  read: () => { logTail: string; logSeq: number; logTruncated: boolean }
}

/** Keeps the last `maxBytes()` bytes (UTF-8) of what is pushed, cut at whole characters. */
export function createTail(maxBytes: () => number): TailText {
  let tail = ''
  let length = 0
  return {
    push: (text) => {
      length += text.length
      tail += text
      // A character is at least one byte, so this many characters are never too few; cut seldom, it copies.
      if (tail.length > 2 * maxBytes() + 1024) tail = lastBytes(tail, maxBytes())
    },
    read: () => {
      const logTail = lastBytes(tail, maxBytes())
      return { logTail, logSeq: length, logTruncated: logTail.length < length }
    },
  }
}

function lastBytes(text: string, max: number): string {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length <= max) return text
  let from = bytes.length - max
  // Continuation bytes belong to a character that began before the cut.
  while (from < bytes.length && ((bytes[from] ?? 0) & 0xc0) === 0x80) from++
  return new TextDecoder().decode(bytes.subarray(from))
}
