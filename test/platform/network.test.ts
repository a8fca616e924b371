/** The server under the router: deadlines, limits and taken ports. */
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { RunningServer, ServerHandlers } from '../../src/platform/index.ts'
import { createNetwork } from '../../src/platform/network.ts'
import { createProcesses } from '../../src/platform/processes.ts'
import { ask, errorOf, exchange, openSocket, parseAnswer } from '../helpers/raw-http.ts'

const net = createNetwork(createProcesses())
const running: RunningServer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close(0)))
})

const HANDLERS: ServerHandlers = {
  request: (incoming, outgoing) => outgoing.end(`${incoming.method} ${incoming.url}`),
  upgrade: (_incoming, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
}
async function serve(
  handlers: Partial<ServerHandlers> = {},
  options: { headersTimeoutMs?: number; maxConnections?: number } = {},
) {
  const server = await net.serve({ host: '127.0.0.1', port: 0, ...options }, { ...HANDLERS, ...handlers })
  running.push(server)
  return server.port
}
const closed = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (data) => (text += String(data))).once('close', () => resolve(text))
  })

describe('deadlines', () => {
  it.each(['', 'G', 'GET / HTTP/1.1\r\nhost: x', 'GET / HTTP/1.1\r\nhost: x\r\nx: '])(
    'a head that does not end (%j) is cut',
    async (text) => {
      const port = await serve({}, { headersTimeoutMs: 300 })
      const answer = parseAnswer(await closed(await openSocket(port, text)))
      expect([answer.status, errorOf(answer).code]).toEqual([408, 'TIMEOUT'])
      expect((await ask(port, { target: '/x' })).body).toBe('GET /x')
    },
  )

  it('a body may take its time', async () => {
    const bodies: string[] = []
    const port = await serve(
      {
        request: (incoming, outgoing) => {
          incoming.setEncoding('utf8').on('data', (text: string) => bodies.push(text))
          incoming.on('end', () => outgoing.end(bodies.join('')))
        },
      },
      { headersTimeoutMs: 300 },
    )
    const late = await openSocket(port, 'GET / HTTP/1.1')
    const slow = await openSocket(port, 'POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\na')
    const answer = closed(slow)
    // The other one was cut meanwhile, and this one was not.
    await closed(late)
    slow.write('b')
    expect(parseAnswer(await answer).body).toBe('ab')
  })

  it('a client that never closes its half is let go after a refusal', async () => {
    const port = await serve()
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    const end = closed(socket)
    socket.write('nonsense\r\n\r\n')
    // It goes on talking into the half that is left, until nobody is there any more.
    const talk = setInterval(() => socket.write('x'), 20)
    const text = await end
    clearInterval(talk)
    expect(parseAnswer(text).status).toBe(400)
  })
})

describe('limits', () => {
  it('more connections than allowed are closed, the others go on', async () => {
    const port = await serve({}, { maxConnections: 3 })
    const kept = await Promise.all([1, 2, 3].map(() => openSocket(port, 'GET /')))
    const fourth = await exchange(port, 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n').catch(() => '')
    expect(fourth).toBe('')
    const [first] = kept
    const answer = first === undefined ? Promise.resolve('') : closed(first)
    first?.write(' HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    expect(parseAnswer(await answer).body).toBe('GET /')
    kept.forEach((socket) => socket.destroy())
  })

  it('an answer to a body that nobody read arrives, and the body stays where it was', async () => {
    const taken: number[] = []
    const port = await serve({
      request: (incoming, outgoing) => {
        outgoing.writeHead(413).end('no')
        outgoing.once('close', () => taken.push(incoming.readableLength))
      },
    })
    const text = await exchange(
      port,
      `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 50000000\r\n\r\n${'x'.repeat(5_000_000)}`,
    )
    expect(parseAnswer(text)).toMatchObject({ status: 413, body: 'no' })
    expect(taken.every((length) => length <= 128 * 1024)).toBe(true)
  })

  it('a body that was read to its end leaves the connection open for the next request', async () => {
    const port = await serve({
      request: (incoming, outgoing) => void incoming.resume().once('end', () => outgoing.end('done')),
    })
    const one = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc'
    const text = await exchange(port, `${one}${one}GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(3)
  })

  it('a body that breaks after its answer does not get a second one', async () => {
    const port = await serve({ request: (_incoming, outgoing) => void outgoing.writeHead(401).end('no') })
    const text = await exchange(port, 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n')
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401'])
  })
})

describe('listening', () => {
  it('a taken port names who has it, and another one', async () => {
    const stranger = createServer()
    const port = await new Promise<number>((resolve) =>
      stranger.listen(0, '127.0.0.1', () => resolve((stranger.address() as { port: number }).port)),
    )
    await expect(net.serve({ host: '127.0.0.1', port }, HANDLERS)).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      hint: `Choose another port: ploinky start --port ${port === 65_535 ? 8088 : port + 1}`,
      ...(process.platform === 'linux' ? { details: { pid: process.pid } } : {}),
    })
    await new Promise((resolve) => stranger.close(resolve))
  })

  it.each(['203.0.113.7', '999.1.1.1', '::::', 'no such host'])('%s is no address of this machine', async (host) => {
    await expect(net.serve({ host, port: 0 }, HANDLERS)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('free ports and listeners are told apart', async () => {
    const port = await serve()
    expect(await net.isListening('127.0.0.1', port, 1000)).toBe(true)
    const free = await net.freePort('127.0.0.1')
    expect(await net.isListening('127.0.0.1', free, 1000)).toBe(false)
  })
})

describe('calls', () => {
  const call = { method: 'GET', path: '/', timeoutMs: 30_000 }

  it('an answer that is too large, never comes, or is none', async () => {
    const big = await serve({ request: (_incoming, outgoing) => outgoing.end('x'.repeat(100_000)) })
    await expect((await net.request({ ...call, port: big })).text(1000)).rejects.toMatchObject({
      code: 'REQUEST_TOO_LARGE',
    })
    const silent = await serve({ request: () => {} })
    await expect(net.request({ ...call, port: silent, timeoutMs: 100 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    const stranger = createServer((socket) => socket.resume().end('SSH-2.0\r\n'))
    const port = await new Promise<number>((resolve) =>
      stranger.listen(0, '127.0.0.1', () => resolve((stranger.address() as { port: number }).port)),
    )
    await expect(net.request({ ...call, port })).rejects.toThrow()
    await new Promise((resolve) => stranger.close(resolve))
  })

  it('an answer that begins and does not end', async () => {
    const port = await serve({ request: (_incoming, outgoing) => void outgoing.write('half of') })
    const answer = await net.request({ ...call, port, timeoutMs: 200 })
    await expect(answer.text()).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it('ends with its signal', async () => {
    const port = await serve({ request: () => {} })
    const ended = new AbortController()
    const answer = net.request({ ...call, port, signal: ended.signal })
    ended.abort()
    await expect(answer).rejects.toThrow()
  })
})
