/** Decompression by the web's own streams: no more is inflated than the reader takes. */
import { isPloinkyError } from '../../core/error.ts'
import { archiveInvalid } from './entry.ts'

export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  format: 'gzip' | 'deflate-raw',
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]()
  const packed = new ReadableStream<BufferSource>({
    async pull(controller) {
      const next = await iterator.next()
      if (next.done === true) controller.close()
      else controller.enqueue(next.value as Uint8Array<ArrayBuffer>)
    },
    async cancel() {
      await iterator.return?.()
    },
  })
  try {
    for await (const chunk of packed.pipeThrough(new DecompressionStream(format))) yield chunk
  } catch (error) {
    if (isPloinkyError(error)) throw error
    throw archiveInvalid('its compression is damaged', error)
  }
}
