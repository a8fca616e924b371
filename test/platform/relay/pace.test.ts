import { expect, test, vi } from 'vitest'
import { Rig, eventually } from './rig.ts'
import type { Peer } from './rig.ts'

// 128 MB through two sockets each, on a machine that may be busy with other things.
vi.setConfig({ testTimeout: 60_000 })
const DEADLINE_MS = 50_000

const TOTAL = 128 * 1024 * 1024
const PIECE = Buffer.alloc(65_536, 97)

/** Writes as fast as the other side takes it. */
function pump(peer: Peer, total: number): { sent: () => number } {
  let written = 0
  const more = (): void => {
    while (written < total && peer.socket.writable) {
      written += PIECE.length
      if (!peer.socket.write(PIECE)) return
    }
  }
  peer.socket.on('drain', more)
  more()
  return { sent: () => written }
}

/** Waits until a value has stopped changing for a while, and returns it. */
async function settled(read: () => number): Promise<number> {
  let last = -1
  let same = 0
  await eventually(
    'standstill',
    () => {
      const now = read()
      same = now === last ? same + 1 : 0
      last = now
      return same >= 50
    },
    DEADLINE_MS,
  )
  return last
}

async function inRig(run: (rig: Rig) => Promise<void>): Promise<void> {
  const rig = new Rig()
  try {
    await run(rig)
  } finally {
    await rig.close()
  }
}

test('a client that does not read stops the target; then everything arrives', () =>
  inRig(async (rig) => {
    let flow: ReturnType<typeof pump> | undefined
    const target = await rig.upstream(async (peer) => {
      await peer.head()
      peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${TOTAL}\r\n\r\n`)
      flow = pump(peer, TOTAL)
    })
    await rig.front(target)
    const client = rig.client()
    client.socket.pause()
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually('flow', () => flow !== undefined)
    expect(await settled(() => flow?.sent() ?? 0)).toBeLessThan(TOTAL / 2)
    // What the relay itself holds: the rest is in the kernel's buffers.
    expect(rig.outs[0]?.writableLength).toBeLessThan(1024 * 1024)
    client.socket.resume()
    await eventually('everything', () => client.received > TOTAL, DEADLINE_MS)
    await eventually('an outcome', () => rig.outcomes.length === 1)
    expect(rig.outcomes[0]).toEqual({ status: 200, bytesIn: 0, bytesOut: TOTAL })
  }))

test('a target that does not read stops the client; then everything arrives', () =>
  inRig(async (rig) => {
    const target = await rig.upstream((peer) => void peer.socket.pause())
    await rig.front(target)
    const client = rig.client(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${TOTAL}\r\n\r\n`)
    const flow = pump(client, TOTAL)
    expect(await settled(flow.sent)).toBeLessThan(TOTAL / 2)
    const [peer] = rig.upstreams
    peer?.socket.resume()
    await eventually('everything', () => (peer?.received ?? 0) > TOTAL, DEADLINE_MS)
    peer?.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    await client.until('ok')
    await eventually('an outcome', () => rig.outcomes.length === 1)
    expect(rig.outcomes[0]).toEqual({ status: 200, bytesIn: TOTAL, bytesOut: 2 })
  }))

test('a spliced connection keeps both paces', () =>
  inRig(async (rig) => {
    let flow: ReturnType<typeof pump> | undefined
    const target = await rig.upstream(async (peer) => {
      await peer.head()
      peer.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
      flow = pump(peer, TOTAL)
    })
    await rig.front(target)
    const client = rig.client('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    await client.head()
    client.socket.pause()
    expect(await settled(() => flow?.sent() ?? 0)).toBeLessThan(TOTAL / 2)
    client.socket.resume()
    await eventually('everything', () => client.received > TOTAL, DEADLINE_MS)
  }))
