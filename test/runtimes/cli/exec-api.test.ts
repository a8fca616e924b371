/** Programs over the engine's API: frames of any size and cut come out as two outputs, and unread output holds the engine back. */
import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { EngineApi } from '../../../runtimes/cli/api.ts'
import type { Engine } from '../../../runtimes/cli/dialect.ts'
import { startOverApi } from '../../../runtimes/cli/exec-api.ts'
import { silentLogger } from '../../../src/core/log.ts'
import { eventually } from '../../helpers/eventually.ts'

function frame(output: 1 | 2, text: string): Buffer {
  const body = Buffer.from(text)
  const head = Buffer.from([output, 0, 0, 0, 0, 0, 0, 0])
  head.writeUInt32BE(body.length, 4)
  return Buffer.concat([head, body])
}

function setUp() {
  const written: Buffer[] = []
  const state = { ended: false }
  const stream = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk)
      done()
    },
    final: (done) => {
      state.ended = true
      done()
    },
  })
  const asked: unknown[] = []
  const api: EngineApi = {
    socket: '/nowhere',
    call: async (method, path, options) => {
      asked.push(options?.body)
      return method === 'POST'
        ? { status: 201, body: '{"Id":"e1"}' }
        : { status: 200, body: JSON.stringify({ Running: false, ExitCode: 7, path }) }
    },
    follow: async () => null,
    transfer: async () => {
      throw new Error('not of a program')
    },
    hijack: async () => stream,
  }
  const engine = { dialect: { id: 'docker', displayName: 'Docker' }, log: silentLogger } as unknown as Engine
  const start = (stdin: AsyncIterable<Uint8Array>) =>
    startOverApi(engine, api, {
      containerId: 'c',
      argv: ['x'],
      env: { A: 'b' },
      stdin,
      cwd: undefined,
      user: undefined,
    })
  return { stream, written, state, asked, start }
}

async function textOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const nothing = async function* (): AsyncGenerator<Uint8Array> {}

describe('a program over the API', () => {
  it.each([1, 2, 3, 7, 8, 9, 1000])('has two outputs, however its frames are cut: %i bytes at a time', async (size) => {
    const { stream, start, asked } = setUp()
    const child = await start(nothing())
    const bytes = Buffer.concat([frame(1, 'one '), frame(2, 'error'), frame(1, ''), frame(1, 'twö'), frame(2, '!')])
    for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size))
    stream.push(null)
    expect(await Promise.all([textOf(child.stdout), textOf(child.stderr), child.exit])).toEqual([
      'one twö',
      'error!',
      7,
    ])
    expect(asked[0]).toMatchObject({ Cmd: ['x'], Env: ['A=b'], Tty: false, AttachStdin: true })
  })

  it('is given its input, and the end of it', async () => {
    const { written, state, start } = setUp()
    await start(
      (async function* () {
        yield Buffer.from('a')
        yield Buffer.from('b')
      })(),
    )
    await eventually(() => expect(state.ended).toBe(true))
    expect(Buffer.concat(written).toString()).toBe('ab')
  })

  it('that nobody reads is held back, and goes on when somebody does', async () => {
    const { stream, start } = setUp()
    const child = await start(nothing())
    const part = frame(1, 'x'.repeat(64 * 1024))
    let pushed = 0
    const fill = (): void => {
      for (; pushed < 64 && !stream.isPaused(); pushed++) stream.push(part)
      if (pushed === 64) stream.push(null)
    }
    stream.on('data', () => setImmediate(fill))
    stream.on('resume', () => setImmediate(fill))
    fill()
    await eventually(() => expect(stream.isPaused()).toBe(true))
    expect((await textOf(child.stdout)).length).toBe(64 * 64 * 1024)
  })
})
