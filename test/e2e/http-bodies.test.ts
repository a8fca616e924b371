/** Bodies: wrong, broken, far too large, or never ending; and clients that hold on to their connection. */
import { readdir, readFile, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createRouter, isHere, type TestRouter } from '../helpers/http-router.ts'
import { errorOf, openSocket, parseAnswer, type RawRequest } from '../helpers/raw-http.ts'
import { isAlive, waitFor } from '../helpers/workspace.ts'

const MB = 1024 * 1024
/** What the two sides' socket buffers can hold, with room to spare. */
const IN_FLIGHT = 16 * MB

/** Sends a body of `total` bytes as fast as it is taken; gives how much was, and the answer. */
function flood(port: number, head: string, total: number): Promise<{ sent: number; status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const chunked = /transfer-encoding/i.test(head)
    const part = Buffer.alloc(64 * 1024, 'x')
    const piece = chunked ? Buffer.concat([Buffer.from('10000\r\n'), part, Buffer.from('\r\n')]) : part
    const socket = connect({ host: '127.0.0.1', port })
    let text = ''
    let sent = 0
    const timer = setTimeout(() => socket.destroy(new Error(`no answer: ${text}`)), 60_000)
    const finish = (): void => {
      clearTimeout(timer)
      socket.destroy()
      const { status, body } = parseAnswer(text)
      resolve({ sent, status, body })
    }
    socket.on('error', (error) => (text === '' ? (clearTimeout(timer), reject(error)) : finish()))
    socket.on('close', finish)
    socket.setEncoding('latin1').on('data', (data: string) => (text += data))
    const pump = (): void => {
      while (!socket.destroyed && sent < total) {
        sent += part.length
        if (!socket.write(piece)) return void socket.once('drain', pump)
      }
    }
    socket.write(`${head}\r\n\r\n`)
    pump()
  })
}

