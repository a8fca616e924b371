/** Terminals for programs of an instance: by the native library, else by util-linux's `script`. */
import { join } from 'node:path'
import { PloinkyError } from '../../src/core/error.ts'
import type { MaybeSecret } from '../../src/core/secret.ts'
import type { TtyOptions, TtySession } from '../adapter.ts'
import { bufferBytes } from '../cli/bytes.ts'
import { launchOf, runningRecord, type Launch, type Track } from './exec.ts'
import { mergeEnvironment } from './environment.ts'
import type { ProcessContext } from './state.ts'

const MAX_CELLS = 10_000

/**
 * $1: how many names follow, then the names of variables that the program may not see (the pseudo-terminal library can only
 * add to our environment), then its command line.
 *
 * The shell stays until the program's last output has been read: when the last process of a terminal goes, Linux lets its
 * reader have an error before the rest (measured on a busy machine: two of three terminals lost their last kilobytes).
 * Its handlers keep it alive when Ctrl-C ends the program; the program itself gets the default ones.
 */
const PTY_LAUNCHER = `
n=$1
shift
while [ "$n" -gt 0 ]; do unset "$1"; shift; n=$((n-1)); done
unset n
trap : INT QUIT HUP TERM
"$@"
code=$?
command -p sleep 0.1
exit "$code"
`

/**
 * `script` takes a command as text, never as words: the text is fixed, and the words come in numbered variables. The name
 * of the terminal is written down, for `stty` to resize it later.
 */
const SCRIPT_LAUNCHER = `
tty >"$PLOINKY_TTY_NAME"
stty cols "$PLOINKY_TTY_COLS" rows "$PLOINKY_TTY_ROWS"
n=$PLOINKY_TTY_WORDS i=0
set --
while [ "$i" -lt "$n" ]; do
  eval "set -- \\"\\$@\\" \\"\\$PLOINKY_TTY_WORD_$i\\"; unset PLOINKY_TTY_WORD_$i"
  i=$((i+1))
done
unset PLOINKY_TTY_NAME PLOINKY_TTY_COLS PLOINKY_TTY_ROWS PLOINKY_TTY_WORDS n i
exec "$@"
`

interface RawTerminal {
  readonly output: AsyncIterable<Uint8Array>
  readonly closed: Promise<number>
  readonly pid: () => number
  write(data: Uint8Array): void
  resize(cols: number, rows: number): Promise<void>
  drop(): void
}

interface Opening {
  readonly context: ProcessContext
  readonly name: string
  readonly launch: Launch
  readonly size: { cols: number; rows: number }
}

/** Whether one of the two ways is there. */
export async function canOpenTerminal({ platform }: Pick<ProcessContext, 'platform'>): Promise<boolean> {
  if ((await platform.pty()) !== null) return true
  return platform.os.platform === 'linux' && (await platform.processes.which('script')) !== null
}

export function createTerminals(context: ProcessContext, track: Track) {
  return async function openTty(name: string, argv: readonly string[], options: TtyOptions): Promise<TtySession> {
    const size = checkSize(options.cols, options.rows)
    const record = await runningRecord(context, name, options)
    const env = { TERM: 'xterm-256color', COLORTERM: 'truecolor', ...options.env }
    const launch = await launchOf(context, record, { argv, tty: true, env, cwd: options.cwd, tag: options.tag })
    const raw = await open({ context, name, launch, size })
    return session(context, { raw, launch, signal: options.signal, track })
  }
}

function checkSize(cols: number, rows: number): { cols: number; rows: number } {
  const good = (n: number): boolean => Number.isInteger(n) && n > 0 && n <= MAX_CELLS
  if (good(cols) && good(rows)) return { cols, rows }
  throw new PloinkyError('REQUEST_INVALID', `Invalid terminal size: ${cols} x ${rows}`, {
    hint: `Use whole numbers from 1 to ${MAX_CELLS}`,
  })
}

