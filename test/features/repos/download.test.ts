/** Archives from the web, from a real server. */
import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { repoSourcesDocument } from '../../../src/config/documents.ts'
import { tgz } from '../../helpers/repositories.ts'
import { createRepoBench, type RepoBench } from '../../helpers/repo-service.ts'

let bench: RepoBench
let server: Server
let answer: RequestListener
let base: string
const archive = (about: string): Buffer => tgz([{ name: 'top/hello/manifest.json', data: JSON.stringify({ about }) }])

beforeEach(async () => {
  bench = await createRepoBench()
  server = createServer((request, response) => answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `127.0.0.1:${(server.address() as { port: number }).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await bench.dispose()
})

describe('an archive from the web', () => {
  it('is unpacked, with credentials and signature that are kept apart, and updated with them', async () => {
    const asked: (string | undefined)[][] = []
    let about = 'one'
    answer = (request, response) => {
      asked.push([request.url, request.headers.authorization])
      response.end(archive(about))
    }
    expect(await bench.add(null, `http://me:p4ss@${base}/a/agents.tgz?sig=s3cret`)).toMatchObject({
      ...{ name: 'agents', kind: 'archive', source: `http://${base}/a/agents.tgz`, agents: 1 },
    })
    const sources = await bench.store.read(repoSourcesDocument)
    expect(JSON.stringify([sources, bench.said, bench.events.since(0)])).not.toMatch(/p4ss|s3cret/)
    about = 'two'
    expect(await bench.update('agents')).toMatchObject([{ outcome: 'updated' }])
    const sent = ['/a/agents.tgz?sig=s3cret', `Basic ${btoa('me:p4ss')}`]
    expect(asked).toEqual([sent, sent])
    await bench.repos.disable('agents', true)
    expect([...bench.kept.values()]).toEqual([''])
  })

  it.each<[string, string, RequestListener]>([
    ['missing', 'REPO_NOT_FOUND', (_, response) => response.writeHead(404).end('no')],
    ['refused', 'REPO_UNAVAILABLE', (_, response) => response.writeHead(403).end('no')],
    ['a page instead', 'ARCHIVE_INVALID', (_, response) => response.end('<html>'.repeat(500))],
    [
      'cut short',
      'REPO_UNAVAILABLE',
      (_, response) => void response.writeHead(200, { 'content-length': '5000' }).write('x', () => response.destroy()),
    ],
  ])('%s: leaves nothing', async (_, code, listener) => {
    answer = listener
    await expect(bench.add('mine', `http://${base}/a.zip`)).rejects.toMatchObject({ code })
    expect([await bench.onDisk(), await bench.enabled()]).toEqual([[], ['builtin']])
  })

  it('nobody there', async () => {
    await expect(bench.add('mine', 'http://127.0.0.1:9/a.zip')).rejects.toMatchObject({ code: 'REPO_UNAVAILABLE' })
  })

  it('stops when it is interrupted', async () => {
    const controller = new AbortController()
    answer = (_, response) => {
      response.write('x')
      controller.abort()
    }
    const request = { name: 'mine', source: `http://${base}/a.zip`, branch: null, link: false, allowLocal: false }
    await expect(bench.repos.add(request, { signal: controller.signal })).rejects.toThrow()
    expect(await bench.onDisk()).toEqual([])
  })
})
