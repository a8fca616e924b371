/** Unix sockets on Deno, over a connection that this test plays: what is read, written, held and closed. */
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { connectOnDeno, type DenoSockets } from '../../src/platform/deno-sockets.ts'

interface Played {
  deno: DenoSockets
  written: string[]
  closes: number
  halfCloses: number
}

/** Gives one text for each read, then the end; takes three bytes for each write. */
function play(texts: string[]): Played {
  const left = [...texts]
  const played: Played = { written: [], closes: 0, halfCloses: 0, deno: undefined as never }
  const conn = {
    read: (buffer: Uint8Array): Promise<number | null> => {
      const text = left.shift()
      return Promise.resolve(text === undefined ? null : new TextEncoder().encodeInto(text, buffer).written)
    },
    write: (data: Uint8Array): Promise<number> => {
      const taken = data.subarray(0, 3)
      played.written.push(Buffer.from(taken).toString())
      return Promise.resolve(taken.length)
    },
    closeWrite: (): Promise<void> => {
      played.halfCloses += 1
      return Promise.resolve()
    },
    close: (): void => {
      played.closes += 1
    },
  }
  const listen = (): never => {
    throw new Error('nobody listens here')
  }
  played.deno = { connect: () => Promise.resolve(conn), listen }
  return played
}

describe('a unix socket on Deno', () => {
  test('what was read stays as it was, and a few bytes that wait hold no more than a few', async () => {
    const texts = Array.from({ length: 200 }, (_, index) => `line ${index}\n`)
    const socket = connectOnDeno(play(texts).deno, '/nowhere.sock')
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    await once(socket, 'end')
    expect(Buffer.concat(chunks).toString()).toBe(texts.join(''))
    const held = new Set(chunks.map(({ buffer }) => buffer))
    // Node cuts small buffers from common ones of 8 KB (64 KB in later versions); a room of its own for each were 12 MB.
    expect([...held].reduce((bytes, { byteLength }) => bytes + byteLength, 0)).toBeLessThan(1024 * 1024)
  })

  test('what the kernel does not take at once is written later, in its order', async () => {
    const played = play([])
    const socket = connectOnDeno(played.deno, '/nowhere.sock', true)
    socket.end('hello, world')
    await once(socket, 'finish')
    expect(played.written).toEqual(['hel', 'lo,', ' wo', 'rld'])
    expect(played.halfCloses).toBe(1)
  })

  test('its descriptor is closed once, whoever else destroys it', async () => {
    const played = play([])
    const socket = connectOnDeno(played.deno, '/nowhere.sock')
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.destroy()
    socket.destroy(new Error('again'))
    await turn()
    expect(played.closes).toBe(1)
  })

  test('who is not there is told as an error of the socket', async () => {
    const deno = { ...play([]).deno, connect: () => Promise.reject(new Error('No such file or directory')) }
    const socket = connectOnDeno(deno, '/nowhere.sock')
    const [error] = (await once(socket, 'error')) as [Error]
    expect(error.message).toBe('No such file or directory')
  })
})
