/**
 * Is there an MCP server on the standard streams of an agent's program? It is started once and asked as a client would begin:
 * that its container runs says nothing of a program that is started with each session.
 */
import { PloinkyError, quoteWord } from '../../core/error.ts'
import { keepLast, saidLast } from '../../core/last-lines.ts'
import { pause } from '../../core/time.ts'
import type { RuntimeAdapter } from '../../../runtimes/adapter.ts'
import { INITIALIZE, INITIALIZE_ID } from './readiness.ts'
import { endOf } from './stdio-end.ts'
import { MARK, wrapped } from './stdio-scripts.ts'

/** What it may print before its answer, bytes. */
const MAX_BYTES = 1024 * 1024
const LINE_LENGTH = 500
/** For a program to end by itself when its input has ended, ms. */
const GRACE_MS = 1000
/** For a program that ended at once to do so again, ms. */
const LOST_WORDS_MS = 3000

export interface Program {
  readonly adapter: RuntimeAdapter
  readonly container: string
  readonly argv: readonly string[]
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Null: it speaks MCP. Otherwise why it does not. Throws what the runtime throws, and what `signal` aborts with. */
export async function problemOfProgram(program: Program): Promise<string | null> {
  const { timeoutMs, signal } = program
  const run = await runInShell(program, `${INITIALIZE}\n`)
  signal?.throwIfAborted()
  switch (run.outcome) {
    case 'answered':
      return null
    case 'noise':
      return 'it prints what is no MCP on its standard output'
    case 'late':
      return `it did not answer within ${Math.round(timeoutMs / 1000)} s${saidLast(run.errors)}`
    case 'ended':
      return `${howEnded(run.code)}${saidLast(run.errors) || saidLast(await lostWords(program))}`
  }
}

interface Run {
  readonly outcome: 'answered' | 'ended' | 'noise' | 'late'
  /** Null: it closed its output, and runs. */
  readonly code: number | null
  /** Last lines of its standard error. */
  readonly errors: readonly string[]
}

/** With what it started ended too, where the image has a shell. */
async function runInShell(program: Program, hello: string): Promise<Run> {
  const run = await runOnce({ ...program, argv: wrapped(program.argv, { logToContainer: false }) }, hello)
  return isMissing(run.code) ? await runOnce(program, hello) : run
}

const isMissing = (code: number | null): boolean => code === 126 || code === 127

async function runOnce({ adapter, container, argv, timeoutMs, signal }: Program, hello: string): Promise<Run> {
  let hangUp = (): void => {}
  const hungUp = new Promise<void>((resolve) => (hangUp = resolve))
  async function* stdin(): AsyncGenerator<Uint8Array> {
    if (hello !== '') yield Buffer.from(hello)
    await hungUp
  }
  const session = await adapter.exec(container, argv, {
    stdin: stdin(),
    env: { [MARK]: `probe/${crypto.randomUUID()}` },
  })
  const over = new AbortController()
  const gaveUp = pause(timeoutMs, AbortSignal.any([over.signal, ...(signal ? [signal] : [])])).then(() => null)
  const errors: string[] = []
  const reading = readErrors(session.stderr, errors)
  try {
    const outcome = (await Promise.race([readAnswer(session.stdout), gaveUp])) ?? 'late'
    if (outcome !== 'ended') return { outcome, code: null, errors }
    const code = await Promise.race([session.exit, gaveUp])
    await Promise.race([reading, gaveUp])
    return { outcome, code, errors }
  } finally {
    over.abort()
    hangUp()
    await endOf(session, GRACE_MS).catch(() => {})
  }
}

/** Podman (4.3) loses the last words of a program that ends while it is written to: it is run again, and told nothing. */
async function lostWords(program: Program): Promise<readonly string[]> {
  const timeoutMs = Math.min(program.timeoutMs, LOST_WORDS_MS)
  const { errors } = await runInShell({ ...program, timeoutMs }, '')
  return errors
}

/** Throws AGENT_FAILED when it does not speak MCP. */
export async function mustSpeak(program: Program & { readonly agent: string }): Promise<void> {
  const problem = await problemOfProgram(program)
  if (problem === null) return
  const { agent, argv } = program
  throw new PloinkyError('AGENT_FAILED', `The MCP server of agent "${agent}" does not serve: ${problem}`, {
    hint: `Try it by hand: ploinky exec ${agent} -- ${argv.map(quoteWord).join(' ')}`,
    details: { agent, command: argv },
  })
}

function howEnded(code: number | null): string {
  if (isMissing(code)) return `it cannot be run in the container (exit code ${code})`
  return code === null ? 'it closed its output' : `it ended with exit code ${code}`
}

/** Any answer will do: a server of the modern era refuses this greeting, as a server does. */
async function readAnswer(stdout: AsyncIterable<Uint8Array>): Promise<'answered' | 'ended' | 'noise'> {
  const decoder = new TextDecoder()
  let rest = ''
  let size = 0
  for await (const chunk of stdout) {
    size += chunk.byteLength
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (lines.some(isAnswer)) return 'answered'
    if (size > MAX_BYTES) return 'noise'
  }
  return isAnswer(rest) ? 'answered' : 'ended'
}

function isAnswer(line: string): boolean {
  try {
    const message = JSON.parse(line) as { jsonrpc?: unknown; id?: unknown } | null
    return message?.jsonrpc === '2.0' && message.id === INITIALIZE_ID
  } catch {
    return false
  }
}

async function readErrors(stderr: AsyncIterable<Uint8Array>, errors: string[]): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of stderr) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = (lines.pop() ?? '').slice(0, LINE_LENGTH)
      for (const line of lines) keepLast(errors, line.slice(0, LINE_LENGTH))
    }
  } catch {
    // What was read so far has to do.
  }
  if (rest !== '') keepLast(errors, rest)
}
