/** HTTP to the router, by its socket or over TCP. Node's own client: nothing has to be installed. */
import { closeSync, openSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { basename, dirname } from 'node:path'
import { AgentClientError } from './error.ts'
import type { ClientOptions } from './types.ts'

const CONNECT_TIMEOUT_MS = 10_000
const RETRY_MS = 100
/** Longest path of a socket, with the zero byte that ends it. */
const MAX_SOCKET_PATH = 108
/** The router is being started again: nothing listens, or not yet. */
const NOT_THERE = new Set(['ENOENT', 'ECONNREFUSED', 'EACCES', 'ENOTSOCK'])

export interface HttpRequest {
  readonly method: 'POST' | 'DELETE'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal | undefined
}

export interface Transport {
  /** The answer, its body unread. Nothing was sent when it rejects with ROUTER_UNREACHABLE. */
  send(call: HttpRequest): Promise<IncomingMessage>
  close(): void
}

export function createTransport(options: ClientOptions): Transport {
  const { env } = process
  const place = placeOf(options)
  // A kept connection may be gone when the router was started anew, and then nobody knows what became of a call.
  const agent = new Agent({ keepAlive: false })
  const patience = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS

  function once(call: HttpRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const body = call.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(call.body)) }
      const headers = { ...call.headers, ...place.headers(), ...body }
      const outgoing = request({ ...place.address(), agent, method: call.method, path: call.path, headers }, resolve)
      const abort = (): void => void outgoing.destroy(new AgentClientError('ABORTED', 'The call was given up'))
      if (call.signal?.aborted === true) abort()
      call.signal?.addEventListener('abort', abort, { once: true })
      outgoing.once('close', () => call.signal?.removeEventListener('abort', abort))
      outgoing.once('error', reject)
      outgoing.end(call.body)
    })
  }

  return {
    async send(call) {
      const deadline = Date.now() + patience
      for (;;) {
        try {
          return await once(call)
        } catch (error) {
          if (error instanceof AgentClientError) throw error
          const { code = '', message } = error as NodeJS.ErrnoException
          if (!NOT_THERE.has(code))
            throw new AgentClientError('CONNECTION_LOST', `The connection to the router broke: ${message}`, {
              cause: error,
            })
          if (Date.now() >= deadline)
            throw new AgentClientError('ROUTER_UNREACHABLE', `No router at ${place.name}: ${code}`, { cause: error })
          await pause(RETRY_MS, call.signal)
        }
      }
    },
    close: () => agent.destroy(),
  }

  function placeOf({ socketPath = env['PLOINKY_ROUTER_SOCKET'], url, credential }: ClientOptions) {
    if (url !== undefined) {
      const { hostname, port, protocol } = new URL(url)
      if (protocol !== 'http:') throw new AgentClientError('PROTOCOL_ERROR', 'The router speaks http')
      const address: RequestOptions = { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 80 : Number(port) }
      const headers = () => ({ authorization: `Bearer ${credential ?? credentialOf()}` })
      return { name: url, address: () => address, headers }
    }
    if (socketPath === undefined || socketPath === '')
      throw new AgentClientError('ROUTER_UNREACHABLE', 'PLOINKY_ROUTER_SOCKET is not set: is this an agent of ploinky?')
    return {
      name: socketPath,
      address: (): RequestOptions => ({ socketPath: shortPath(socketPath) }),
      headers: () => ({ host: 'router' }),
    }
  }

  function credentialOf(): string {
    const file = env['PLOINKY_CREDENTIAL_FILE']
    if (file === undefined) throw new AgentClientError('DENIED', 'PLOINKY_CREDENTIAL_FILE is not set')
    return readFileSync(file, 'utf8').trim()
  }
}

let folder: { path: string; fd: number } | null = null

/** Outside of containers the path may be too long for a socket; Linux takes another name of the same folder. */
function shortPath(path: string): string {
  if (Buffer.byteLength(path) < MAX_SOCKET_PATH || process.platform !== 'linux') return path
  const wanted = dirname(path)
  if (folder !== null && folder.path !== wanted) closeSync(folder.fd)
  if (folder?.path !== wanted) folder = { path: wanted, fd: openSync(wanted, 'r') }
  return `/proc/self/fd/${folder.fd}/${basename(path)}`
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer)
      reject(new AgentClientError('ABORTED', 'The call was given up'))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', abort, { once: true })
  })
}