async function open(opening: Opening): Promise<RawTerminal> {
  const { platform } = opening.context
  const pty = await platform.pty()
  if (pty !== null) {
    const { argv, env, cwd } = opening.launch.program
    const hidden = Object.keys(platform.env).filter((name) => !Object.hasOwn(env, name) && /^[A-Za-z_]\w*$/.test(name))
    const args = ['-c', PTY_LAUNCHER, 'ploinky-tty', String(hidden.length), ...hidden, ...argv]
    const child = pty({ file: '/bin/sh', args, cwd, env }, opening.size)
    return {
      output: child.output,
      closed: child.exit,
      pid: () => child.pid,
      write: (data) => child.write(data),
      resize: async (cols, rows) => child.resize(cols, rows),
      drop: () => child.kill('SIGKILL'),
    }
  }
  const script = platform.os.platform === 'linux' ? await platform.processes.which('script') : null
  if (script !== null) return overScript(opening, script)
  throw new PloinkyError('CAPABILITY_UNSUPPORTED', 'This host cannot give a terminal', {
    hint: 'Install the optional package "@lydell/node-pty"',
  })
}

async function overScript({ context, name, launch, size }: Opening, script: string): Promise<RawTerminal> {
  const { platform, records } = context
  const { program } = launch
  const nameFile = join(records.paths(name).folder, `tty-${launch.tag.value}`)
  const env: Record<string, MaybeSecret> = {
    ...program.env,
    PLOINKY_TTY_NAME: nameFile,
    PLOINKY_TTY_COLS: String(size.cols),
    PLOINKY_TTY_ROWS: String(size.rows),
    PLOINKY_TTY_WORDS: String(program.argv.length),
    ...Object.fromEntries(program.argv.map((word, i) => [`PLOINKY_TTY_WORD_${i}`, word])),
    // `script` runs its text in this shell.
    SHELL: '/bin/sh',
  }
  const input = createInput()
  const child = platform.processes.stream(
    {
      file: script,
      args: ['--quiet', '--flush', '--return', '--command', SCRIPT_LAUNCHER, '/dev/null'],
      cwd: program.cwd,
      env: mergeEnvironment(platform.env, env),
    },
    { stdin: input.bytes },
  )
  const ended = async (): Promise<number> => {
    try {
      return await child.exit
    } finally {
      await platform.fs.remove(nameFile)
    }
  }
  const closed = ended()
  closed.catch(() => {})
  // The end of a child also waits for its input, and nobody types at a terminal that is gone.
  async function* output(): AsyncGenerator<Uint8Array> {
    try {
      yield* child.stdout
    } finally {
      input.end()
    }
  }
  return {
    output: output(),
    closed,
    pid: () => child.pid,
    write: input.push,
    async resize(cols, rows) {
      const terminal = (await platform.fs.readText(nameFile))?.trim()
      if (!terminal?.startsWith('/dev/')) return
      const args = ['-F', terminal, 'cols', String(cols), 'rows', String(rows)]
      await platform.processes.run({ file: 'stty', args }).catch(() => null)
    },
    drop: () => child.kill('SIGKILL'),
  }
}

/** Keys as a stream that stays open. */
function createInput() {
  const waiting: Uint8Array[] = []
  let ended = false
  let wake = (): void => {}
  async function* read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = waiting.shift()
      if (next !== undefined) yield next
      else if (ended) return
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  }
  return {
    bytes: read(),
    push(data: Uint8Array): void {
      waiting.push(data)
      wake()
    },
    end(): void {
      ended = true
      wake()
    },
  }
}

interface SessionParts {
  readonly raw: RawTerminal
  readonly launch: Launch
  readonly signal: AbortSignal | undefined
  readonly track: Track
}

function session(context: ProcessContext, { raw, launch, signal, track }: SessionParts): TtySession {
  const output = bufferBytes(raw.output)
  let ended = false
  let killing: Promise<void> | undefined
  const kill = (): Promise<void> => {
    if (ended) return Promise.resolve()
    output.discard()
    const roots = raw.pid() > 1 ? [raw.pid()] : []
    killing ??= context.processes.end(launch.tag, { politely: true, roots }).finally(() => raw.drop())
    return killing
  }
  const onAbort = (): void => void kill().catch(() => {})
  const forget = track(kill)
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
    closed,
    kill,
    write: (data) => {
      if (!ended) raw.write(data)
    },
    async resize(cols, rows) {
      const size = checkSize(cols, rows)
      if (!ended) await raw.resize(size.cols, size.rows)
    },
  }
}
