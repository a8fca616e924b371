/** `/blobs` over a real HTTP server. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { asPloinkyError, httpStatusOf, toErrorBody } from '../../../src/core/error.ts'
import { until } from '../../../src/core/time.ts'
import { contentDisposition } from '../../../src/http/disposition.ts'
import { createBlobRoutes, createBlobService } from '../../../src/features/blobs/index.ts'
import { createFileSystem } from '../../../src/platform/files.ts'
import { hashing } from '../../../src/platform/hashing.ts'

const MAX_BYTES = 4 * 1024 * 1024
let dir: string
let origin: string
let server: ReturnType<typeof serve>

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ploinky-test-blobs-'))
  const fs = createFileSystem()
  const blobs = createBlobService({ fs, hash: hashing, dir, maxBytes: MAX_BYTES })
  const app = new Hono().route('/', createBlobRoutes({ blobs, fs }))
  app.onError((thrown, c) => {
    const error = asPloinkyError(thrown)
    return c.json(toErrorBody(error), httpStatusOf(error) as 500)
  })
  await new Promise<void>((resolve) => {
    server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve())
  })
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve))
  await rm(dir, { recursive: true, force: true })
})

interface Uploaded {
  id: string
  size: number
  sha256: string
  mime: string
  filename: string
  downloadUrl: string
}
async function upload(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Uploaded> {
  const response = await fetch(`${origin}/blobs`, { method: 'POST', body, headers })
  expect(response.status).toBe(201)
  return (await response.json()) as Uploaded
}
const codeOf = async (response: Response): Promise<[number, string]> => [
  response.status,
  ((await response.json()) as { error: { code: string } }).error.code,
]

describe('the way there and back', () => {
  it('gives the same bytes, and headers that no browser can be tricked with', async () => {
    const body = new Uint8Array(3 * 1024 * 1024).map((_, index) => index % 251)
    const blob = await upload(body, { 'x-file-name': encodeURIComponent('Ünï "x";.html'), 'x-mime-type': 'text/html' })
    expect(blob).toMatchObject({
      size: body.length,
      mime: 'text/html',
      filename: 'Ünï "x";.html',
      sha256: hashing.sha256Hex(body),
    })
    const response = await fetch(origin + blob.downloadUrl)
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html',
      'content-length': String(body.length),
      'content-disposition': `attachment; filename="_n_ _x_;.html"; filename*=UTF-8''%C3%9Cn%C3%AF%20%22x%22%3B.html`,
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
      etag: `"${blob.sha256}"`,
    })
    expect(response.headers.get('content-security-policy')).toContain('sandbox')
  })
  it('answers HEAD, ranges and conditions', async () => {
    const { downloadUrl, sha256 } = await upload('0123456789')
    const head = await fetch(origin + downloadUrl, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '10', ''])
    const part = await fetch(origin + downloadUrl, { headers: { range: 'bytes=-3' } })
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, 'bytes 7-9/10', '789'])
    const known = await fetch(origin + downloadUrl, { headers: { 'if-none-match': `"${sha256}"` } })
    expect(known.status).toBe(304)
    expect(await codeOf(await fetch(origin + downloadUrl, { headers: { range: 'bytes=10-' } }))).toEqual([
      416,
      'RANGE_INVALID',
    ])
  })
  it('lists and deletes', async () => {
    const { id, downloadUrl } = await upload('x', { 'content-type': 'application/x-www-form-urlencoded' })
    const { blobs } = (await (await fetch(`${origin}/blobs`)).json()) as { blobs: Uploaded[] }
    expect(blobs).toMatchObject([{ id, downloadUrl, mime: 'application/octet-stream', filename: 'blob' }])
    expect((await fetch(origin + downloadUrl, { method: 'DELETE' })).status).toBe(204)
    expect(await codeOf(await fetch(origin + downloadUrl))).toEqual([404, 'BLOB_NOT_FOUND'])
  })
  it('takes the name of a Content-Disposition where there is no other', async () => {
    expect((await upload('x', { 'content-disposition': 'form-data; filename="a \\"b\\".txt"' })).filename).toBe(
      'a "b".txt',
    )
    expect((await upload('x', { 'content-disposition': "attachment; filename*=UTF-8''%C3%A9.txt" })).filename).toBe(
      'é.txt',
    )
  })
})

describe('refusals', () => {
  it('names the mistake in an id, a name, a type', async () => {
    expect(await codeOf(await fetch(`${origin}/blobs/nope`))).toEqual([400, 'NAME_INVALID'])
    expect(await codeOf(await fetch(`${origin}/blobs/..%2f..%2fetc`))).toEqual([400, 'NAME_INVALID'])
    const post = (headers: Record<string, string>) => fetch(`${origin}/blobs`, { method: 'POST', body: 'x', headers })
    expect(await codeOf(await post({ 'x-file-name': '%zz' }))).toEqual([400, 'REQUEST_INVALID'])
    expect(await codeOf(await post({ 'x-file-name': 'a'.repeat(513) }))).toEqual([400, 'REQUEST_INVALID'])
    expect(await codeOf(await post({ 'x-mime-type': 'nonsense' }))).toEqual([400, 'REQUEST_INVALID'])
    expect(await readdir(dir)).toEqual([])
  })
  it('refuses a declared size at once: the client has not sent a byte of it', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const call = request(
        `${origin}/blobs`,
        { method: 'POST', headers: { 'content-length': MAX_BYTES + 1 }, agent: false },
        (answer) => {
          resolve(answer.statusCode)
          call.destroy()
        },
      )
      call.on('error', reject)
      call.flushHeaders()
    })
    expect(status).toBe(413)
  })
  it('cuts a chunked body at the limit', async () => {
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536
        controller.enqueue(new Uint8Array(65_536))
        if (sent > MAX_BYTES * 4) controller.close()
      },
    })
    const response = await fetch(`${origin}/blobs`, { method: 'POST', body, duplex: 'half' } as RequestInit)
    expect(await codeOf(response)).toEqual([413, 'REQUEST_TOO_LARGE'])
    expect(await readdir(dir)).toEqual([])
  })
  it('leaves nothing of a client that hangs up in the middle', async () => {
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    socket.write('POST /blobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this')
    await until(async () => ((await readdir(dir)).length > 0 ? true : null), {
      timeoutMs: 10_000,
      what: 'the upload to begin',
    })
    socket.destroy()
    await until(async () => ((await readdir(dir)).length === 0 ? true : null), {
      timeoutMs: 10_000,
      what: 'the temporary file to go',
    })
    expect(await (await fetch(`${origin}/blobs`)).json()).toEqual({ blobs: [], unreadable: [] })
  })
})

it('never lets a name break out of its header', () => {
  for (const name of ['a"\r\nSet-Cookie: x', '\\"', "it's (1)*.txt", '%22.txt', '日本.txt']) {
    const header = contentDisposition(name)
    expect(header).toMatch(/^attachment; filename="[^"\\]*"; filename\*=UTF-8''[\w%.!~-]*$/)
    expect(decodeURIComponent(header.split("''")[1] ?? '')).toBe(name)
  }
})