describe.runIf(isHere)('bodies', () => {
  let router: TestRouter
  beforeAll(async () => {
    router = await createRouter([], { PLOINKY_BLOB_LIMIT: String(2 * MB), PLOINKY_BODY_LIMIT: String(3 * MB) })
  })
  afterAll(() => router[Symbol.asyncDispose]())
  afterEach(() => router.isWell())

  /** Most memory that the router ever used, in bytes; 0 where the system does not tell. */
  const peak = async (): Promise<number> => {
    const status = await readFile(`/proc/${router.pid}/status`, 'utf8').catch(() => '')
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
  }
  const head = (method: string, target: string, ...fields: string[]): string =>
    [`${method} ${target} HTTP/1.1`, `host: 127.0.0.1:${router.port}`, ...fields].join('\r\n')

  describe('200 MB', () => {
    const strangers = [
      ...[
        'POST /blobs',
        'POST /api/v1/agents',
        'POST /mcps/demo/mcp',
        'POST /services/demo/x',
        'POST /auth/login',
        'PUT /auth/login',
      ],
      ...['GET /health', 'GET /signin/', 'POST /nothing', 'DELETE /blobs/x', 'GET /status'],
    ]
    it('from strangers stay on the wire, and the memory as it was', { timeout: 120_000 }, async () => {
      const before = await peak()
      const framings = [`content-length: ${200 * MB}`, 'transfer-encoding: chunked']
      const attempts = strangers.flatMap((request) => framings.map((framing) => [request, framing] as const))
      const check = async ([request, framing]: readonly [string, string]): Promise<void> => {
        const [method = '', target = ''] = request.split(' ')
        const { sent, status } = await flood(router.port, head(method, target, framing), 200 * MB)
        expect([200, 401, 404, 413], request).toContain(status)
        expect(sent, `${request} ${framing}`).toBeLessThan(IN_FLIGHT)
      }
      // All at once: the memory that one takes would add up.
      await Promise.all(attempts.map(check))
      expect((await peak()) - before).toBeLessThan(64 * MB)
    })

    it.each(['POST /api/v1/agents', 'POST /api/v1/nothing', 'POST /blobs', 'POST /mcps/demo/mcp', 'POST /auth/link'])(
      'from the operator: %s is cut at its limit',
      { timeout: 60_000 },
      async (request) => {
        const [method = '', target = ''] = request.split(' ')
        const check = async (framing: string): Promise<void> => {
          const fields = [framing, `authorization: Bearer ${router.token}`, 'content-type: application/json']
          const { sent, status, body } = await flood(router.port, head(method, target, ...fields), 200 * MB)
          expect([request, status]).toEqual([request, /nothing/.test(request) ? 404 : /link/.test(request) ? 200 : 413])
          if (status === 413) expect(JSON.parse(body)).toMatchObject({ error: { code: 'REQUEST_TOO_LARGE' } })
          expect(sent).toBeLessThan(IN_FLIGHT + 4 * MB)
        }
        await Promise.all([check(`content-length: ${200 * MB}`), check('transfer-encoding: chunked')])
      },
    )

    it('leave nothing in the store of blobs', async () => {
      const names = await readdir(join(router.workspace.dir, '.ploinky/blobs')).catch(() => [])
      expect(names).toEqual([])
    })
  })

  describe('JSON of the API', () => {
    const post = (body: string, type: string | null = 'application/json', target = '/api/v1/agents') =>
      router.operator({ target, method: 'POST', body, headers: type === null ? [] : [['content-type', type]] })

    const bad: [body: string, message: RegExp][] = [
      ['{', /not JSON: Expected property name .* at line 1, column 2$/],
      ['{\n"agent": x}', /not JSON: Unexpected token 'x' at line 2, column 10$/],
      ['[]', /not a JSON object/],
      ['"demo"', /not a JSON object/],
      ['null', /not a JSON object/],
      ['{}', /Missing argument "agent"/],
      ['{"agent": 5}', /not|agent/i],
      ['{"agent": ["demo"]}', /Invalid field "agent": found object/],
      ['{"agent": null}', /Missing argument "agent"/],
      ['{"agent": "demo", "agnet": 1}', /Unknown field "agnet"/],
      ['{"__proto__": {"agent": "demo"}}', /Unknown field "__proto__"/],
      [`{"agent": ${'['.repeat(10_000)}${']'.repeat(10_000)}}`, /Invalid field "agent"/],
      ['\u0000', /not JSON/],
    ]
    it.each(bad)('%#: %s', async (body, message) => {
      const answer = await post(body)
      const error = errorOf(answer)
      expect([400, 404]).toContain(answer.status)
      expect(error.message).toMatch(message)
      expect(error.message.length).toBeLessThan(300)
    })

    it('has to be declared, and to be UTF-8', async () => {
      for (const type of [null, 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonx']) {
        const answer = await post('{"agent":"demo"}', type)
        expect([answer.status, errorOf(answer).message]).toEqual([400, 'Request body is not declared as JSON'])
      }
      const request: RawRequest = {
        target: '/api/v1/agents',
        method: 'POST',
        headers: [
          ['content-type', 'application/json'],
          ['content-length', '2'],
        ],
      }
      const socket = await openSocket(router.port, '')
      socket.setEncoding('latin1')
      const text = new Promise<string>((resolve) => {
        let all = ''
        socket.on('data', (part: string) => (all += part)).once('close', () => resolve(all))
      })
      const fields = (request.headers ?? []).map(([name, value]) => `${name}: ${value}`)
      socket.write(
        `${head('POST', '/api/v1/agents', ...fields, `authorization: Bearer ${router.token}`, 'connection: close')}\r\n\r\n`,
      )
      socket.write(Buffer.from([0xc3, 0x28]))
      expect(errorOf(parseAnswer(await text)).message).toBe('Request body is not valid UTF-8')
    })

    it.each(['../../etc', '-x', 'a b', '$(id)', 'builtin/demo/../x', 'x'.repeat(60_000), '\u001b[2J'])(
      'agent %j is unknown',
      async (agent) => {
        const answer = await post(JSON.stringify({ agent }))
        expect([answer.status, errorOf(answer).code]).toEqual([404, 'AGENT_NOT_FOUND'])
        const encoded = encodeURIComponent(agent.slice(0, 2000))
        for (const [method, target] of [
          ['DELETE', ''],
          ['POST', '/stop'],
          ['GET', '/logs'],
        ] as const) {
          const other = await router.operator({ method, target: `/api/v1/agents/${encoded}${target}` })
          expect([other.status, errorOf(other).code]).toEqual([404, 'AGENT_NOT_FOUND'])
        }
      },
    )

    it('a known address with another method says which one it takes', async () => {
      const answer = await router.operator({ method: 'PUT', target: '/api/v1/agents/demo' })
      expect([answer.status, answer.headers['allow'], errorOf(answer).code]).toEqual([
        405,
        'DELETE',
        'METHOD_NOT_ALLOWED',
      ])
      expect((await router.operator({ method: 'POST', target: '/api/v1/status' })).headers['allow']).toBe('GET, HEAD')
      expect((await router.operator({ target: '/api/v1/nothing' })).status).toBe(404)
      expect((await router.operator({ target: '/api/v1/agents/demo/logs?tail=x' })).status).toBe(400)
      expect((await router.operator({ target: '/api/v1/agents/demo/logs?tail=99999999' })).status).toBe(400)
    })
  })

  it('a thousand slow and half-open clients do not stop the others', { timeout: 120_000 }, async () => {
    const login = head('POST', '/auth/login', 'content-length: 1000', 'content-type: application/x-www-form-urlencoded')
    const blob = head('POST', '/blobs', 'content-length: 1000', `authorization: Bearer ${router.token}`)
    const events = head('GET', '/api/v1/events', `authorization: Bearer ${router.token}`)
    const kinds = [
      '',
      'GET /health HTTP/1.1\r\nhost: 127',
      `${login}\r\n\r\ntoken=`,
      `${blob}\r\n\r\nx`,
      `${events}\r\n\r\n`,
    ]
    const sockets: Socket[] = []
    for (let i = 0; i < 200; i++)
      sockets.push(...(await Promise.all(kinds.map((text) => openSocket(router.port, text)))))
    const cut = sockets.map((socket) => {
      socket.on('error', () => {}).resume()
      return new Promise<void>((resolve) => socket.once('close', () => resolve()))
    })
    expect(sockets.filter((socket) => socket.destroyed)).toEqual([])
    expect((await router.ask({})).status).toBe(200)
    expect((await router.operator({ target: '/api/v1/status' })).status).toBe(200)
    expect((await router.operator({ target: '/services/demo/' })).status).toBe(200)
    // Those that owe a head, or the body of a sign-in, are let go; uploads and readers of events may take their time.
    const owing = cut.filter((_, index) => index % kinds.length < 3)
    await Promise.all(owing)
    const kept = sockets.filter((_, index) => index % kinds.length >= 3)
    expect(kept.filter((socket) => socket.destroyed)).toEqual([])
    kept.forEach((socket) => socket.destroy())
    // The uploads that broke off leave nothing behind.
    const blobs = join(router.workspace.dir, '.ploinky/blobs')
    await waitFor('unfinished uploads to be removed', async () =>
      (await readdir(blobs)).length === 0 ? true : undefined,
    )
  })

  it('readers of events that vanish, and those that only ask, leave no trace', async () => {
    for (let i = 0; i < 50; i++) {
      const answer = await router.operator({ method: 'HEAD', target: '/api/v1/events' })
      expect(answer.status).toBe(200)
    }
    const socket = await openSocket(
      router.port,
      `${head('GET', '/api/v1/events', `authorization: Bearer ${router.token}`, 'last-event-id: x')}\r\n\r\n`,
    )
    const first = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))))
    expect(first).toMatch(/^HTTP\/1\.1 200/)
    socket.resetAndDestroy()
  })
})

describe.runIf(isHere)('a router whose workspace is deleted', () => {
  it('answers in the meantime, makes nothing anew, and ends', async () => {
    await using router = await createRouter()
    const { dir } = router.workspace
    // The agent first: nobody could stop it afterwards.
    await router.workspace.json(['stop', 'demo'])
    await rm(join(dir, '.ploinky'), { recursive: true, force: true })
    const answer = await router.ask({}).catch(() => null)
    if (answer !== null) expect(answer.status).toBe(200)
    await waitFor('the router to end', () => (isAlive(router.pid) ? undefined : true))
    expect((await readdir(dir)).sort()).toEqual(['agents', 'code', 'skills'])
  })

  it('is found again when only its own files were lost', async () => {
    await using router = await createRouter()
    const running = join(router.workspace.dir, '.ploinky/running')
    const before = await readFile(join(running, 'router.json'), 'utf8')
    await rm(join(running, 'router.json'))
    await rm(join(running, 'router.pid'))
    await waitFor('router.json', async () =>
      (await readFile(join(running, 'router.json'), 'utf8').catch(() => '')) === before ? true : undefined,
    )
    expect(await router.workspace.routerPid()).toBe(router.pid)
    await router.isWell()
  })
})
