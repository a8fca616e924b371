/** What the target receives. */
import assert from 'node:assert/strict'
import { OK, get, roundTrip, unchunk } from './rig.ts'
import type { Case, FrontOptions, Rig } from './rig.ts'

const line = (seen: string): string => seen.slice(0, seen.indexOf('\r\n'))

function verbatim(name: string, path: string): Case {
  return {
    name: `path is verbatim: ${name}`,
    run: async (rig) => {
      const { seen } = await roundTrip(rig, get(path), OK)
      assert.equal(line(seen), `GET ${path} HTTP/1.1`)
    },
  }
}

/** The front answers 400 or drops the connection, and the target hears nothing. */
function refused(name: string, request: string, options: FrontOptions = {}): Case {
  return {
    name: `refused: ${name}`,
    run: async (rig) => {
      const target = await rig.upstream((peer) => void peer.send(OK))
      await rig.front(target, options)
      const client = rig.client(request)
      const answer = await client.rest()
      assert.match(answer, /^HTTP\/1\.1 4\d\d /)
      assert.equal(rig.upstreams.length, 0)
    },
  }
}

/** Sends a request with a body, returns what the target got behind the head, up to `mark`. */
async function uploaded(rig: Rig, request: string, mark: string): Promise<{ head: string; body: string }> {
  let head = ''
  let body = ''
  const target = await rig.upstream(async (peer) => {
    head = await peer.head()
    body = await peer.until(mark)
    peer.send(OK)
  })
  await rig.front(target)
  const answer = await rig.client(request).rest()
  assert.ok(answer.endsWith('\r\n\r\nok'), answer)
  return { head, body }
}

