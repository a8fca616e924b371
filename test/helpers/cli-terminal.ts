/** A terminal in memory: keeps what is written, answers from a list of typed lines. */
import type { LineEditorOptions, Terminal } from '../../src/platform/index.ts'

export interface FakeTerminalOptions {
  /** stdin, stdout and stderr are a terminal. */
  readonly tty?: boolean | { readonly stdin?: boolean; readonly stdout?: boolean; readonly stderr?: boolean }
  readonly columns?: number
  /** Lines of a stdin that is no terminal. */
  readonly stdin?: readonly string[]
  /** Lines that a person types, in order; the end of input follows. */
  readonly typed?: readonly (string | null)[]
}

interface FakeTerminal extends Terminal {
  readonly out: { text: string }
  readonly err: { text: string }
  readonly prompts: string[]
  readonly editors: LineEditorOptions[]
  /** How deep editors are suspended now. */
  readonly suspended: { depth: number; most: number }
  readonly closed: { count: number }
}

export function createFakeTerminal(options: FakeTerminalOptions = {}): FakeTerminal {
  const tty = typeof options.tty === 'object' ? options.tty : {}
  const all = options.tty === true
  const out = { text: '' }
  const err = { text: '' }
  const typed = [...(options.typed ?? [])]
  const prompts: string[] = []
  const editors: LineEditorOptions[] = []
  const suspended = { depth: 0, most: 0 }
  const closed = { count: 0 }
  const columns = options.columns ?? 80
  return {
    out,
    err,
    prompts,
    editors,
    suspended,
    closed,
    stdin: {
      isTTY: all || tty.stdin === true,
      async *lines() {
        yield* options.stdin ?? []
      },
      readAll: async () => (options.stdin ?? []).join('\n'),
      async readHidden(prompt) {
        prompts.push(prompt)
        return typed.shift() ?? null
      },
    },
    stdout: {
      isTTY: all || tty.stdout === true,
      columns,
      write: (text) => void (out.text += text),
      closed: new AbortController().signal,
    },
    stderr: { isTTY: all || tty.stderr === true, columns, write: (text) => void (err.text += text) },
    openRaw() {
      throw new Error('no program of these tests takes the terminal over')
    },
    createLineEditor(editorOptions) {
      editors.push(editorOptions)
      return {
        async question(prompt) {
          prompts.push(prompt)
          return typed.shift() ?? null
        },
        async suspend(run) {
          suspended.depth += 1
          suspended.most = Math.max(suspended.most, suspended.depth)
          try {
            return await run()
          } finally {
            suspended.depth -= 1
          }
        },
        close: () => void (closed.count += 1),
      }
    },
  }
}

/** What a terminal of `columns` would show after `text`: cursor up, carriage return and clear are obeyed. */
export function screenOf(text: string): string {
  const lines: string[] = ['']
  let row = 0
  let column = 0
  for (const part of text.split(/(\u001b\[\d*[A-Za-z]|\n|\r)/)) {
    const up = /^\u001b\[(\d+)A$/.exec(part)
    if (part === '\n') {
      row += 1
      column = 0
      lines[row] ??= ''
    } else if (part === '\r') {
      column = 0
    } else if (up !== null) {
      row = Math.max(0, row - Number(up[1]))
    } else if (part === '\u001b[J') {
      lines.length = row + 1
      lines[row] = (lines[row] ?? '').slice(0, column)
    } else if (!part.startsWith('\u001b')) {
      const line = lines[row] ?? ''
      lines[row] = line.slice(0, column) + part + line.slice(column + part.length)
      column += part.length
    }
  }
  return lines.join('\n')
}
