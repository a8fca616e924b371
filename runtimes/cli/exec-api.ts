/**
 * A program in a container over the engine's API. For conversations that go on for long: messages take no way through another
 * process of this host, and each costs a fraction of what it costs through the engine's command line.
 */
import { revealed, type MaybeSecret } from '../../src/core/secret.ts'
import type { RunningProcess } from '../../src/core/process.ts'
import type { Duplex } from '../../src/platform/index.ts'
import type { EngineApi } from './api.ts'
import type { Engine } from './dialect.ts'
import { createExecClient } from './terminal-api.ts'

export interface ApiExecParts {
  readonly containerId: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, MaybeSecret>>
  readonly stdin: AsyncIterable<Uint8Array>
  readonly cwd: string | undefined
  readonly user: string | undefined
}

/** Rejects when the engine does not start the program; nothing of `stdin` was read then. */
export async function startOverApi(engine: Engine, api: EngineApi, parts: ApiExecParts): Promise<RunningProcess> {
  const client = createExecClient(engine, api)
  const id = await client.create({
    containerId: parts.containerId,
    body: {
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
      Env: Object.entries(parts.env).map(([key, value]) => `${key}=${revealed(value)}`),
      Cmd: parts.argv,
      ...(parts.cwd === undefined ? {} : { WorkingDir: parts.cwd }),
      ...(parts.user === undefined ? {} : { User: parts.user }),
    },
  })
  const stream = await client.attach(id)
  const outputs = separate(stream)
  const closed = new Promise<void>((resolve) => {
    for (const event of ['close', 'end']) stream.once(event, () => resolve())
    stream.on('error', () => resolve())
  })
  feed(stream, parts.stdin, closed).catch((error: unknown) => engine.log.debug('input of a program ended', { error }))
  return {
    pid: -1,
    ...outputs,
    exit: closed.then(() => client.exitCode(id)),
    kill: () => void stream.destroy(),
  }
}

/** Writes as fast as the program reads, then ends its input. */
async function feed(stream: Duplex, stdin: AsyncIterable<Uint8Array>, closed: Promise<void>): Promise<void> {
  for await (const chunk of stdin) {
    if (stream.destroyed || !stream.writable) return
    if (stream.write(chunk)) continue
    await Promise.race([new Promise<void>((resolve) => stream.once('drain', resolve)), closed])
  }
  stream.end()
}

const HEADER_BYTES = 8
/** Of a frame's header: which output it is of; the others carry standard output. */
const STDERR = 2
/** Held for one of the two readers before the connection is held back. */
const HIGH_WATER_BYTES = 256 * 1024

interface Output extends AsyncIterable<Uint8Array> {
  push(chunk: Uint8Array): void
  end(): void
  readonly isFull: boolean
}

function createOutput(onRead: () => void): Output {
  const waiting: Uint8Array[] = []
  let size = 0
  let ended = false
  let wake = (): void => {}
  async function* read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = waiting.shift()
      if (chunk !== undefined) {
        size -= chunk.byteLength
        onRead()
        yield chunk
      } else if (ended) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  const reader = read()
  return {
    push(chunk) {
      waiting.push(chunk)
      size += chunk.byteLength
      wake()
    },
    end() {
      ended = true
      wake()
    },
    get isFull() {
      return size > HIGH_WATER_BYTES
    },
    [Symbol.asyncIterator]: () => reader,
  }
}

/** The engine sends both outputs in frames on one stream; an unread one holds the other back as well. */
function separate(stream: Duplex): { stdout: AsyncIterable<Uint8Array>; stderr: AsyncIterable<Uint8Array> } {
  const resume = (): void => {
    if (!stdout.isFull && !stderr.isFull) stream.resume()
  }
  const stdout = createOutput(resume)
  const stderr = createOutput(resume)
  let header: Buffer = Buffer.alloc(0)
  let left = 0
  let to = stdout
  stream.on('data', (chunk: Buffer) => {
    let rest = chunk
    while (rest.length > 0) {
      if (left > 0) {
        to.push(rest.subarray(0, left))
        const taken = Math.min(left, rest.length)
        left -= taken
        rest = rest.subarray(taken)
        continue
      }
      const missing = HEADER_BYTES - header.length
      header = header.length === 0 ? rest.subarray(0, missing) : Buffer.concat([header, rest.subarray(0, missing)])
      rest = rest.subarray(missing)
      if (header.length < HEADER_BYTES) break
      to = header[0] === STDERR ? stderr : stdout
      left = header.readUInt32BE(4)
      header = Buffer.alloc(0)
    }
    if (stdout.isFull || stderr.isFull) stream.pause()
  })
  const end = (): void => {
    stdout.end()
    stderr.end()
  }
  for (const event of ['end', 'close', 'error']) stream.once(event, end)
  stream.resume()
  return { stdout, stderr }
}
