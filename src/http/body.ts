/** Small request bodies: read up to a limit and a deadline, never further. */
import { concat } from '../core/bytes.ts'
import { PloinkyError } from '../core/error.ts'

export interface BodyLimits {
  readonly maxBytes: number
  /** Milliseconds for the whole body; a client that sends a byte a minute is not waited for. */
  readonly timeoutMs: number
}

const tooLarge = (maxBytes: number): PloinkyError =>
  new PloinkyError('REQUEST_TOO_LARGE', `Request body larger than ${maxBytes} bytes`, {
    hint: `Send at most ${maxBytes} bytes`,
    details: { maxBytes },
  })

/** The bytes of a body. Throws REQUEST_TOO_LARGE (before reading, where a length was declared) or REQUEST_INVALID. */
export async function readBytes(request: Request, limits: BodyLimits): Promise<Uint8Array> {
  const { maxBytes, timeoutMs } = limits
  if (Number(request.headers.get('content-length') ?? '0') > maxBytes) throw tooLarge(maxBytes)
  if (request.body === null) return new Uint8Array()
  const reader = (request.body as ReadableStream<Uint8Array>).getReader()
  const deadline = startDeadline(timeoutMs)
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for (;;) {
      // Not cancelled when it ends early: that would cut the connection before the client has its answer.
      const { done, value } = await Promise.race([reader.read(), deadline.passed])
      if (done) return concat(chunks)
      size += value.byteLength
      if (size > maxBytes) throw tooLarge(maxBytes)
      chunks.push(value)
    }
  } finally {
    deadline.end()
  }
}

function startDeadline(timeoutMs: number): { passed: Promise<never>; end(): void } {
  let fail = (_error: PloinkyError): void => {}
  const passed = new Promise<never>((_resolve, reject) => (fail = reject))
  passed.catch(() => {})
  const timer = setTimeout(
    () => fail(new PloinkyError('REQUEST_INVALID', `The request body did not arrive within ${timeoutMs} ms`)),
    timeoutMs,
  )
  return { passed, end: () => clearTimeout(timer) }
}

/** Text of a body; REQUEST_INVALID when it is not UTF-8. */
export async function readText(request: Request, limits: BodyLimits): Promise<string> {
  const bytes = await readBytes(request, limits)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new PloinkyError('REQUEST_INVALID', 'Request body is not valid UTF-8', { cause: error })
  }
}

export const isJson = (request: Request): boolean =>
  /^application\/json\s*(?:;|$)/i.test(request.headers.get('content-type') ?? '')

/** The body as it arrives. A reader that stops early (limit reached, disk full) cancels the rest. */
export async function* bytesOf(request: Request): AsyncGenerator<Uint8Array> {
  if (request.body === null) return
  const reader = request.body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value as Uint8Array
    }
  } finally {
    // A connection that is already gone rejects the cancel; there is nothing left to stop then.
    await reader.cancel().catch(() => {})
  }
}
