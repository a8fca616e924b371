/** What came back of a small HTTP call. */
import type { IncomingMessage } from 'node:http'
import { PloinkyError } from '../core/error.ts'
import type { HttpAnswer } from './index.ts'

/** `timeoutMs`: for `text()`, to the end of the answer; its `body` has no deadline. */
export function toAnswer(incoming: IncomingMessage, timeoutMs: number): HttpAnswer {
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )
  return {
    status: incoming.statusCode ?? 0,
    headers,
    body: incoming,
    async text(maxBytes = 16 * 1024 * 1024) {
      const chunks: Buffer[] = []
      let size = 0
      // Whoever sends a head and then nothing more must not hold up a probe or a look at an engine.
      const late = new PloinkyError('TIMEOUT', `The answer did not end within ${timeoutMs} ms`)
      const timer = setTimeout(() => incoming.destroy(late), timeoutMs)
      try {
        for await (const chunk of incoming) {
          size += (chunk as Buffer).length
          if (size > maxBytes) throw new PloinkyError('REQUEST_TOO_LARGE', `Answer larger than ${maxBytes} bytes`)
          chunks.push(chunk as Buffer)
        }
      } finally {
        clearTimeout(timer)
      }
      return Buffer.concat(chunks).toString('utf8')
    },
  }
}