export const requestCases: readonly Case[] = [
  verbatim('%2F', '/a%2Fb/c%2f'),
  verbatim('double slashes', '//a///b//'),
  verbatim('dot segments', '/a/./b/../c/%2e%2e/d'),
  verbatim('a bare question mark', '/a?'),
  verbatim('odd query', '/a?x=1&&y=%zz&#[]{}|\\^'.replace('#', '%23')),
  {
    name: "headers keep order, case and duplicates; Host is the client's",
    run: async (rig) => {
      const { seen } = await roundTrip(
        rig,
        get('/', 'X-B: 1', 'x-a: 2', 'X-b:   3  ', 'Accept: */*', 'X-Latin: caf\xe9'),
        OK,
      )
      assert.equal(
        seen,
        'GET / HTTP/1.1\r\nHost: agent.test:8088\r\nX-B: 1\r\nx-a: 2\r\nX-b: 3\r\nAccept: */*\r\nX-Latin: caf\xe9\r\n\r\n',
      )
    },
  },
  {
    name: 'hop-by-hop headers and those that Connection names stay behind',
    run: async (rig) => {
      const request = get(
        '/',
        'Keep-Alive: 5',
        'TE: trailers',
        'Proxy-Connection: x',
        'Proxy-Authorization: y',
        'X-Hop: 1',
      ).replace('Connection: close', 'Connection: close, X-Hop, host')
      const { seen } = await roundTrip(rig, request, OK)
      assert.equal(seen, 'GET / HTTP/1.1\r\nHost: agent.test:8088\r\n\r\n')
    },
  },
  {
    name: "stripped headers go, in any case and with underscores; added ones replace the client's",
    run: async (rig) => {
      const { seen } = await roundTrip(
        rig,
        get('/', 'AUTHORIZATION: a', 'X_Ploinky-User: b', 'x-forwarded-for: 6.6.6.6', 'X-Keep: c'),
        OK,
        {
          relay: {
            strip: new Set(['authorization', 'x-ploinky-user']),
            add: [
              ['X-Forwarded-For', '127.0.0.1'],
              ['X-Request-Id', 'r1'],
            ],
          },
        },
      )
      assert.equal(
        seen,
        'GET / HTTP/1.1\r\nHost: agent.test:8088\r\nX-Keep: c\r\nX-Forwarded-For: 127.0.0.1\r\nX-Request-Id: r1\r\n\r\n',
      )
    },
  },
  {
    name: 'Host can be replaced',
    run: async (rig) => {
      const { seen } = await roundTrip(rig, get('/'), OK, { relay: { add: [['Host', 'inner']] } })
      assert.equal(seen, 'GET / HTTP/1.1\r\nHost: inner\r\n\r\n')
    },
  },
  {
    name: 'our cookies go, the others keep their bytes',
    run: async (rig) => {
      const stripCookies = (name: string): boolean => name.startsWith('ploinky_')
      const { seen } = await roundTrip(
        rig,
        get('/', 'Cookie: ploinky_s=1; a="x y";  b=2;ploinky_t=3; c', 'Cookie: ploinky_s=4'),
        OK,
        {
          relay: { stripCookies },
        },
      )
      assert.equal(seen, 'GET / HTTP/1.1\r\nHost: agent.test:8088\r\nCookie: a="x y";  b=2; c\r\n\r\n')
    },
  },
  {
    name: 'a length-framed body keeps its length',
    run: async (rig) => {
      const { head, body } = await uploaded(
        rig,
        `${get('/').replace('GET', 'POST').replace('Connection', 'Content-Length: 5\r\nConnection')}12345`,
        '5',
      )
      assert.match(head, /\r\nContent-Length: 5\r\n/)
      assert.doesNotMatch(head, /transfer-encoding/i)
      assert.equal(body, '12345')
    },
  },
  {
    name: 'GET may have a body',
    run: async (rig) => {
      const { body } = await uploaded(rig, `${get('/', 'Content-Length: 3')}abc`, 'abc')
      assert.equal(body, 'abc')
    },
  },
  {
    name: 'a chunked body stays chunked and keeps its trailers',
    run: async (rig) => {
      const request = `${get('/', 'Transfer-Encoding: chunked', 'Trailer: X-Sum').replace('GET', 'PUT')}3;ext=1\r\nabc\r\n1\r\nd\r\n0\r\nX-Sum: 7\r\n\r\n`
      const { head, body } = await uploaded(rig, request, 'X-Sum: 7\r\n\r\n')
      assert.match(head, /\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n/)
      assert.deepEqual(unchunk(body), { body: 'abcd', trailers: 'X-Sum: 7\r\n' })
    },
  },
  {
    name: 'trailers cannot bring in what the head may not',
    run: async (rig) => {
      const trailers = 'X-User: root\r\nX_User: root\r\nAuthorization: a\r\nX-Fine: 1\r\n'
      const target = await rig.upstream(async (peer) => {
        await peer.head()
        await peer.until('0\r\nX-Fine: 1\r\n\r\n')
        peer.send(OK)
      })
      await rig.front(target, { relay: { strip: new Set(['x-user']) } })
      const request = `${get('/', 'Transfer-Encoding: chunked').replace('GET', 'PUT')}1\r\na\r\n0\r\n${trailers}\r\n`
      assert.ok((await rig.client(request).rest()).endsWith('ok'))
    },
  },
  {
    name: 'imitations of framing headers stay behind',
    run: async (rig) => {
      const { seen } = await roundTrip(
        rig,
        get('/', 'Content_Length: 5', 'transfer_encoding: chunked', 'X_Fine: 1'),
        OK,
      )
      assert.equal(seen, 'GET / HTTP/1.1\r\nHost: agent.test:8088\r\nX_Fine: 1\r\n\r\n')
    },
  },
  {
    name: 'a body is passed on while it arrives',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => {
        await peer.head()
        await peer.until('first')
        peer.send('HTTP/1.1 103 Early Hints\r\nX-Got: first\r\n\r\n')
        await peer.until('second')
        peer.send(OK)
      })
      await rig.front(target)
      const client = rig.client(`${get('/', 'Content-Length: 11').replace('GET', 'POST')}first`)
      await client.until('X-Got: first\r\n\r\n')
      client.send('second')
      assert.ok((await client.rest()).endsWith('ok'))
    },
  },
  {
    name: 'Expect: 100-continue goes to the target and its 100 comes back',
    run: async (rig) => {
      let seen = ''
      const target = await rig.upstream(async (peer) => {
        seen = await peer.head()
        peer.send('HTTP/1.1 100 Continue\r\n\r\n')
        await peer.until('body')
        peer.send(OK)
      })
      await rig.front(target)
      const client = rig.client(get('/', 'Expect: 100-continue', 'Content-Length: 4').replace('GET', 'POST'))
      assert.equal(await client.head(), 'HTTP/1.1 100 Continue\r\n\r\n')
      client.send('body')
      assert.ok((await client.rest()).endsWith('ok'))
      assert.match(seen, /\r\nExpect: 100-continue\r\n/)
    },
  },
  {
    name: 'a refused expectation reaches the client, which may not use the connection again',
    run: async (rig) => {
      const refusal = 'HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n'
      const request = get('/', 'Expect: 100-continue', 'Content-Length: 4')
        .replace('GET', 'POST')
        .replace('Connection: close', 'X: y')
      const { answer, ended } = await roundTrip(rig, request, refusal)
      assert.match(answer, /^HTTP\/1.1 417 No\r\n/)
      assert.match(answer, /\r\nConnection: close\r\n/)
      assert.equal(ended, 'fin')
    },
  },
  {
    name: 'a declared body over the limit is answered 413 before it is read',
    run: async (rig) => {
      const target = await rig.upstream((peer) => void peer.send(OK))
      await rig.front(target, { relay: { maxBodyBytes: 10 } })
      const client = rig.client(get('/', 'Expect: 100-continue', 'Content-Length: 11').replace('GET', 'POST'))
      assert.match(await client.rest(), /^HTTP\/1.1 413 /)
      assert.equal(rig.upstreams.length, 0)
      assert.match(rig.outcomes[0]?.error ?? '', /^too-large/)
    },
  },
  {
    name: 'a chunked body over the limit is cut off and answered 413',
    run: async (rig) => {
      const target = await rig.upstream(() => undefined)
      await rig.front(target, { relay: { maxBodyBytes: 10 } })
      const client = rig.client(`${get('/', 'Transfer-Encoding: chunked').replace('GET', 'POST')}8\r\n12345678\r\n`)
      client.send('8\r\n12345678\r\n')
      assert.match(await client.rest(), /^HTTP\/1.1 413 /)
      const [peer] = rig.upstreams
      if (peer) assert.doesNotMatch(await peer.rest(), /0\r\n\r\n$/)
    },
  },
  refused(
    'Content-Length and Transfer-Encoding',
    `${get('/', 'Content-Length: 4', 'Transfer-Encoding: chunked').replace('GET', 'POST')}0\r\n\r\n`,
  ),
  refused(
    'Transfer-Encoding and Content-Length',
    `${get('/', 'Transfer-Encoding: chunked', 'Content-Length: 4').replace('GET', 'POST')}0\r\n\r\n`,
  ),
  refused('two lengths', `${get('/', 'Content-Length: 4', 'Content-Length: 5').replace('GET', 'POST')}12345`),
  refused('a length that is no number', `${get('/', 'Content-Length: +4').replace('GET', 'POST')}1234`),
  refused('an unknown transfer coding', `${get('/', 'Transfer-Encoding: gzip').replace('GET', 'POST')}1234`),
  refused(
    'a stacked transfer coding',
    `${get('/', 'Transfer-Encoding: gzip, chunked').replace('GET', 'POST')}0\r\n\r\n`,
  ),
  refused('two hosts', get('/', 'Host: other')),
  refused('a space before the colon', get('/', 'Transfer-Encoding : chunked')),
  refused('a folded header', get('/', 'X-A: 1\r\n 2')),
  refused('a path of ours with a line break', get('/'), { relay: { path: '/a\r\nX: y' } }),
  refused('an added header with a line break', get('/'), { relay: { add: [['X-A', 'b\r\nX: y']] } }),
]
