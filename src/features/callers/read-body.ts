/** The whole body of a request, within a size and a time. */
import { PloinkyError } from '../../core/error.ts'
import type { IncomingMessage } from '../../platform/index.ts'

/** REQUEST_TOO_LARGE before anything is read where a length was declared; REQUEST_INVALID for one that does not come. */
export function readBody(incoming: IncomingMessage, limits: { maxBytes: number; timeoutMs: number }): Promise<Buffer> {
  const { maxBytes, timeoutMs } = limits
  const tooLarge = (): PloinkyError =>
    new PloinkyError('REQUEST_TOO_LARGE', `Request body larger than ${maxBytes} bytes`, { details: { maxBytes } })
  if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      incoming.off('data', onData).off('end', onEnd).off('close', onClose)
      settle()
    }
    const timer = setTimeout(() => {
      incoming.pause()
      end(() => reject(new PloinkyError('REQUEST_INVALID', `The request body did not arrive within ${timeoutMs} ms`)))
    }, timeoutMs)
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      chunks.push(chunk)
      if (size <= maxBytes) return
      incoming.pause()
      end(() => reject(tooLarge()))
    }
    const onEnd = (): void => end(() => resolve(Buffer.concat(chunks, size)))
    const onClose = (): void => end(() => reject(new PloinkyError('INTERRUPTED', 'The caller went away')))
    incoming.on('data', onData).on('end', onEnd).on('close', onClose)
    incoming.on('error', () => {})
  })
}
