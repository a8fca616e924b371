import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createApi } from '../../../runtimes/cli/api.ts'
import { createPlatform } from '../../../src/platform/create.ts'

const { net } = createPlatform()
let folder: string
let server: Server
const sockets = new Set<Socket>()

/** An engine that gives this text to each call and then says nothing more. */
async function engine(says: string): Promise<string> {
  const path = join(folder, 'engine.sock')
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => socket.write(says))
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return path
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ploinky-api-'))
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

it.each([
  ['never answers', ''],
  ['stops in the middle of an answer', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[{"Id"'],
  ['stops in the middle of a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[1,'],
])('an engine that %s is given up', async (_what, says) => {
  const api = createApi(net, await engine(says), { callTimeoutMs: 200 })
  await expect(api.call('GET', '/containers/json')).rejects.toThrow()
})

it('a call that is interrupted ends, also in the middle of its answer', async () => {
  const api = createApi(net, await engine('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[{"Id"'))
  await expect(api.call('GET', '/containers/json', { signal: AbortSignal.timeout(100) })).rejects.toThrow()
})
