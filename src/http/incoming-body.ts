/** The body of a request that is not passed on as it comes: read up to a limit and a deadline, never further. */
import { PloinkyError } from '../core/error.ts'
import type { IncomingMessage, ServerResponse } from '../platform/index.ts'

export interface IncomingBodyLimits {
  readonly maxBytes: number
  /** Longest silence of the sender, in milliseconds. */
  readonly idleMs: number
}

/** Throws REQUEST_TOO_LARGE (before reading, where a length was declared) or REQUEST_INVALID; the caller must be known by now. */
export function readIncoming(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { maxBytes, idleMs }: IncomingBodyLimits,
): Promise<Buffer> {
  if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes))
  if (incoming.headers.expect !== undefined) outgoing.writeContinue()
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let timer: ReturnType<typeof setTimeout>
    const settle = (end: () => void): void => {
      clearTimeout(timer)
      incoming.off('data', onData)
      incoming.off('end', onEnd)
      incoming.off('close', onClose)
      end()
    }
    const wait = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        settle(() => reject(new PloinkyError('REQUEST_INVALID', `No byte of the request body within ${idleMs} ms`)))
      }, idleMs)
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > maxBytes) {
        incoming.pause()
        settle(() => reject(tooLarge(maxBytes)))
        return
      }
      chunks.push(chunk)
      wait()
    }
    const onEnd = (): void =>
      settle(() => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size)))
    const onClose = (): void =>
      settle(() => reject(new PloinkyError('REQUEST_INVALID', 'The request body is not complete')))
    incoming.on('data', onData)
    incoming.on('end', onEnd)
    incoming.on('close', onClose)
    wait()
  })
}

const tooLarge = (maxBytes: number): PloinkyError =>
  new PloinkyError('REQUEST_TOO_LARGE', `Request body larger than ${maxBytes} bytes`, {
    hint: `Send at most ${maxBytes} bytes`,
    details: { maxBytes },
  })
