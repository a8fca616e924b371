/**
 * An HTTP call that turns into a two-way byte stream (`Upgrade: tcp`), as engines do for attached programs.
 * The same code runs on Node and on Deno.
 */
import type { Duplex } from 'node:stream'
import { PloinkyError } from '../core/error.ts'
import type { HttpCall } from './index.ts'

const http = (): typeof import('node:http') => process.getBuiltinModule('node:http')

/** Engines explain a refusal in a short JSON body; more than this is not read. */
const MAX_REFUSAL_BYTES = 64 * 1024

/**
 * Sends the call with an upgrade request and gives the raw stream, paused: nothing is lost before the first listener.
 * Throws RUNTIME_FAILED with the answer's status in `details.status` when the server answers instead of switching,
 * TIMEOUT after `call.timeoutMs` without an answer, and the socket's own error when it cannot be reached.
 */
export function hijack(call: HttpCall): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const outgoing = http().request({
      method: call.method,
      path: call.path,
      headers: {
        ...call.headers,
        connection: 'Upgrade',
        upgrade: 'tcp',
        'content-length': String(Buffer.byteLength(call.body ?? '')),
      },
      agent: false,
      ...(call.socketPath === undefined
        ? { host: call.host ?? '127.0.0.1', port: call.port ?? 80 }
        : { socketPath: call.socketPath }),
    })
    const stop = (error: Error): void => void outgoing.destroy(error)
    const onAbort = (): void => stop(new PloinkyError('INTERRUPTED', 'Interrupted'))
    const timer = setTimeout(
      () => stop(new PloinkyError('TIMEOUT', `No answer within ${call.timeoutMs} ms: ${call.method} ${call.path}`)),
      call.timeoutMs,
    )
    const settle = (): void => {
      clearTimeout(timer)
      call.signal?.removeEventListener('abort', onAbort)
    }
    outgoing.once('error', (error) => {
      settle()
      reject(error)
    })
    outgoing.once('upgrade', (_answer, socket: Duplex, head: Buffer) => {
      settle()
      // Bytes that came with the answer belong to the stream.
      if (head.length > 0) socket.unshift(head)
      socket.on('error', () => socket.destroy())
      resolve(socket)
    })
    outgoing.once('response', (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        if (text.length < MAX_REFUSAL_BYTES) text += chunk
      })
      answer.once('close', () => {
        settle()
        reject(
          new PloinkyError('RUNTIME_FAILED', `The engine refused ${call.method} ${call.path}`, {
            details: { status: answer.statusCode ?? 0, body: text.slice(0, 2000) },
          }),
        )
      })
    })
    if (call.signal?.aborted) onAbort()
    else call.signal?.addEventListener('abort', onAbort, { once: true })
    outgoing.end(call.body ?? '')
  })
}
