/** A private repository over HTTP, served by git's own server. */
import { execFileSync, spawn } from 'node:child_process'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { commit, gitRepository } from '../../helpers/repositories.ts'
import { createRepoBench, type RepoBench } from '../../helpers/repo-service.ts'

const AUTHORIZATION = `Basic ${btoa('me:p4ss word')}`
let bench: RepoBench
let server: Server
let base: string

/** One request of git-http-backend(1), a CGI program. */
function serve(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.authorization !== AUTHORIZATION) {
    return void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
  }
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const child = spawn('git', ['http-backend'], {
    env: {
      ...{ PATH: process.env['PATH'], HOME: '/dev/null', GIT_PROJECT_ROOT: bench.dir, GIT_HTTP_EXPORT_ALL: '1' },
      ...{ PATH_INFO: path, QUERY_STRING: query, REQUEST_METHOD: request.method, REMOTE_USER: 'me' },
      ...{
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      },
      ...{ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' },
    },
  })
  request.pipe(child.stdin)
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.once('close', () => {
    const whole = Buffer.concat(chunks)
    const end = whole.indexOf('\r\n\r\n')
    for (const line of whole.subarray(0, end).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(': ')
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    response.end(whole.subarray(end + 4))
  })
}

beforeEach(async () => {
  bench = await createRepoBench()
  server = createServer(serve)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `127.0.0.1:${(server.address() as { port: number }).port}`
})
afterEach(async () => {
  vi.unstubAllEnvs()
  server.closeAllConnections()
  server.close()
  await bench.dispose()
})

const hasBackend = (() => {
  const list = execFileSync('git', ['--list-cmds=main'], { encoding: 'utf8' })
  return list.split('\n').includes('http-backend')
})()

it.skipIf(!hasBackend)(
  'credentials of an address reach git, later updates too, and are nowhere in the clone',
  async () => {
    const source = await gitRepository(bench.at('src'))
    vi.stubEnv('HOME', bench.at('home'))
    await expect(bench.add('mine', `http://${base}/src/.git`)).rejects.toMatchObject({
      code: 'REPO_UNAVAILABLE',
      message: expect.stringContaining('Not permitted') as string,
    })
    await expect(bench.add('mine', `http://me:wrong@${base}/src/.git`)).rejects.toMatchObject({
      code: 'REPO_UNAVAILABLE',
    })
    expect(await bench.add('mine', `http://me:p4ss%20word@${base}/src/.git`)).toMatchObject({
      outcome: 'added',
      agents: 1,
    })
    const next = await commit(source, { 'more/manifest.json': '{}' })
    expect(await bench.update()).toMatchObject([{ outcome: 'updated', to: next }])
    const files = await Promise.all(
      ['config', 'FETCH_HEAD'].map((name) => readFile(bench.inRepos('mine/.git', name), 'utf8')),
    )
    expect(JSON.stringify([files, bench.said, bench.events.since(0)])).not.toContain('p4ss')
    // A new token takes the place of the old one.
    const key = [...bench.kept.keys()][0] ?? ''
    bench.kept.set(key, JSON.stringify({ user: 'me', password: 'expired', query: '' }))
    expect(await bench.update()).toMatchObject([{ outcome: 'failed' }])
    await bench.add('mine', `http://me:p4ss%20word@${base}/src/.git`)
    expect(await bench.update()).toMatchObject([{ outcome: 'unchanged', error: null }])
  },
)
