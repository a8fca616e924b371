/** Connections over time: reuse, loss, aborts, timeouts, pace. */
import assert from 'node:assert/strict'
import { OK, eventually, get, roundTrip } from './rig.ts'
import type { Case, Peer, Rig } from './rig.ts'

const KEEP = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** Answers every request on a connection with OK. */
async function serve(peer: Peer): Promise<void> {
  while (!peer.ended) {
    await eventually('a request or the end', () => peer.ended !== '' || peer.text.length > 0)
    if (peer.ended) return
    await peer.head().then(
      () => peer.send(OK),
      () => undefined,
    )
  }
}

/** Sends a request on a kept connection and waits for the complete answer. */
async function ask(client: Peer, request = KEEP): Promise<string> {
  client.send(request)
  const head = await client.head()
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
  const from = client.text.length
  await eventually('the body', () => client.received >= from && client.text.endsWith('ok') === (length === 2))
  if (length === 2) await client.until('ok')
  return head
}

const outcome = async (rig: Rig): Promise<Rig['outcomes'][number]> => {
  await eventually('an outcome', () => rig.outcomes.length > 0)
  const [first] = rig.outcomes
  assert.ok(first)
  return first
}

const upstreamClosed = (rig: Rig): Promise<void> =>
  eventually('upstream closed', () => rig.upstreams.length === 1 && rig.upstreams[0]?.ended !== '')

