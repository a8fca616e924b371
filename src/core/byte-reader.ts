/** A stream of chunks, read in pieces of a chosen size. */

export interface ByteReader {
  /** Exactly `count` bytes; null when the stream ended before the first one; throws `ended` when it ends within. */
  take(count: number): Promise<Uint8Array | null>
  /** The next `count` bytes as they come. */
  stream(count: number): AsyncGenerator<Uint8Array>
}

export function createByteReader(source: AsyncIterable<Uint8Array>, ended: () => Error): ByteReader {
  const iterator = source[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array()

  async function fill(): Promise<boolean> {
    while (rest.byteLength === 0) {
      const next = await iterator.next()
      if (next.done === true) return false
      rest = next.value
    }
    return true
  }

  function cut(most: number): Uint8Array {
    const piece = rest.subarray(0, most)
    rest = rest.subarray(piece.byteLength)
    return piece
  }

  async function* stream(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0;) {
      if (!(await fill())) throw ended()
      const piece = cut(left)
      left -= piece.byteLength
      yield piece
    }
  }

  return {
    stream,
    async take(count) {
      if (!(await fill())) return null
      const whole = new Uint8Array(count)
      let at = 0
      for await (const piece of stream(count)) {
        whole.set(piece, at)
        at += piece.byteLength
      }
      return whole
    },
  }
}
