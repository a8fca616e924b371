/**
 * What passes between an MCP client and an agent: every byte, at once, to the right one, in both directions; and what
 * never does. Hosts, origins, sizes and slow clients are in http-addresses and http-bodies.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, startGateway, type Talk } from '../helpers/mcp-gateway.ts'
import { isHere } from '../helpers/http-router.ts'
import { parseAnswer } from '../helpers/raw-http.ts'
import { waitFor } from '../helpers/workspace.ts'

const COLLIDING = 8
const ROUNDS = 20

describe.runIf(isHere)('MCP of an agent', () => {
  let gateway: Gateway
  const talks: Talk[] = []
  const open = (bytes: string): Talk => {
    const talk = gateway.open(bytes)
    talks.push(talk)
    return talk
  }
  /** One request on a connection that ends with it; gives head and body as they came. */
  const once = async (line: string, headers: readonly string[], body?: string): Promise<string> =>
    open(gateway.text(line, ['Connection: close', ...headers], body)).rest()
  /** The request as the agent saw it. */
  const echoed = async (method: string, headers: readonly string[], body?: string): Promise<string> => {
    const answer = await once(`${method} ${gateway.target('echo')}`, headers, body)
    return answer.slice(answer.indexOf('\r\n\r\n') + 4)
  }
  /** Has the agent answer with these bytes, and `then` reset or end its connection. */
  const answered = (response: string, after = ''): Promise<string> =>
    once(`POST ${gateway.target('answer', { after })}`, [], response)
  const isGone = (nonce: string): Promise<true> =>
    waitFor(`the agent hears that ${nonce} is over`, async () =>
      (await gateway.state()).gone.includes(nonce) ? true : undefined,
    )

  beforeAll(async () => {
    gateway = await startGateway()
  })
  afterAll(async () => {
    for (const { socket } of talks) socket.destroy()
    await gateway?.[Symbol.asyncDispose]()
  })

  describe('to the agent', () => {
    const headers = [
      'Accept: application/json, text/event-stream',
      'content-TYPE: application/json',
      'MCP-Protocol-Version: 2026-07-28',
      'Mcp-Session-Id: 0123-\xe9~!',
      'Mcp-Method: tools/call',
      'mcp-method: again, in small letters',
      'Mcp-Name: =?base64?w6TDtsO8?=',
      'Mcp-Param-Region: eu-west',
      'Mcp-Param-Region: twice',
      'MCP-PARAM-X.y_z: =?base64?SGVsbG8=?=',
      'Last-Event-ID: stream_7; q="x"',
      'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      'tracestate: vendor=1,other=2',
      'Accept-Encoding: gzip, br',
      "X-Nobody-Knows!#$%&'*+.^`|~: \t kept  inside \t",
      'X-Empty:',
    ]
    /** What HTTP has readers leave out around values; everything else is as it was sent. */
    const trimmed = headers.map((line) => line.replace(/:[ \t]*(.*?)[ \t]*$/, ': $1'))

    it.each(['POST', 'GET', 'DELETE', 'OPTIONS', 'PATCH', 'PUT', 'PURGE'])(
      '%s: headers in their order and spelling, doubles and unknown ones too',
      async (method) => {
        const body = method === 'POST' ? '{}' : undefined
        const lines = (await echoed(method, headers, body)).split('\r\n')
        const own = lines.slice(0, trimmed.length + 2)
        expect(own).toEqual([
          `${method} /mcp?do=echo HTTP/1.1`,
          `Host: 127.0.0.1:${gateway.workspace.port}`,
          ...trimmed,
        ])
        // Behind them only what frames the body and what the router adds.
        const added = lines
          .slice(trimmed.length + 2, lines.indexOf(''))
          .map((line) => line.split(':')[0]?.toLowerCase())
        const forwarded = ['for', 'host', 'proto', 'prefix'].map((name) => `x-forwarded-${name}`)
        const framing = body === undefined ? [] : ['content-length']
        expect(added).toEqual([...framing, ...forwarded, 'x-request-id', 'x-ploinky-invocation'])
      },
    )

    const bodies: [what: string, body: string][] = [
      [
        'an unknown method',
        '{"jsonrpc":"2.0","id":1,"method":"future/thing","params":{"z":1,"a":2,"_meta":{"x/y":null}}}',
      ],
      ['order, doubles and spaces', '{ "b":1,"a" : 2,\n\t"a":3, "id": "\\u00e4\\/" }  '],
      ['numbers that JavaScript would round', '{"id":9007199254740993,"n":1.0e400,"m":-0,"k":1.10}'],
      ['a batch', '[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b"}]'],
      ['what is no JSON', '{"jsonrpc":'],
      ['bytes that are no text', '\x00\xff\xfe\xc3\x28\r\n\r\n'],
      ['nothing', ''],
    ]
    it.each(bodies)('bodies as they are: %s', async (_what, body) => {
      const seen = await echoed('POST', [], body)
      expect(seen.slice(seen.indexOf('\r\n\r\n') + 4)).toBe(body)
    })

    it('never the client’s credential, however it is sent', async () => {
      const { token } = gateway
      const words = [
        `Authorization: Bearer ${token}`,
        `AUTHORIZATION: bearer ${token}`,
        `Cookie: a=1; ploinky_token=${token}`,
      ]
      const seen = [
        ...(await Promise.all(words.map((word) => echoed('POST', [word], '{}')))),
        await echoed('GET', []),
        await open(
          `GET ${gateway.target('echo')}&token=${token}&x=1 HTTP/1.1\r\nHost: 127.0.0.1:${gateway.workspace.port}\r\nConnection: close\r\n\r\n`,
        ).rest(),
        await (await gateway.workspace.fetch(gateway.target('env'))).text(),
      ]
      expect(seen.filter((text) => text.includes('mcp') || text.includes('argv'))).toHaveLength(seen.length)
      for (const text of seen) {
        expect(text).not.toContain(token)
        expect(text).not.toMatch(/^(?:authorization|cookie: .*ploinky)/im)
      }
      expect(seen[2]).toContain('Cookie: a=1')
      expect(seen[4]).toContain('GET /mcp?do=echo&x=1 HTTP/1.1')
    })

    it('nothing of a request that is refused', async () => {
      const refused = [
        `POST ${gateway.target('hold', { nonce: 'refused' })} HTTP/1.1\r\nHost: 127.0.0.1:${gateway.workspace.port}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`,
        gateway.text(`POST ${gateway.target('hold', { nonce: 'refused' })}`, ['Origin: http://evil.example'], '{}'),
      ]
      const statuses = await Promise.all(
        refused.map(async (text) => {
          const talk = open(text)
          await talk.until('}}')
          return parseAnswer(talk.received).status
        }),
      )
      expect(statuses).toEqual([401, 403])
      const { held, gone } = await gateway.state()
      expect([...held, ...gone]).not.toContain('refused')
    })
  })

  describe('to the client', () => {
    const answers: [status: string, headers: string[]][] = [
      [
        '200 OK',
        ['Content-Type: application/json', 'Mcp-Session-Id: a-B-c', 'X-Unknown: 1', 'X-Unknown: 2', 'x-LOWER: v'],
      ],
      ['202 Accepted', ['Content-Type: application/json']],
      ['400 Bad Request', ['Content-Type: application/json']],
      [
        '401 Unauthorized',
        ['WWW-Authenticate: Bearer resource_metadata="https://x/y", scope="a b"', 'WWW-Authenticate: Basic realm="z"'],
      ],
      ['403 Forbidden', ['WWW-Authenticate: Bearer error="insufficient_scope", scope="files:read"']],
      ['404 Not Found', ['Content-Type: application/json']],
      ['405 Method Not Allowed', ['Allow: POST, DELETE']],
      ['429 Slow down, please', ['Retry-After: 7']],
      ['500 Internal Server Error', ['Content-Type: text/plain; charset=latin1', 'Content-Encoding: gzip']],
      ['503 Service Unavailable', ['Retry-After: Fri, 31 Dec 2027 23:59:59 GMT', 'Set-Cookie: a=1', 'Set-Cookie: b=2']],
      ['599 ', []],
    ]
    it.each(answers)('status and headers: %s', async (status, headers) => {
      const body = '{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"\xe4"}}'
      const lines = [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${body.length}`]
      const answer = await answered(`${lines.join('\r\n')}\r\n\r\n${body}`)
      const end = answer.indexOf('\r\n\r\n')
      expect(answer.slice(end + 4)).toBe(body)
      const seen = answer.slice(0, end).split('\r\n')
      expect(seen.slice(0, lines.length)).toEqual(lines)
      const added = seen.slice(lines.length).map((line) => line.split(':')[0]?.toLowerCase())
      expect(added.filter((name) => !['x-request-id', 'connection', 'date'].includes(name ?? ''))).toEqual([])
    })

    const streams: [what: string, body: string][] = [
      ['comments, ids and retry', ': hello\n\nid: 1_2\nretry: 10\ndata: \n\n:\n\ndata: {"a":1}\ndata: b\n\n'],
      ['line ends of every kind', 'data: 1\r\rdata: 2\r\n\r\ndata: 3\n\n'],
      ['what is no event stream', '\x00\xff{"not":"sse"}\n\ndata'],
      ['bytes of half a character', 'data: \xc3\n\n\xa4'],
    ]
    it.each(streams)('event streams as they are: %s', async (_what, body) => {
      const pieces = body
        .split('')
        .map((byte) => `1\r\n${byte}\r\n`)
        .join('')
      const head =
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n'
      const answer = await answered(`${head}${pieces}0\r\n\r\n`)
      expect(parseAnswer(answer).headers).toMatchObject({ 'x-accel-buffering': 'no' })
      expect(unchunked(answer)).toBe(body)
    })

    const broken: [what: string, response: string][] = [
      ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
      ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
      [
        'length and chunks',
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      ],
      ['a header without a name', 'HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 2\r\n\r\nok'],
      ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: mcp\r\nConnection: Upgrade\r\n\r\n'],
    ]
    it.each(broken)('%s becomes an error of the router, which is none of MCP', async (_what, response) => {
      const answer = parseAnswer(await answered(response))
      expect(answer.status).toBe(502)
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'UPSTREAM_UNREACHABLE' } })
      expect(answer.body).not.toMatch(/jsonrpc|-32/)
    })

    it.each([
      ['a chunk that is none', 'data: 1\n\n', '\r\nzz\r\n', ''],
      ['an agent that resets', 'data: 1\n\n', '', 'reset'],
      ['an agent that ends in the middle', 'data: 1\n\n', '', 'end'],
    ])('%s: the stream is never taken for complete', async (_what, body, rest, after) => {
      const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
      const answer = await answered(`${head}${body.length.toString(16)}\r\n${body}\r\n${rest}`, after)
      expect(answer).not.toContain('0\r\n\r\n')
    })
  })

  describe('streams', () => {
    const listen = ['Accept: text/event-stream', 'Accept-Encoding: gzip, deflate, br']

    it.each(['GET', 'POST'])('%s: the first event arrives at once, not compressed', async (method) => {
      const nonce = `first-${method}`
      const body = method === 'POST' ? '{}' : undefined
      const talk = open(gateway.text(`${method} ${gateway.target('hold', { nonce })}`, listen, body))
      // The agent sends nothing more until it is told to.
      await talk.until(`"nonce":"${nonce}"`)
      expect(talk.received).not.toMatch(/content-encoding/i)
      await gateway.workspace.fetch(gateway.target('release', { nonce }))
      await talk.until('0\r\n\r\n')
    })

    it.each([
      ['in the middle of an answer', 'POST', 'hold'],
      ['of the stream of a session', 'GET', 'hold'],
      ['before the answer has begun', 'POST', 'wait'],
    ])('a client that leaves %s: the agent hears it', async (what, method, deed) => {
      for (const leave of ['end', 'reset'] as const) {
        const nonce = `${leave} ${what}`
        const body = method === 'POST' ? '{}' : undefined
        const talk = open(gateway.text(`${method} ${gateway.target(deed, { nonce })}`, listen, body))
        await waitFor('the request at the agent', async () =>
          (await gateway.state()).held.includes(nonce) ? true : undefined,
        )
        if (leave === 'end') talk.socket.destroy()
        else talk.socket.resetAndDestroy()
        await isGone(nonce)
      }
    })

    it('one that stays is not disturbed by one that leaves', async () => {
      const [stays, leaves] = ['stays', 'leaves'].map((nonce) =>
        open(gateway.text(`POST ${gateway.target('hold', { nonce })}`, listen, '{}')),
      )
      await Promise.all([stays?.until('"stays"'), leaves?.until('"leaves"')])
      leaves?.socket.destroy()
      await isGone('leaves')
      await gateway.workspace.fetch(gateway.target('release', { nonce: 'stays' }))
      await stays?.until('"released":"stays"')
    })

    it('requests with one and the same id each get their own answer', { timeout: 120_000 }, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const target = gateway.target('barrier', { group: round, size: COLLIDING })
        const words = Array.from({ length: COLLIDING }, (_, index) => `r${round}-${index}`)
        const got = await Promise.all(
          words.map(async (nonce) => {
            const message = {
              jsonrpc: '2.0',
              id: 1,
              method: 'tools/call',
              params: { nonce, _meta: { progressToken: 1 } },
            }
            const text = await once(`POST ${target}`, [], JSON.stringify(message))
            return [...unchunked(text).matchAll(/"nonce":"([^"]+)"/g)].map(([, word]) => word)
          }),
        )
        // Two notices of progress and the result.
        expect(got).toEqual(words.map((word) => [word, word, word]))
      }
    })

    it('an agent that dies: open streams break at once, what waits is told, and the next call finds a new one', async () => {
      const stream = open(gateway.text(`POST ${gateway.target('hold', { nonce: 'dies' })}`, listen, '{}'))
      await stream.until('"dies"')
      const waits = open(gateway.text(`POST ${gateway.target('wait', { nonce: 'waits' })}`, listen, '{}'))
      const { pid } = await waitFor('both at the agent', async () => {
        const state = await gateway.state()
        return state.held.includes('waits') ? state : undefined
      })
      process.kill(pid, 'SIGKILL')
      expect(await stream.rest()).not.toContain('0\r\n\r\n')
      await waits.until('"UPSTREAM_UNREACHABLE"')
      expect(waits.received).toMatch(/^HTTP\/1\.1 502 /)
      expect(waits.received).not.toMatch(/jsonrpc/)
      const next = await waitFor('the agent is back', async () => gateway.state().catch(() => undefined), 60_000)
      expect(next.pid).not.toBe(pid)
    })
  })
})

/** The body of a chunked answer, as bytes. */
function unchunked(answer: string): string {
  let body = ''
  for (let at = answer.indexOf('\r\n\r\n') + 4; ;) {
    const end = answer.indexOf('\r\n', at)
    const size = Number.parseInt(answer.slice(at, end), 16)
    if (end < 0 || Number.isNaN(size)) throw new Error(`No chunk at ${at}: ${answer}`)
    if (size === 0) return body
    body += answer.slice(end + 2, end + 2 + size)
    at = end + 2 + size + 2
  }
}
