/** HTTP at the level of bytes: what no well-behaved client would send, and exactly what came back. */
import { connect, type Socket } from 'node:net'
import { expect } from 'vitest'

const DEADLINE_MS = 30_000

export interface Answer {
  readonly status: number
  /** Names in lower case; of several the last. */
  readonly headers: Readonly<Record<string, string>>
  readonly setCookies: readonly string[]
  readonly body: string
}

export interface RawRequest {
  readonly method?: string
  readonly target?: string
  /** Replaces the usual Host header; null leaves it out. */
  readonly host?: string | null
  readonly headers?: readonly (readonly [string, string])[]
  readonly body?: string
}

/** Text of a request; `content-length` is added for a body unless a length or coding was given. */
export function requestText(port: number, request: RawRequest): string {
  const { method = 'GET', target = '/health', headers = [], body } = request
  const host = request.host === undefined ? `127.0.0.1:${port}` : request.host
  const framed = headers.some(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name))
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(host === null ? [] : [`host: ${host}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined || framed ? [] : [`content-length: ${Buffer.byteLength(body)}`]),
    'connection: close',
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}

/** Sends bytes and reads until the server closes. */
export function exchange(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    const timer = setTimeout(() => socket.destroy(new Error(`no end within ${DEADLINE_MS} ms: ${text}`)), DEADLINE_MS)
    let text = ''
    socket.setEncoding('latin1').on('data', (part: string) => (text += part))
    socket.once('error', (error) => {
      clearTimeout(timer)
      // Cut while it was still sending; what had come is the answer.
      if (text === '') reject(error)
      else resolve(text)
    })
    socket.once('close', () => {
      clearTimeout(timer)
      resolve(text)
    })
    socket.write(bytes)
  })
}

/** Reads one answer; a chunked body is put together. */
export function parseAnswer(text: string): Answer {
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, end < 0 ? undefined : end).split('\r\n')
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  const headers = Object.fromEntries(fields)
  const raw = end < 0 ? '' : text.slice(end + 4)
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0),
    headers,
    setCookies: fields.flatMap(([name, value]) => (name === 'set-cookie' ? [value] : [])),
    body: Buffer.from(headers['transfer-encoding'] === 'chunked' ? unchunk(raw) : raw, 'latin1').toString('utf8'),
  }
}

function unchunk(raw: string): string {
  let text = ''
  for (let at = 0; at < raw.length;) {
    const line = raw.indexOf('\r\n', at)
    const size = Number.parseInt(raw.slice(at, line), 16)
    if (!size) break
    text += raw.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
  return text
}

export async function ask(port: number, request: RawRequest = {}): Promise<Answer> {
  return parseAnswer(await exchange(port, requestText(port, request)))
}

export interface ErrorShape {
  readonly error: { readonly code: string; readonly message: string; readonly details: Record<string, unknown> }
}

/** Checks the one shape of errors, and gives it. */
export function errorOf(answer: Answer): ErrorShape['error'] {
  expect(answer.headers['content-type']).toMatch(/^application\/json/)
  const body = JSON.parse(answer.body) as ErrorShape
  expect(Object.keys(body)).toEqual(['error'])
  expect(Object.keys(body.error).sort()).toEqual(['code', 'details', 'message'])
  expect(body.error.code).toMatch(/^[A-Z_]+$/)
  expect(body.error.message).toMatch(/^\S.*[^.\s]$/s)
  expect(body.error.code).not.toBe('INTERNAL')
  return body.error
}

/** Status and code of a refusal, in the one shape. */
export async function refusal(port: number, request: RawRequest): Promise<[number, string]> {
  const answer = await ask(port, request)
  return [answer.status, errorOf(answer).code]
}

/** A socket that stays as it is: what it sent, and whether it was closed. */
export function openSocket(port: number, bytes: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.write(bytes)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}