export const lifecycleCases: readonly Case[] = [
  {
    name: 'connections are reused and counted',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => {
        for (let i = 0; i < 3; i++) {
          await peer.head()
          peer.send(OK)
        }
      })
      await rig.front(target)
      const client = rig.client()
      for (let i = 0; i < 3; i++) assert.match(await ask(client), /^HTTP\/1.1 200 /)
      assert.deepEqual(rig.plane.stats(), {
        active: 0,
        idle: 1,
        targets: 1,
        requests: 3,
        upgrades: 0,
        opened: 1,
        retried: 0,
        failed: 0,
      })
      assert.deepEqual(rig.outcomes[0], { status: 200, bytesIn: 0, bytesOut: 2 })
    },
  },
  {
    name: 'pipelined requests are answered in order, whatever order they finish in',
    run: async (rig) => {
      const slow: { go: () => void } = { go: () => undefined }
      const target = await rig.upstream(async (peer) => {
        const head = await peer.head()
        const answer = `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${head.slice(4, 6)}`
        if (head.startsWith('GET /1')) slow.go = () => void peer.send(answer)
        else peer.send(answer)
      })
      await rig.front(target)
      const client = rig.client(KEEP.replace('/', '/1') + KEEP.replace('/', '/2') + get('/3'))
      await eventually('all three at the target', () => rig.outcomes.length === 2)
      slow.go()
      const bodies = (await client.rest()).match(/\/\d(?=HTTP|$)/g)
      assert.deepEqual(bodies, ['/1', '/2', '/3'])
    },
  },
  {
    name: 'a pipelined request behind a running one is dropped with its connection',
    run: async (rig) => {
      const target = await rig.upstream((peer) => void peer.head().catch(() => undefined))
      await rig.front(target)
      const client = rig.client(KEEP + KEEP)
      await eventually('both at the target', () => rig.upstreams.filter((peer) => peer.received > 0).length === 2)
      client.socket.destroy()
      await eventually('both given up', () => rig.plane.stats().active === 0)
      await eventually('both closed', () => rig.upstreams.every((peer) => peer.ended !== ''))
    },
  },
  {
    name: 'a kept connection that the target closed is replaced once, unseen by the client',
    run: async (rig) => {
      const target = await rig.upstream(async (peer, index) => {
        await peer.head()
        peer.send(OK)
        if (index > 0) return
        await peer.head()
        peer.socket.destroy()
      })
      await rig.front(target)
      const client = rig.client()
      await ask(client)
      assert.match(await ask(client), /^HTTP\/1.1 200 /)
      assert.equal(rig.plane.stats().retried, 1)
      assert.equal(rig.upstreams.length, 2)
    },
  },
  {
    name: 'no second attempt: POST, a request with a body, a started answer, a new connection',
    run: async (rig) => {
      const target = await rig.upstream(async (peer, index) => {
        await peer.head()
        if (index === 3) {
          peer.socket.destroy()
          return
        }
        peer.send(OK)
        await peer.head()
        if (index === 2) peer.send('HTTP/1.1 200 OK\r\n')
        peer.socket.end()
      })
      await rig.front(target)
      const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'
      const put = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx'
      for (const request of [post, put, KEEP]) {
        const client = rig.client()
        await ask(client)
        assert.match(await ask(client, request), /^HTTP\/1.1 502 /)
      }
      assert.match(await ask(rig.client()), /^HTTP\/1.1 502 /)
      assert.equal(rig.plane.stats().retried, 0)
    },
  },
  {
    name: 'extra bytes behind a response never reach the next request',
    run: async (rig) => {
      const target = await rig.upstream(async (peer, index) => {
        await peer.head()
        peer.send(index === 0 ? `${OK}HTTP/1.1 200 OK\r\nX-Evil: 1\r\nContent-Length: 0\r\n\r\n` : OK)
      })
      await rig.front(target)
      const client = rig.client()
      assert.doesNotMatch(await ask(client), /evil/i)
      assert.doesNotMatch(await ask(client), /evil/i)
      assert.equal(rig.upstreams.length, 2)
    },
  },
  {
    name: 'bytes on an idle connection close it',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => {
        await peer.head()
        peer.send(OK)
      })
      await rig.front(target)
      const client = rig.client()
      await ask(client)
      rig.upstreams[0]?.send('HTTP/1.1 200 OK\r\nX-Evil: 1\r\nContent-Length: 0\r\n\r\n')
      await eventually('no idle connection', () => rig.plane.stats().idle === 0)
      assert.doesNotMatch(await ask(client), /evil/i)
    },
  },
  {
    name: 'Connection: close and HTTP/1.0 targets are not kept; HTTP/1.0 with keep-alive is',
    run: async (rig) => {
      const answers = [
        'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
        'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
        'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok',
      ]
      const target = await rig.upstream(async (peer, index) => {
        await peer.head()
        peer.send(answers[index] ?? OK)
      })
      await rig.front(target)
      const client = rig.client()
      for (const idle of [0, 0, 1]) {
        await ask(client)
        assert.equal(rig.plane.stats().idle, idle)
      }
    },
  },
  {
    name: 'idle connections are evicted, sooner when the target says so',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => {
        await peer.head()
        peer.send('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok')
      })
      await rig.front(target, { settings: { idleSocketMs: 3_600_000 } })
      await ask(rig.client())
      assert.equal(rig.plane.stats().idle, 1)
      await eventually('evicted', () => rig.plane.stats().idle === 0)
      await upstreamClosed(rig)
      assert.equal(rig.plane.stats().targets, 0)
    },
  },
  {
    name: 'drop closes the idle connections of a target and keeps none after',
    run: async (rig) => {
      const target = await rig.upstream(serve)
      await rig.front(target)
      await ask(rig.client())
      rig.plane.drop(target)
      assert.equal(rig.plane.stats().idle, 0)
      await upstreamClosed(rig)
    },
  },
  {
    name: 'a refused connection is 502, for TCP and for a socket path',
    run: async (rig) => {
      await rig.front({ host: '127.0.0.1', port: 1 })
      assert.match(await ask(rig.client(), KEEP), /^HTTP\/1.1 502 /)
      assert.match(rig.outcomes[0]?.error ?? '', /^connect: connection failed: ECONNREFUSED$/)
      assert.equal(rig.outcomes[0]?.status, 502)
      await rig.front({ socketPath: '/nonexistent/relay.sock' })
      assert.match(await ask(rig.client(), KEEP), /^HTTP\/1.1 502 /)
      await rig.front({ host: '127.0.0.1', port: 70_000 })
      assert.match(await ask(rig.client(), KEEP), /^HTTP\/1.1 502 /)
    },
  },
  {
    name: 'a client that leaves before the answer takes the upstream connection with it',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => void (await peer.head()))
      await rig.front(target)
      const client = rig.client(KEEP)
      await eventually('request at the target', () => (rig.upstreams[0]?.received ?? 0) > 0)
      client.socket.destroy()
      await upstreamClosed(rig)
      assert.equal((await outcome(rig)).error, 'client closed the connection')
    },
  },
  {
    name: 'a client that leaves during the answer, or during its upload, too',
    run: async (rig) => {
      const target = await rig.upstream(async (peer, index) => {
        await peer.head()
        if (index === 0) peer.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome')
        else await peer.until('part')
      })
      await rig.front(target)
      const reader = rig.client(KEEP)
      await reader.until('some')
      reader.socket.destroy()
      await eventually('first closed', () => rig.upstreams[0]?.ended !== '')
      const writer = rig.client('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart')
      await eventually('part at the target', () => rig.upstreams[1]?.text.endsWith('part') ?? false)
      writer.socket.destroy()
      await eventually('second closed', () => rig.upstreams[1]?.ended !== '')
      await eventually('outcomes', () => rig.outcomes.length === 2)
      assert.equal(rig.plane.stats().active, 0)
    },
  },
  {
    name: 'a target that resets during a close-delimited body breaks the client off',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => {
        await peer.head()
        peer.send('HTTP/1.1 200 OK\r\n\r\nsome')
      })
      await rig.front(target)
      const client = rig.client(KEEP)
      await client.until('some')
      rig.upstreams[0]?.socket.resetAndDestroy()
      assert.doesNotMatch(await client.rest(), /\r\n0\r\n\r\n$/)
      assert.match((await outcome(rig)).error ?? '', /^aborted: /)
    },
  },
  {
    name: 'an early answer reaches a client that is still sending, and ends the connection',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => {
        await peer.head()
        peer.send('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nok')
      })
      await rig.front(target)
      const client = rig.client('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n')
      const piece = Buffer.alloc(65_536)
      const pump = (): void => {
        while (!client.ended && client.socket.writable && client.socket.write(piece));
      }
      client.socket.on('drain', pump)
      pump()
      const answer = await client.rest()
      assert.match(answer, /^HTTP\/1.1 413 Too Large\r\nContent-Length: 2\r\n[^]*\r\nConnection: close\r\n\r\nok$/)
    },
  },
  {
    name: 'a silent target is 504 after the idle timeout; a stream is broken off',
    run: async (rig) => {
      const target = await rig.upstream(async (peer, index) => {
        await peer.head()
        if (index === 1) peer.send('HTTP/1.1 200 OK\r\n\r\nsome')
      })
      await rig.front(target, { relay: { idleTimeoutMs: 60 } })
      assert.match(await ask(rig.client()), /^HTTP\/1.1 504 /)
      const client = rig.client(KEEP)
      await client.until('some')
      assert.doesNotMatch(await client.rest(), /0\r\n\r\n$/)
      assert.match(rig.outcomes[1]?.error ?? '', /^timeout: /)
    },
  },
  {
    name: 'server-sent events pass at once; silence is filled only between events',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => {
        await peer.head()
        peer.send(
          'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n',
        )
      })
      await rig.front(target, { relay: { sseKeepAliveMs: 30 } })
      const client = rig.client(KEEP)
      assert.match(await client.head(), /\r\nX-Accel-Buffering: no\r\n/)
      const [peer] = rig.upstreams
      await client.until('3\r\n:\n\n\r\n')
      peer?.send('8\r\ndata: on\r\n')
      await client.until('8\r\ndata: on\r\n')
      const before = client.received
      // Ten sweeps of 20 ms would have written several comments into the event.
      let sweeps = 0
      rig.outs[0]?.on('probe', () => sweeps++)
      const timer = setInterval(() => rig.outs[0]?.emit('probe'), 20)
      await eventually('ten sweeps', () => sweeps >= 10)
      clearInterval(timer)
      assert.equal(client.received, before)
      peer?.send('3\r\ne\n\n\r\n')
      await client.until('3\r\ne\n\n\r\n')
      await client.until('3\r\n:\n\n\r\n')
      peer?.send('0\r\n\r\n')
      await client.until('0\r\n\r\n')
    },
  },
  {
    name: 'an event stream with a length or an encoding is left alone',
    run: async (rig) => {
      const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n'
      const { answer } = await roundTrip(rig, get('/'), `${head}Content-Encoding: br\r\nContent-Length: 2\r\n\r\nok`)
      assert.doesNotMatch(answer, /accel/i)
    },
  },
  {
    name: 'close ends what is running and closes every socket',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => void (await peer.head()))
      await rig.front(target)
      const client = rig.client(KEEP)
      await eventually('request at the target', () => (rig.upstreams[0]?.received ?? 0) > 0)
      await rig.plane.close()
      assert.match(await client.head(), /^HTTP\/1.1 502 /)
      await upstreamClosed(rig)
      assert.match(await ask(rig.client()), /^HTTP\/1.1 502 /)
    },
  },
]
