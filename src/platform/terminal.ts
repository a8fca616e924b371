/** The terminal of this process: line editing by node:readline, loaded when a REPL starts. */
import type { LineEditor, LineEditorOptions, Terminal } from './index.ts'

async function readAll(): Promise<string> {
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const chunk of process.stdin) text += chunk as string
  return text
}

async function* lines(): AsyncIterable<string> {
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

export function createTerminal(): Terminal {
  const output = (stream: NodeJS.WriteStream) => ({
    get isTTY() {
      return stream.isTTY === true
    },
    get columns() {
      return stream.columns ?? 80
    },
    write: (text: string): void => {
      stream.write(text)
    },
  })
  // A reader that went away (`ploinky logs | head`) is a normal end, not a crash.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: Error & { code?: string }) => {
      if (error.code !== 'EPIPE') throw error
      process.exitCode ??= 0
    })
  }
  return {
    stdin: {
      get isTTY() {
        return process.stdin.isTTY === true
      },
      lines,
      readAll,
    },
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    createLineEditor,
  }
}
