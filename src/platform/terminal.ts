/** The terminal of this process: line editing by node:readline, loaded when a REPL starts. */
import { PloinkyError } from '../core/error.ts'
import { openRawTerminal } from './raw-terminal.ts'
import type { LineEditor, LineEditorOptions, Terminal } from './index.ts'

/** True when this process consumes its own input, as a script does. */
let isInputTaken = false
export const inputIsTaken = (): boolean => isInputTaken

async function readAll(): Promise<string> {
  if (isInputTaken) {
    throw new PloinkyError('USAGE_INVALID', 'Standard input is being read as a script', {
      hint: 'Run the command by itself, with its input',
    })
  }
  isInputTaken = true
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const chunk of process.stdin) text += chunk as string
  return text
}

async function* lines(): AsyncIterable<string> {
  isInputTaken = true
  let rest = ''
  process.stdin.setEncoding('utf8')
  for await (const chunk of process.stdin) {
    rest += chunk as string
    const parts = rest.split(/\r?\n/)
    rest = parts.pop() ?? ''
    yield* parts
  }
  if (rest !== '') yield rest
}

const [CTRL_C, CTRL_D, BACKSPACE, DELETE] = ['\u0003', '\u0004', '\b', '\u007f']

function readHidden(prompt: string): Promise<string | null> {
  const { stdin, stderr } = process
  stderr.write(prompt)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  return new Promise((resolve) => {
    let typed = ''
    const finish = (answer: string | null): void => {
      stdin.off('data', onData)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
      resolve(answer)
    }
    const onData = (text: string): void => {
      for (const char of text) {
        if (char === '\r' || char === '\n') return finish(typed)
        if (char === CTRL_C || char === CTRL_D) return finish(null)
        if (char === BACKSPACE || char === DELETE) typed = Array.from(typed).slice(0, -1).join('')
        else typed += char
      }
    }
    stdin.on('data', onData)
    stdin.resume()
  })
}

function createLineEditor(options: LineEditorOptions): LineEditor {
  const readline = process.getBuiltinModule('node:readline')
  const history = [...options.history].reverse()
  let active = open()

  function open() {
    const editor = readline.createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: true,
      history,
      historySize: 1000,
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: Error | null, result: [string[], string]) => void) => {
        options.complete(line).then(
          ([candidates, word]) => done(null, [candidates, word]),
          () => done(null, [[], line]),
        )
      },
    })
    return editor
  }

  return {
    question: (prompt) =>
      new Promise((resolve) => {
        const finish = (answer: string | null): void => {
          active.off('close', onClose)
          active.off('SIGINT', onInterrupt)
          resolve(answer)
        }
        const onClose = (): void => finish(null)
        const onInterrupt = (): void => {
          // A fresh prompt on a new line, as shells do.
          process.stdout.write('^C\n')
          active.off('close', onClose)
          active.close()
          active = open()
          resolve('')
        }
        active.once('close', onClose)
        active.once('SIGINT', onInterrupt)
        active.question(prompt, (answer) => {
          if (answer.trim() !== '') history.unshift(answer)
          finish(answer)
        })
      }),
    async suspend(run) {
      active.close()
      try {
        return await run()
      } finally {
        active = open()
      }
    },
    close: () => active.close(),
  }
}

const fs = (): typeof import('node:fs') => process.getBuiltinModule('node:fs')

/** Of a device number of Linux: https://www.kernel.org/doc/html/latest/admin-guide/devices.html */
const MEMORY_DEVICES = 1
const majorOf = (rdev: number): number => (rdev >>> 8) & 0xfff

/**
 * Only a character device can be a terminal, and `/dev/null` and its like are none; asking further loads the networking
 * parts of the runtime.
 */
function isTerminal(fd: number): boolean {
  try {
    const stat = fs().fstatSync(fd)
    if (!stat.isCharacterDevice()) return false
    if (process.platform === 'linux' && majorOf(stat.rdev) === MEMORY_DEVICES) return false
    return process.getBuiltinModule('node:tty').isatty(fd)
  } catch {
    // A closed descriptor.
    return false
  }
}

/**
 * One of our output streams. Written to directly: the stream of the runtime is as synchronous, but takes longer to make
 * than `--version` takes to run. It is used for a terminal's width, and where a descriptor does not block.
 */
function output(fd: 1 | 2, stream: () => NodeJS.WriteStream) {
  let isTTY: boolean | undefined
  let opened: NodeJS.WriteStream | undefined
  const closed = new AbortController()
  const open = (): NodeJS.WriteStream => {
    if (opened !== undefined) return opened
    opened = stream()
    // A reader that went away (`ploinky logs | head`) is a normal end, not a crash.
    opened.on('error', (error: Error & { code?: string }) => {
      if (error.code !== 'EPIPE') throw error
      closed.abort()
    })
    return opened
  }
  return {
    closed: closed.signal,
    /** Resolves when all that was written has left this process, or nobody is there to take it. */
    flush: (): Promise<void> =>
      opened === undefined || closed.signal.aborted
        ? Promise.resolve()
        : new Promise((resolve) => opened?.write('', () => resolve())),
    get isTTY() {
      return (isTTY ??= isTerminal(fd))
    },
    get columns() {
      return open().columns ?? 80
    },
    write(text: string): void {
      let rest: Uint8Array = Buffer.from(text)
      try {
        while (opened === undefined && rest.byteLength > 0) rest = rest.subarray(fs().writeSync(fd, rest))
      } catch (error) {
        const { code } = error as { code?: string }
        // Nobody reads any more; whoever writes a stream listens to `closed`.
        if (code === 'EPIPE') return closed.abort()
        if (code !== 'EAGAIN') throw error
      }
      if (rest.byteLength > 0) open().write(rest)
    },
  }
}

export function createTerminal(): Terminal & { flush(): Promise<void> } {
  const stdout = output(1, () => process.stdout)
  const stderr = output(2, () => process.stderr)
  return {
    flush: async () => {
      await Promise.all([stdout.flush(), stderr.flush()])
    },
    stdin: {
      get isTTY() {
        return isTerminal(0)
      },
      lines,
      readAll,
      readHidden,
    },
    stdout,
    stderr,
    openRaw: openRawTerminal,
    createLineEditor,
  }
}
