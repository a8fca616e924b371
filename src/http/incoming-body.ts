/** The body of a request that is not passed on as it comes: read up to a limit and a deadline, never further. */
import { PloinkyError } from '../core/error.ts'
import type { IncomingMessage, ServerResponse } from '../platform/index.ts'

export interface IncomingBodyLimits {
  readonly maxBytes: number
  /** Longest time for all of it, or between two pieces of it, in milliseconds. Without either, the sender takes its time. */
  readonly timeoutMs?: number
  readonly idleMs?: number
}

/**
 * The caller must be known by now. REQUEST_TOO_LARGE before anything is read where a length was declared; REQUEST_INVALID for a
 * body that does not come in time, INTERRUPTED for one that breaks off.
 */
export function readIncoming(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { maxBytes, timeoutMs, idleMs }: IncomingBodyLimits,
): Promise<Buffer> {
  if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes))
  if (incoming.headers.expect !== undefined) outgoing.writeContinue()
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    const settle = (end: () => void): void => {
      clearTimeout(timer)
      incoming.off('data', onData).off('end', onEnd).off('close', onClose)
      end()
    }
    const refuse = (error: PloinkyError): void => {
      incoming.pause()
      settle(() => reject(error))
    }
    const wait = (ms: number | undefined): void => {
      clearTimeout(timer)
      if (ms !== undefined) timer = setTimeout(() => refuse(tooSlow(ms)), ms)
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > maxBytes) return refuse(tooLarge(maxBytes))
      chunks.push(chunk)
      if (idleMs !== undefined) wait(idleMs)
    }
    const onEnd = (): void =>
      settle(() => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size)))
    const onClose = (): void => settle(() => reject(new PloinkyError('INTERRUPTED', 'The client went away')))
    incoming.on('data', onData).on('end', onEnd).on('close', onClose)
    // Its end is told by the close that follows.
    incoming.on('error', () => {})
    wait(idleMs ?? timeoutMs)
  })
}

const tooLarge = (maxBytes: number): PloinkyError =>
  new PloinkyError('REQUEST_TOO_LARGE', `Request body larger than ${maxBytes} bytes`, {
    hint: `Send at most ${maxBytes} bytes`,
    details: { maxBytes },
  })

const tooSlow = (ms: number): PloinkyError =>
  new PloinkyError('REQUEST_INVALID', `The request body did not arrive in time (${ms} ms)`)
