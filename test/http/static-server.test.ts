/** The same files through a real HTTP server: what the bytes on the wire look like. */
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createStaticFiles } from '../../src/http/static.ts'
import { createFileSystem } from '../../src/platform/files.ts'

const BIG = 8 * 1024 * 1024
const open = { count: 0, closed: 0, onClose: () => {} }
let root: string
let server: ReturnType<typeof serve>

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ploinky-test-static-'))
  await writeFile(join(root, 'big.bin'), new Uint8Array(BIG))
  await writeFile(join(root, 'shrinks.bin'), new Uint8Array(BIG))
  const real = createFileSystem()
  const files = createStaticFiles({
    fs: { ...real, readStream: (path, range) => counted(real.readStream(path, range)) },
    root,
  })
  const app = new Hono().get('/*', async (c) => (await files(c.req.raw, c.req.path)) ?? c.notFound())
  await new Promise<void>((resolve) => {
    server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve())
  })
})
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  await rm(root, { recursive: true, force: true })
})

async function* counted(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  open.count += 1
  try {
    yield* source
  } finally {
    open.closed += 1
    open.onClose()
  }
}

function call(path: string, method = 'GET'): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method, agent: false }, resolve).on('error', reject).end()
  })
}

it('announces the length on HEAD and reads nothing', async () => {
  const before = open.count
  const answer = await call('/big.bin', 'HEAD')
  answer.resume()
  expect([answer.statusCode, answer.headers['content-length']]).toEqual([200, String(BIG)])
  expect(open.count).toBe(before)
})

it('sends a large file whole, with its length', async () => {
  const answer = await call('/big.bin')
  let bytes = 0
  for await (const chunk of answer) bytes += (chunk as Buffer).byteLength
  expect([answer.headers['content-length'], bytes, answer.complete]).toEqual([String(BIG), BIG, true])
})

it('closes the file when the client leaves', async () => {
  const closed = new Promise<void>((resolve) => {
    open.onClose = resolve
  })
  const answer = await call('/big.bin')
  answer.destroy()
  await closed
  expect(open.closed).toBe(open.count)
})

it('breaks the connection when the file turns out shorter than announced', async () => {
  const answer = await call('/shrinks.bin')
  await truncate(join(root, 'shrinks.bin'), 1024 * 1024)
  const outcome = await new Promise<string>((resolve) => {
    answer.on('aborted', () => resolve('aborted')).on('error', () => resolve('aborted'))
    answer.on('end', () => resolve('complete')).resume()
  })
  expect(outcome).toBe('aborted')
})
