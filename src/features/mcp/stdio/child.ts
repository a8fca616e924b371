/** A program that speaks MCP on its standard streams, inside an agent: lines in, lines out, and an end that leaves nothing. */
import type { Logger } from '../../../core/log.ts'
import type { ExecSession } from '../../../../runtimes/adapter.ts'
import { endOf } from '../../agents/index.ts'
import { createInput } from './input.ts'
import { createLineReader } from './lines.ts'
import { readMessage, type Message } from './message.ts'
import { createQuietLog } from './quiet-log.ts'

/** For a program to end by itself when its input has ended. */
const GRACE_MS = 2000

export interface ChildOptions {
  /** Starts the program with this standard input. */
  start(stdin: AsyncIterable<Uint8Array>): Promise<ExecSession>
  /** Longest message, in bytes. */
  readonly limit: number
  readonly log: Logger
  /** A message, and the bytes of it; what it returns is waited for before more is read. */
  onMessage(message: Message, line: Buffer): Promise<void> | undefined
  /** Once, when nothing will come any more: why, as part of a sentence. */
  onEnd(why: string): void
}

export interface Child {
  /** Queued until the program reads it. */
  send(line: Uint8Array): void
  /** Null when there is room for more, otherwise resolves when there is. */
  room(): Promise<void> | null
  /** Ends the program and what it started; resolves when it is gone. */
  end(): Promise<void>
}

/** Rejects when the program cannot be started. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const input = createInput()
  const session = await options.start(input.bytes)
  const child = supervise(session, input, options)
  return child
}

function supervise(session: ExecSession, input: ReturnType<typeof createInput>, options: ChildOptions): Child {
  const quiet = createQuietLog(options.log)
  const lines = createLineReader(options.limit)
  let over = false
  let ending: Promise<void> | null = null

  function finish(why: string): void {
    if (over) return
    over = true
    options.onEnd(why)
  }

  function take(line: Buffer): Promise<void> | undefined {
    const message = messageOf(line)
    if (message !== null) return options.onMessage(message, line)
    if (line.length > 0) quiet.line('the program printed something that is no message', line.toString('utf8', 0, 1000))
    return undefined
  }

  async function read(): Promise<void> {
    for await (const chunk of session.stdout) {
      // After the end output is read on and thrown away: a program that is to end must not be held back by it.
      if (over) continue
      for (const line of lines.take(chunk)) {
        const held = take(line)
        if (held !== undefined) await held
        if (over) break
      }
    }
  }

  async function readErrors(): Promise<void> {
    const reader = createLineReader(64 * 1024)
    for await (const chunk of session.stderr) {
      try {
        for (const line of reader.take(chunk)) if (line.length > 0) quiet.line('stderr', line.toString('utf8', 0, 4000))
      } catch {
        quiet.line('stderr', '(a line too long to be kept)')
      }
    }
  }

  async function end(): Promise<void> {
    input.end()
    finish('it was ended')
    await endOf(session, GRACE_MS)
  }

  const child: Child = {
    send: (line) => input.push(line),
    room: () => input.room(),
    end: () => (ending ??= end()),
  }

  const reading = read().then(
    () => 'it closed its output',
    (error: unknown) => {
      const tooLong = error instanceof RangeError
      options.log.warn('a program was ended', { error })
      return tooLong ? `it sent a message larger than ${options.limit} bytes` : 'its output could not be read'
    },
  )
  readErrors().catch(() => {})
  void reading.then(async (why) => {
    const code = await Promise.race([session.exit.catch(() => null), delayed(why)])
    finish(typeof code === 'number' ? describeExit(code) : why)
    await child.end().catch((error: unknown) => options.log.warn('a program could not be ended', { error }))
  })
  return child
}

/** An exit code tells more than a closed stream, where it comes at once. */
function delayed(why: string): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve(why), why === 'it closed its output' ? 500 : 0))
}

function describeExit(code: number): string {
  if (code === 126 || code === 127) return `it cannot be run in the container (exit code ${code})`
  return code > 128 ? `signal ${code - 128} ended it` : `it ended with code ${code}`
}

/** Null for what is no message. */
function messageOf(line: Buffer): Message | null {
  try {
    return readMessage(line)
  } catch {
    return null
  }
}
