/** What the client receives, from well-behaved and from hostile targets. */
import assert from 'node:assert/strict'
import { OK, get, roundTrip, unchunk } from './rig.ts'
import type { Case } from './rig.ts'

const headOf = (answer: string): string => answer.slice(0, answer.indexOf('\r\n\r\n'))
const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4)

/** The target's bytes must end in 502, whatever they tried to say. */
function hostile(name: string, response: string, settings = {}): Case {
  return {
    name: `hostile response becomes 502: ${name}`,
    run: async (rig) => {
      const { answer } = await roundTrip(rig, get('/'), response, { settings })
      assert.match(answer, /^HTTP\/1.1 502 /)
      assert.doesNotMatch(answer, /evil/i)
      assert.equal(rig.plane.stats().idle, 0)
    },
  }
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

/** The head is out when the fault shows: the client must see a broken response, never a complete one. */
function truncated(name: string, head: string, fault: string): Case {
  return {
    name: `broken body is never a complete one: ${name}`,
    run: async (rig) => {
      let goOn = (): void => undefined
      const seen = new Promise<void>((resolve) => (goOn = resolve))
      const target = await rig.upstream(async (peer) => {
        await peer.head()
        peer.send(head)
        await seen
        peer.send(fault).socket.end()
      })
      await rig.front(target)
      const client = rig.client(get('/'))
      assert.match(await client.head(), /^HTTP\/1.1 200 /)
      goOn()
      const body = await client.rest()
      if (head === CHUNKED) assert.throws(() => unchunk(body))
      else assert.ok(body.length < 10)
      assert.match(rig.outcomes[0]?.error ?? '', /^(aborted|protocol): /)
      assert.equal(rig.plane.stats().idle, 0)
    },
  }
}

export const responseCases: readonly Case[] = [
  {
    name: 'status, reason, header order, case, duplicates and latin1 survive',
    run: async (rig) => {
      const head =
        'HTTP/1.1 299 Quite  fine\r\nX-b: 1\r\nX-A: 2\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nSet-Cookie: c=3\r\nX-L: \xe9\xff\r\nContent-Disposition: attachment; filename="\xc3\xa9"\r\nDate: D\r\nContent-Length: 2'
      const { answer } = await roundTrip(rig, get('/'), `${head}\r\n\r\nok`)
      assert.equal(answer, `${head}\r\nConnection: close\r\n\r\nok`)
    },
  },
  {
    name: 'an empty reason stays empty',
    run: async (rig) => {
      const { answer } = await roundTrip(rig, get('/'), 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n')
      assert.match(answer, /^HTTP\/1.1 200 \r\n/)
    },
  },
  {
    name: 'hop-by-hop headers and those that Connection names stay behind',
    run: async (rig) => {
      const { answer } = await roundTrip(
        rig,
        get('/'),
        'HTTP/1.1 200 OK\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nUpgrade: h2c\r\nProxy-Authenticate: x\r\nContent-Length: 0\r\nDate: D\r\n\r\n',
      )
      assert.equal(answer, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: D\r\nConnection: close\r\n\r\n')
    },
  },
  {
    name: 'redirects are not followed and encodings not undone',
    run: async (rig) => {
      const { answer } = await roundTrip(
        rig,
        get('/'),
        'HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x00',
      )
      assert.match(
        headOf(answer),
        /^HTTP\/1.1 302 Found\r\nLocation: http:\/\/x\/\r\nContent-Encoding: gzip\r\nContent-Length: 3/,
      )
      assert.equal(bodyOf(answer), '\x1f\x8b\x00')
    },
  },
  {
    name: 'HEAD keeps the length and has no body',
    run: async (rig) => {
      const { answer } = await roundTrip(
        rig,
        get('/').replace('GET', 'HEAD'),
        'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n',
      )
      assert.match(headOf(answer), /\r\nContent-Length: 5000/)
      assert.equal(bodyOf(answer), '')
    },
  },
  {
    name: 'HEAD of a chunked resource with a Trailer header',
    run: async (rig) => {
      const { answer } = await roundTrip(
        rig,
        get('/').replace('GET', 'HEAD'),
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n',
      )
      assert.match(answer, /^HTTP\/1.1 200 OK\r\n/)
      assert.equal(bodyOf(answer), '')
    },
  },
  {
    name: '204 and 304 have no body; 304 keeps its length',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => {
        await peer.head()
        peer.send('HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n')
        await peer.head()
        peer.send('HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: "x"\r\n\r\n')
        await peer.head()
        peer.send(OK)
      })
      await rig.front(target)
      const client = rig.client('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n')
      assert.doesNotMatch(await client.head(), /content-length|transfer-encoding/i)
      client.send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n')
      assert.match(await client.head(), /^HTTP\/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: "x"\r\n/)
      client.send(get('/3'))
      assert.ok((await client.rest()).endsWith('ok'))
      assert.equal(rig.upstreams.length, 1)
    },
  },
  {
    name: 'chunked response with extensions and trailers',
    run: async (rig) => {
      const { answer } = await roundTrip(
        rig,
        get('/'),
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n003;a="b"\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Sum: 9\r\nContent-Length: 4\r\n\r\n',
      )
      assert.match(headOf(answer), /\r\nTrailer: X-Sum/)
      assert.deepEqual(unchunk(bodyOf(answer)), { body: 'abc0123456789', trailers: 'X-Sum: 9\r\n' })
    },
  },
  {
    name: 'a response that ends with its connection',
    run: async (rig) => {
      const { answer } = await roundTrip(rig, get('/'), 'HTTP/1.0 200 OK\r\nX: y\r\n\r\nall of it')
      assert.match(bodyOf(answer), /^9\r\nall of it\r\n0\r\n\r\n$/)
    },
  },
  {
    name: 'an HTTP/1.0 client gets no chunks',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => {
        assert.match(await peer.head(), /^GET \/ HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n\r\n$/)
        peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n')
      })
      await rig.front(target)
      const client = rig.client('GET / HTTP/1.0\r\n\r\n')
      const answer = await client.rest()
      assert.doesNotMatch(answer, /transfer-encoding/i)
      assert.equal(bodyOf(answer), 'abc')
    },
  },
  {
    name: '103 and an unasked 100 before the response',
    run: async (rig) => {
      const early = 'HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\nX-Odd: 1\r\n\r\n'
      const { answer } = await roundTrip(
        rig,
        get('/'),
        `HTTP/1.1 100 Continue\r\n\r\n${early}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
      )
      assert.ok(answer.startsWith(`${early}HTTP/1.1 200 OK\r\n`), answer)
    },
  },
  {
    name: 'a 12 KB response head and a 20 KB request header pass',
    run: async (rig) => {
      const big = 'b'.repeat(12_000)
      const wide = 'w'.repeat(20_000)
      const { seen, answer } = await roundTrip(
        rig,
        get('/', `X-Wide: ${wide}`),
        `HTTP/1.1 200 OK\r\nX-Big: ${big}\r\nContent-Length: 2\r\n\r\nok`,
      )
      assert.ok(seen.includes(`X-Wide: ${wide}\r\n`))
      assert.ok(answer.includes(`X-Big: ${big}\r\n`))
    },
  },
  {
    name: 'headers that the server set before win over nothing and stay',
    run: async (rig) => {
      const { answer } = await roundTrip(
        rig,
        get('/'),
        'HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 2\r\n\r\nok',
        {
          before: (_inc, out) => void out.setHeader('X-Frame-Options', 'DENY'),
        },
      )
      assert.match(headOf(answer), /\r\nX-Frame-Options: DENY/)
      assert.match(headOf(answer), /x-a: 1/i)
      assert.match(headOf(answer), /x-a: 2/i)
      assert.equal(bodyOf(answer), 'ok')
    },
  },
  {
    name: "added response headers stand beside the target's",
    run: async (rig) => {
      const response = 'HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nDate: D\r\nContent-Length: 2\r\n\r\nok'
      const { answer } = await roundTrip(rig, get('/'), response, {
        relay: { addToResponse: [['X-Request-Id', 'r1']] },
      })
      assert.equal(
        answer,
        'HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nDate: D\r\nContent-Length: 2\r\nX-Request-Id: r1\r\nConnection: close\r\n\r\nok',
      )
    },
  },
  hostile(
    'Content-Length and Transfer-Encoding',
    'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nevil',
  ),
  hostile('two equal lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nevil'),
  hostile('a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 4, 4\r\n\r\nevil'),
  hostile('a signed length', 'HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nevil'),
  hostile('an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\nevil'),
  hostile('chunks from HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n'),
  hostile('a NUL in a value', 'HTTP/1.1 200 OK\r\nX-A: e\0vil\r\nContent-Length: 0\r\n\r\n'),
  hostile('a bare CR in a value', 'HTTP/1.1 200 OK\r\nX-A: 1\rX-Evil: 1\r\nContent-Length: 0\r\n\r\n'),
  hostile('bare LF line ends', 'HTTP/1.1 200 OK\nX-Evil: 1\nContent-Length: 0\r\n\r\n'),
  hostile('a folded header', 'HTTP/1.1 200 OK\r\nX-A: 1\r\n evil\r\nContent-Length: 0\r\n\r\n'),
  hostile('a space before the colon', 'HTTP/1.1 200 OK\r\nX-Evil : 1\r\nContent-Length: 0\r\n\r\n'),
  hostile('a line without a colon', 'HTTP/1.1 200 OK\r\nevil\r\nContent-Length: 0\r\n\r\n'),
  hostile('an empty name', 'HTTP/1.1 200 OK\r\n: evil\r\nContent-Length: 0\r\n\r\n'),
  hostile('not HTTP at all', 'SSH-2.0-evil\r\n\r\n'),
  hostile('HTTP/2 preface', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'),
  hostile('a status of four digits', 'HTTP/1.1 2000 evil\r\nContent-Length: 0\r\n\r\n'),
  hostile(
    'an unasked 101',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nevil',
  ),
  hostile('a head over the size limit', `HTTP/1.1 200 OK\r\nX-Evil: ${'x'.repeat(3000)}\r\nContent-Length: 0\r\n\r\n`, {
    maxHeadBytes: 2000,
  }),
  hostile('a head over the size limit, without an end', `HTTP/1.1 200 OK\r\nX-Evil: ${'x'.repeat(3000)}`, {
    maxHeadBytes: 2000,
  }),
  hostile('too many header lines', `HTTP/1.1 200 OK\r\n${'X-Evil: 1\r\n'.repeat(40)}Content-Length: 0\r\n\r\n`, {
    maxHeaders: 40,
  }),
  hostile('an empty answer', ''),
  {
    name: 'hostile response becomes 502: endless interim responses',
    run: async (rig) => {
      const { answer } = await roundTrip(rig, get('/'), 'HTTP/1.1 103 Again\r\n\r\n'.repeat(40))
      assert.match(answer, /^(HTTP\/1.1 103 Again\r\n\r\n){32}HTTP\/1.1 502 /)
    },
  },
  hostile('a faulty body in one piece with its head', `${CHUNKED}evil`),
  truncated('short of its length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', '12345'),
  truncated('between chunks', CHUNKED, '3\r\nabc\r\n'),
  truncated('before the last CRLF', CHUNKED, '3\r\nabc\r\n0\r\n'),
  truncated('chunk size with a sign', CHUNKED, '+3\r\nabc\r\n0\r\n\r\n'),
  truncated('chunk size with a prefix', CHUNKED, '0x3\r\nabc\r\n0\r\n\r\n'),
  truncated('chunk size with a space', CHUNKED, '3 \r\nabc\r\n0\r\n\r\n'),
  truncated('no chunk size', CHUNKED, '\r\nabc\r\n0\r\n\r\n'),
  truncated('chunk size beyond numbers', CHUNKED, 'fffffffffffffffff\r\nabc'),
  truncated('chunk longer than its size', CHUNKED, '2\r\nabc\r\n0\r\n\r\n'),
  truncated('bare LF behind a size', CHUNKED, '3\nabc\r\n0\r\n\r\n'),
  truncated('bare LF behind a chunk', CHUNKED, '3\r\nabc\n0\r\n\r\n'),
  truncated('control character in an extension', CHUNKED, '3;\x01\r\nabc\r\n0\r\n\r\n'),
  truncated('endless extension', CHUNKED, `3;${'x'.repeat(17_000)}\r\nabc\r\n0\r\n\r\n`),
  truncated('folded trailer', CHUNKED, '3\r\nabc\r\n0\r\nX: 1\r\n 2\r\n\r\n'),
]
