/** Lines of a stream of bytes, without their ends, as they come. */

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

export interface LineReader {
  /** Lines that `chunk` completes. Throws RangeError once a line is longer than the limit. */
  take(chunk: Uint8Array): Buffer[]
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export function createLineReader(limit: number): LineReader {
  let held: Buffer[] = []
  let size = 0

  function finish(part: Buffer): Buffer {
    if (size + part.length > limit) throw new RangeError(`line longer than ${limit} bytes`)
    const line = held.length === 0 ? part : Buffer.concat([...held, part])
    held = []
    size = 0
    return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line
  }

  return {
    take(chunk) {
      const bytes = asBuffer(chunk)
      const lines: Buffer[] = []
      let start = 0
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
        lines.push(finish(bytes.subarray(start, end)))
        start = end + 1
      }
      if (start < bytes.length) {
        held.push(bytes.subarray(start))
        size += bytes.length - start
        if (size > limit) throw new RangeError(`line longer than ${limit} bytes`)
      }
      return lines
    },
  }
}
