/**
 * Is there an MCP server on the standard streams of an agent's program? It is started once and asked as a client would begin:
 * that its container runs says nothing of a program that is started with each session.
 */
import { PloinkyError } from '../../core/error.ts'
import { tellingLine } from '../../core/last-lines.ts'
import type { ExecSession, RuntimeAdapter } from '../../../runtimes/adapter.ts'
import { INITIALIZE, INITIALIZE_ID } from './readiness.ts'
import { MARK, wrapped } from './stdio-scripts.ts'

/** What it may print before its answer, bytes. */
const MAX_BYTES = 1024 * 1024
const LAST_LINES = 20
/** For a program to end by itself when its input has ended, ms. */
const GRACE_MS = 1000
/** For a program that ended at once to do so again, ms. */
const LOST_WORDS_MS = 3000

export interface Program {
  readonly adapter: RuntimeAdapter
  readonly agent: string
  readonly container: string
  readonly argv: readonly string[]
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Null: it speaks MCP. Otherwise why it does not. Throws what the runtime throws, and what `signal` aborts with. */
export async function problemOfProgram(program: Program): Promise<string | null> {
  const { timeoutMs, signal } = program
  const run = await runHello(program)
  signal?.throwIfAborted()
  switch (run.outcome) {
    case 'answered':
      return null
    case 'noise':
      return 'it prints what is no MCP on its standard output'
    case 'late':
      return `it did not answer within ${Math.round(timeoutMs / 1000)} s${said(run.errors)}`
    case 'ended':
      return `${howEnded(run.code)}${said(run.errors) || said(await lostWords(program))}`
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
async function runHello(program: Program): Promise<Run> {
  const hello = `${INITIALIZE}\n`
  const run = await runOnce({ ...program, argv: wrapped(program.argv, { logToContainer: false }) }, hello)
  return isMissing(run.code) ? await runOnce(program, hello) : run
}

const isMissing = (code: number | null): boolean => code === 126 || code === 127

async function runOnce({ adapter, container, argv, timeoutMs, signal }: Program, hello: string): Promise<Run> {
  const deadline = AbortSignal.timeout(timeoutMs)
  const over = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
  const gaveUp = new Promise<null>((resolve) => {
    if (over.aborted) resolve(null)
    else over.addEventListener('abort', () => resolve(null), { once: true })
  })
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
  const errors: string[] = []
  const reading = keepLast(session.stderr, errors)
  try {
    const outcome = (await Promise.race([readAnswer(session.stdout), gaveUp])) ?? 'late'
    if (outcome !== 'ended') return { outcome, code: null, errors }
    const code = await Promise.race([session.exit, gaveUp])
    await Promise.race([reading, gaveUp])
    return { outcome, code, errors }
  } finally {
    hangUp()
    await end(session)
  }
}

/** Podman (4.3) loses the last words of a program that ends while it is written to: it is run again, and told nothing. */
async function lostWords(program: Program): Promise<readonly string[]> {
  const timeoutMs = Math.min(program.timeoutMs, LOST_WORDS_MS)
  const { errors } = await runOnce({ ...program, timeoutMs }, '')
  return errors
}

/** Throws AGENT_FAILED when it does not speak MCP. */
export async function mustSpeak(program: Program): Promise<void> {
  const problem = await problemOfProgram(program)
  if (problem === null) return
  const { agent, argv } = program
  throw new PloinkyError('AGENT_FAILED', `The MCP server of agent "${agent}" does not serve: ${problem}`, {
    hint: `Try it by hand: ploinky exec ${agent} -- ${argv.map(quoted).join(' ')}`,
    details: { agent, command: argv },
  })
}

const said = (lines: readonly string[]): string => {
  const line = tellingLine(lines)
  return line === null ? '' : `: ${line}`
}

function howEnded(code: number | null): string {
  if (isMissing(code)) return `it cannot be run in the container (exit code ${code})`
  return code === null ? 'it closed its output' : `it ended with exit code ${code}`
}

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`

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

async function keepLast(stderr: AsyncIterable<Uint8Array>, lines: string[]): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of stderr) {
      const found = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = (found.pop() ?? '').slice(0, 500)
      lines.push(...found.map((line) => line.slice(0, 500)))
      if (lines.length > LAST_LINES) lines.splice(0, lines.length - LAST_LINES)
    }
  } catch {
    // What was read so far has to do.
  }
  if (rest !== '') lines.push(rest)
}

/** It ends by itself when its input has; what does not is killed. */
async function end(session: ExecSession): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), GRACE_MS)))
  const first = await Promise.race([session.exit.catch(() => null), late])
  clearTimeout(timer)
  if (first === 'late') await session.kill().catch(() => {})
}
