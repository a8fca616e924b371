/**
 * A real terminal in a container. The engine makes it: over its API, a terminal costs no process on the host. Where no API
 * can be had, the engine's CLI runs in a pseudo-terminal of the host.
 */
import { PloinkyError } from '../../src/core/error.ts'
import { revealed, type MaybeSecret } from '../../src/core/secret.ts'
import type { Duplex } from '../../src/platform/index.ts'
import type { TtyOptions, TtySession } from '../adapter.ts'
import type { EngineApi } from './api.ts'
import { bufferBytes } from './bytes.ts'
import type { Containers } from './containers.ts'
import type { Engine } from './dialect.ts'
import { planEnvironment } from './environment.ts'
import { DETACH_KEYS, execArgs } from './oci.ts'
import { checkAborted } from './signals.ts'
import { sweep, TAG } from './sweep.ts'
import { createExecClient, type ExecClient } from './terminal-api.ts'
import { createRepeatedSizing, waitForSize, type Sizing } from './terminal-size.ts'

export interface TerminalParts {
  readonly containerId: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, MaybeSecret>>
  readonly tag: string
  readonly size: { cols: number; rows: number }
  readonly cwd: string | undefined
}

/** What a way of making a terminal gives; the session around it is the same for all. */
interface RawTerminal {
  unwritten?(): number
  readonly output: AsyncIterable<Uint8Array>
  write(data: Uint8Array): void
  resize(cols: number, rows: number): Promise<void>
  /** Exit code, when the program has ended or the container is gone. */
  readonly closed: Promise<number>
  /** Lets go of the program without ending it. */
  drop(): void
}

const MAX_CELLS = 10_000

function checkSize(cols: number, rows: number): { cols: number; rows: number } {
  const good = (n: number): boolean => Number.isInteger(n) && n > 0 && n <= MAX_CELLS
  if (good(cols) && good(rows)) return { cols, rows }
  throw new PloinkyError('REQUEST_INVALID', `Invalid terminal size: ${cols} x ${rows}`, {
    hint: `Use whole numbers from 1 to ${MAX_CELLS}`,
  })
}

export function createTerminals(engine: Engine, containers: Containers, api: () => Promise<EngineApi | null>) {
  async function open(parts: TerminalParts): Promise<RawTerminal> {
    const socket = await api()
    if (socket !== null) {
      try {
        return await overApi(engine, createExecClient(engine, socket), parts)
      } catch (error) {
        if (error instanceof PloinkyError && error.code !== 'RUNTIME_UNAVAILABLE') throw error
        engine.log.debug('no terminal over the API, trying the CLI', { error })
      }
    }
    return inPty(engine, parts)
  }

  return async function openTty(name: string, argv: readonly string[], options: TtyOptions): Promise<TtySession> {
    checkAborted(options.signal)
    const size = checkSize(options.cols, options.rows)
    const container = await containers.running(name, options)
    const tag = options.tag ?? engine.platform.hash.randomToken(12)
    const env = { TERM: 'xterm-256color', COLORTERM: 'truecolor', ...options.env, [TAG]: tag }
    const raw = await open({ containerId: container.id, argv, env, tag, size, cwd: options.cwd })
    return session(engine, { raw, signal: options.signal, containerId: container.id, tag })
  }
}

interface SessionParts {
  readonly raw: RawTerminal
  readonly signal: AbortSignal | undefined
  readonly containerId: string
  readonly tag: string
}

function session(engine: Engine, { raw, signal, containerId, tag }: SessionParts): TtySession {
  const output = bufferBytes(raw.output)
  let ended = false
  let killing: Promise<void> | undefined
  const kill = (): Promise<void> => {
    if (ended) return Promise.resolve()
    // From here on nobody may hold the program back: an unread terminal blocks the engine's other attached programs.
    output.discard()
    killing ??= sweep(engine, { name: containerId, tag, signal: 'HUP' }).then(() => raw.drop())
    return killing
  }
  const onAbort = (): void => void kill().catch(() => {})
  const forget = engine.track(kill)
  const closed = raw.closed.finally(() => {
    ended = true
    forget()
    signal?.removeEventListener('abort', onAbort)
  })
  closed.catch(() => {})
  if (signal?.aborted) onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })
  return {
    output: output.bytes,
    get unwritten() {
      return raw.unwritten?.() ?? 0
    },
    write: (data) => {
      if (!ended) raw.write(data)
    },
    async resize(cols, rows) {
      const size = checkSize(cols, rows)
      if (!ended) await raw.resize(size.cols, size.rows)
    },
    closed,
    kill,
  }
}

async function overApi(engine: Engine, client: ExecClient, parts: TerminalParts): Promise<RawTerminal> {
  const id = await client.create({
    containerId: parts.containerId,
    body: {
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
      DetachKeys: DETACH_KEYS,
      Env: Object.entries(parts.env).map(([key, value]) => `${key}=${revealed(value)}`),
      Cmd: await client.sizedArgv(parts.argv),
      ConsoleSize: [parts.size.rows, parts.size.cols],
      ...(parts.cwd === undefined ? {} : { WorkingDir: parts.cwd }),
    },
  })
  const stream = await client.start(id, parts.size)
  // Not awaited before the stream has its listeners: what the program prints first must not be lost.
  const gone = new Promise<void>((resolve) => {
    stream.once('close', resolve)
    stream.once('end', resolve)
    stream.on('error', () => resolve())
  })
  const sizing = sizingOf(engine, (cols, rows) => client.resize(id, cols, rows))
  void gone.then(sizing.stop)
  const resized = client.resize(id, parts.size.cols, parts.size.rows)
  const raw: RawTerminal = {
    output: readable(stream),
    write: (data) => {
      if (!stream.destroyed && stream.writable) stream.write(data)
    },
    unwritten: () => stream.writableLength,
    resize: sizing.resize,
    closed: gone.then(() => client.exitCode(id)),
    drop: () => void stream.destroy(),
  }
  await resized
  return raw
}

function sizingOf(engine: Engine, send: Sizing['resize']): Sizing {
  return engine.dialect.losesTerminalSizes ? createRepeatedSizing(send) : { resize: send, stop: () => {} }
}

/** A connection that is cut ends the output; the exit code tells what happened. */
async function* readable(stream: Duplex): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk as Uint8Array
  } catch {
    // Reset by the engine: the same as an end.
  }
}

/** The engine's CLI in a pseudo-terminal of this host: one process a session, but needs no API. */
async function inPty(engine: Engine, parts: TerminalParts): Promise<RawTerminal> {
  const pty = await engine.platform.pty()
  if (pty === null) {
    throw new PloinkyError('CAPABILITY_UNSUPPORTED', `${engine.dialect.displayName} cannot give a terminal here`, {
      hint: 'Make the API socket of the engine reachable, or install the optional package "@lydell/node-pty"',
    })
  }
  const environment = planEnvironment(parts.env, { allowFile: false })
  const args = execArgs(parts.containerId, waitForSize(parts.argv), {
    stdin: true,
    tty: true,
    environment,
    envFile: null,
    cwd: parts.cwd,
  })
  const child = pty(engine.spec(args, environment.env), parts.size)
  return {
    output: child.output,
    write: (data) => child.write(data),
    async resize(cols, rows) {
      child.resize(cols, rows)
    },
    closed: child.exit,
    drop: () => child.kill('SIGKILL'),
  }
}
