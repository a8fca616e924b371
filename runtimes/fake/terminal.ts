/** A terminal in memory: echo, line editing and Ctrl-C as a real one has them, until a program asks for raw mode. */
import type { TtySession } from '../adapter.ts'
import { createByteChannel } from './channel.ts'
import type { FakeExecution, FakeTerminal } from './program.ts'

const CTRL_C = 0x03
const CTRL_D = 0x04
const BACKSPACE = 0x08
const LINE_FEED = 0x0a
const RETURN = 0x0d
const DELETE = 0x7f

export interface FakeTty {
  readonly terminal: FakeTerminal
  readonly stdin: AsyncIterable<Uint8Array>
  session(execution: FakeExecution, kill: () => Promise<void>): TtySession
}

export function createFakeTty(size: { cols: number; rows: number }): FakeTty {
  const terminal = { ...size, raw: false }
  const input = createByteChannel()
  const screen = createByteChannel()
  let line: number[] = []
  let interrupt = (): void => {}

  const echo = (bytes: readonly number[]): void => void screen.write(new Uint8Array(bytes))
  const send = (): void => {
    void input.write(new Uint8Array(line))
    line = []
  }

  function type(byte: number): void {
    if (byte === CTRL_C) {
      line = []
      echo([0x5e, 0x43, RETURN, LINE_FEED])
      interrupt()
    } else if (byte === RETURN || byte === LINE_FEED) {
      line.push(LINE_FEED)
      echo([RETURN, LINE_FEED])
      send()
    } else if (byte === CTRL_D) {
      if (line.length === 0) input.close()
      else send()
    } else if (byte === DELETE || byte === BACKSPACE) {
      if (line.length > 0) erase()
    } else {
      line.push(byte)
      echo([byte])
    }
  }

  /** Takes one character back, which in UTF-8 may be several bytes. */
  function erase(): void {
    while (line.length > 0 && ((line.pop() ?? 0) & 0xc0) === 0x80);
    echo([BACKSPACE, 0x20, BACKSPACE])
  }

  async function show(source: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of source) {
      await screen.write(terminal.raw ? chunk : withReturns(chunk))
    }
  }

  return {
    terminal,
    stdin: input,
    session(execution, kill) {
      interrupt = () => execution.signal('SIGINT')
      const shown = Promise.all([show(execution.stdout), show(execution.stderr)])
      const closed = execution.exit.then((code) => {
        void shown.then(() => screen.close())
        return code
      })
      return {
        output: screen,
        closed,
        kill,
        write(data) {
          if (terminal.raw) void input.write(data)
          else for (const byte of data) type(byte)
        },
        async resize(cols, rows) {
          Object.assign(terminal, { cols, rows })
        },
      }
    },
  }
}

function withReturns(chunk: Uint8Array): Uint8Array {
  const bytes: number[] = []
  for (const byte of chunk) {
    if (byte === LINE_FEED) bytes.push(RETURN)
    bytes.push(byte)
  }
  return new Uint8Array(bytes)
}
