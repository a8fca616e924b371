/** A program of the fake: a function that is given what a process is given, and ends with an exit code. */
import type { IncomingMessage, ServerResponse } from '../../src/platform/index.ts'
import { createByteChannel, type ByteChannel } from './channel.ts'

export type FakeSignal = 'SIGTERM' | 'SIGKILL' | 'SIGINT' | 'SIGHUP'
/** What the shell reports for a program that a signal ended: 128 + the number of the signal. */
const SIGNAL_EXIT: Record<FakeSignal, number> = { SIGHUP: 129, SIGINT: 130, SIGKILL: 137, SIGTERM: 143 }

export interface FakeTerminal {
  readonly cols: number
  readonly rows: number
  /** Without it the terminal echoes, edits lines and turns Ctrl-C into SIGINT. */
  raw: boolean
}

export interface FakeProcess {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly stdin: AsyncIterable<Uint8Array>
  /** Aborts when the program was ended by a signal: long waits take it. */
  readonly ended: AbortSignal
  readonly terminal: FakeTerminal | null
  /** Files of the instance, shared by its programs and gone with it. */
  readonly files: Map<string, string>
  /** Resolves when there is room for more. */
  out(data: string | Uint8Array): Promise<void>
  err(data: string | Uint8Array): Promise<void>
  /** Takes over a signal: its default action, the end of the program, does not happen. SIGKILL cannot be taken. */
  on(signal: Exclude<FakeSignal, 'SIGKILL'>, handler: () => void): void
  /** Ends the program from within a handler. */
  exit(code: number): void
  /** Answers HTTP on a published port of the instance. */
  serve(port: number, handler: (request: IncomingMessage, response: ServerResponse) => void): void
}

export type FakeProgram = (process: FakeProcess) => Promise<number> | number
/** By the first word of a command line, without its folder. */
export type FakePrograms = Readonly<Record<string, FakeProgram>>

export interface FakeExecution {
  readonly stdout: ByteChannel
  readonly stderr: ByteChannel
  readonly exit: Promise<number>
  signal(name: FakeSignal): void
}

export interface ProgramInit extends Pick<FakeProcess, 'argv' | 'env' | 'cwd' | 'stdin' | 'files' | 'serve'> {
  readonly terminal?: FakeTerminal
}

const bytesOf = (data: string | Uint8Array): Uint8Array =>
  typeof data === 'string' ? new TextEncoder().encode(data) : data

export function startProgram(program: FakeProgram, init: ProgramInit): FakeExecution {
  const stdout = createByteChannel()
  const stderr = createByteChannel()
  const handlers = new Map<FakeSignal, () => void>()
  const controller = new AbortController()
  let finish = (_code: number): void => {}
  const exit = new Promise<number>((resolve) => {
    finish = (code) => {
      if (controller.signal.aborted) return
      stdout.close()
      stderr.close()
      controller.abort()
      resolve(code & 0xff)
    }
  })
  const write = async (channel: ByteChannel, data: string | Uint8Array): Promise<void> => {
    await channel.write(bytesOf(data))
    // A dead program writes no more: it unwinds here, and its exit code is already decided.
    controller.signal.throwIfAborted()
  }
  const process: FakeProcess = {
    ...init,
    terminal: init.terminal ?? null,
    ended: controller.signal,
    out: (data) => write(stdout, data),
    err: (data) => write(stderr, data),
    on: (signal, handler) => void handlers.set(signal, handler),
    exit: finish,
  }
  void Promise.resolve()
    .then(() => program(process))
    .then(finish, async (error: unknown) => {
      if (controller.signal.aborted) return
      await stderr.write(bytesOf(`${error instanceof Error ? error.message : String(error)}\n`))
      finish(1)
    })
  return {
    stdout,
    stderr,
    exit,
    signal(name) {
      const handler = handlers.get(name)
      if (name !== 'SIGKILL' && handler !== undefined) handler()
      else finish(SIGNAL_EXIT[name])
    },
  }
}
