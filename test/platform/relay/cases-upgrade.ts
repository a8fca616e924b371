/** Upgrades: agreed, refused, broken. */
import assert from 'node:assert/strict'
import { OK, eventually } from './rig.ts'
import type { Case } from './rig.ts'

const ASK =
  'GET /ws?x=%2F HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k==\r\nSec-WebSocket-Protocol: p\r\nAuthorization: secret\r\n\r\n'
const AGREED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: a\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n'

const OFFER = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'

export const upgradeCases: readonly Case[] = [
  {
    name: 'an agreed upgrade is spliced byte for byte, early bytes included',
    run: async (rig) => {
      let seen = ''
      const target = await rig.upstream(async (peer) => {
        seen = await peer.head()
        peer.send(`${AGREED}server first`)
        await peer.until('client early')
        await peer.until('client later')
        peer.send('\0\x01\xff').socket.end()
      })
      await rig.front(target, { relay: { strip: new Set(['authorization']) } })
      const client = rig.client(`${ASK}client early`)
      const head = await client.head()
      assert.equal(
        head,
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: a\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
      )
      await client.until('server first')
      client.send('client later')
      assert.equal(await client.rest(), '\0\x01\xff')
      client.socket.end()
      assert.equal(
        seen,
        'GET /ws?x=%2F HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: k==\r\nSec-WebSocket-Protocol: p\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      )
      await eventually('an outcome', () => rig.outcomes.length === 1)
      assert.deepEqual(rig.outcomes[0], { status: 101, bytesIn: 24, bytesOut: 15 })
    },
  },
  {
    name: 'a refused upgrade is relayed and ends the connection',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => {
        await peer.head()
        peer.send('HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n')
      })
      await rig.front(target)
      const client = rig.client(`${ASK}GET /unrouted HTTP/1.1\r\nHost: a\r\n\r\n`)
      const answer = await client.rest()
      assert.match(answer, /^HTTP\/1.1 403 No\r\n[^]*\r\nConnection: close\r\n[^]*\r\n\r\n2\r\nno\r\n0\r\n\r\n$/)
      assert.equal(rig.upstreams[0]?.text.includes('unrouted'), false)
      assert.deepEqual(rig.outcomes[0], { status: 403, bytesIn: 0, bytesOut: 2 })
    },
  },
  {
    name: 'a large refusal keeps its pace and arrives whole',
    run: async (rig) => {
      const size = 8 * 1024 * 1024
      const target = await rig.upstream(async (peer) => {
        await peer.head()
        peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`).send(Buffer.alloc(size, 120))
      })
      await rig.front(target)
      const client = rig.client(ASK)
      const head = await client.head()
      await client.rest()
      assert.equal(client.received, head.length + size)
    },
  },
  {
    name: 'a target that cannot be reached, or speaks nonsense, is an error response',
    run: async (rig) => {
      await rig.front({ host: '127.0.0.1', port: 1 })
      assert.match(await rig.client(ASK).rest(), /^HTTP\/1.1 502 /)
      const target = await rig.upstream(async (peer) => {
        await peer.head()
        peer.send('HTTP/1.1 101 Ok\r\nUpgrade: something-else\r\nConnection: Upgrade\r\n\r\n')
      })
      await rig.front(target)
      assert.match(await rig.client(ASK).rest(), /^HTTP\/1.1 502 /)
    },
  },
  {
    name: 'a protocol that is not on the list is not spliced past the router',
    run: async (rig) => {
      const target = await rig.upstream(() => undefined)
      await rig.front(target, { relay: { upgrades: new Set(['other']) } })
      assert.match(await rig.client(ASK).rest(), /^HTTP\/1.1 400 /)
      assert.equal(rig.upstreams.length, 0)
    },
  },
  {
    name: 'either side may finish first; a lost side takes the other along',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => {
        await peer.head()
        peer.send(AGREED)
      })
      await rig.front(target)
      const first = rig.client(ASK)
      await first.head()
      first.send('bye').socket.end()
      await eventually('FIN at the target', () => rig.upstreams[0]?.ended === 'fin')
      rig.upstreams[0]?.send('still here').socket.end()
      assert.equal(await first.rest(), 'still here')
      const second = rig.client(ASK)
      await second.head()
      rig.upstreams[1]?.socket.resetAndDestroy()
      await eventually('second client ended', () => second.ended !== '')
      const third = rig.client(ASK)
      await third.head()
      third.socket.resetAndDestroy()
      await eventually('third target ended', () => rig.upstreams[2]?.ended !== '')
      await eventually('nothing active', () => rig.plane.stats().active === 0)
      assert.equal(rig.outcomes.length, 3)
    },
  },
  {
    name: 'a client that leaves while it waits takes the upstream connection with it',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => void (await peer.head()))
      await rig.front(target)
      const client = rig.client(ASK)
      await eventually('request at the target', () => (rig.upstreams[0]?.received ?? 0) > 0)
      client.socket.destroy()
      await eventually('upstream closed', () => rig.upstreams[0]?.ended !== '')
      assert.equal(rig.outcomes[0]?.error, 'client closed the connection')
    },
  },
  {
    name: 'an idle splice is closed by the idle timeout',
    run: async (rig) => {
      const target = await rig.upstream(async (peer) => {
        await peer.head()
        peer.send(AGREED)
      })
      await rig.front(target, { relay: { idleTimeoutMs: 60 } })
      const client = rig.client(ASK)
      await client.head()
      await client.rest()
      assert.match(rig.outcomes[0]?.error ?? '', /^timeout: /)
    },
  },
  {
    name: 'an offer of another protocol is ignored: an ordinary request, its body, a connection to keep',
    run: async (rig) => {
      const seen: string[] = []
      const target = await rig.upstream(async (peer) => {
        seen.push(await peer.until('somebody'))
        peer.send(OK)
        for (let i = 0; i < 2; i++) {
          seen.push(await peer.head())
          peer.send(OK)
        }
      })
      await rig.front(target)
      const client = rig.client(`POST /a HTTP/1.1\r\nHost: a\r\n${OFFER}Content-Length: 8\r\nX-L: \xe9\r\n\r\nsome`)
      client.send('body')
      await client.until('ok')
      client.send(`GET /b HTTP/1.1\r\nHost: a\r\n${OFFER}\r\n`)
      await client.until('ok')
      client.send('GET /c HTTP/1.1\r\nHost: a\r\n\r\n')
      await client.until('ok')
      assert.deepEqual(seen, [
        'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\nX-L: \xe9\r\n\r\nsomebody',
        'GET /b HTTP/1.1\r\nHost: a\r\n\r\n',
        'GET /c HTTP/1.1\r\nHost: a\r\n\r\n',
      ])
    },
  },
]
