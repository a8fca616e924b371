/** Runs one parsed command: services on demand, signals, printing, exit code. */
import { asPloinkyError, exitCodeOf, messageOf, PloinkyError } from '../core/error.ts'
import type { Logger } from '../core/log.ts'
import type { Platform, Terminal } from '../platform/index.ts'
import type { Command, CommandContext, Input } from './command.ts'
import { createOutput, type Output } from './output.ts'
import type { Globals } from './parse.ts'
import { PROGRAM } from './usage.ts'

/** What running a command needs from outside. */
export interface ExecuteDeps<Services> {
  readonly terminal: Terminal
  readonly env: Readonly<Record<string, string | undefined>>
  openServices(globals: Globals): Promise<Services>
  /** The running router's answer to a GET; null when there is no router to ask. */
  askRouter?(path: string, globals: Globals): Promise<unknown>
  /** Called once for every `openServices` that succeeded, also after an error. */
  closeServices?(services: Services): Promise<void>
  log(globals: Globals): Logger
  readonly onSignal?: Platform['onSignal']
  /** Aborts when the reader of stdout goes away (`ploinky logs -f | head`). */
  readonly stdoutClosed?: AbortSignal
}

interface Job<Services> {
  readonly command: Command<Services>
  readonly input: Input
  readonly globals: Globals
}

/** Signals end a process with 128 + their number; 130 is INTERRUPTED's in the error table too. */
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

interface Run {
  readonly signal: AbortSignal
  /** Exit code of the signal that came, or null. */
  signalled(): number | null
  /** Stdout has no reader any more: a stream ends quietly. */
  readonly unread: AbortController
}

/** Runs a command to its end and gives its exit code; every error is printed, none is thrown. */
export async function execute<S>(job: Job<S>, deps: ExecuteDeps<S>): Promise<number> {
  const abort = new AbortController()
  const unread = new AbortController()
  const output = createOutput({
    terminal: deps.terminal,
    env: deps.env,
    globals: job.globals,
    onClosed: () => unread.abort(),
  })
  const log = deps.log(job.globals).child({ command: job.command.name })
  let exit: number | null = null
  let giveUp: (code: number) => void = () => {}
  const gaveUp = new Promise<number>((resolve) => (giveUp = resolve))
  // The first signal asks the command to end; a second one does not wait for it any longer.
  const offSignal = deps.onSignal?.((name) => {
    if (exit !== null) return giveUp(exit)
    exit = SIGNAL_EXIT[name]
    abort.abort(new PloinkyError('INTERRUPTED', 'Interrupted'))
  })
  const onUnread = (): void => unread.abort()
  deps.stdoutClosed?.addEventListener('abort', onUnread)
  if (deps.stdoutClosed?.aborted === true) onUnread()
  unread.signal.addEventListener('abort', () => abort.abort(new PloinkyError('INTERRUPTED', 'Nobody reads the output')))
  const started = Date.now()
  try {
    const run: Run = { signal: abort.signal, signalled: () => exit, unread }
    const code = await Promise.race([attempt(job, { deps, output, log, run }), gaveUp])
    log.debug('command ended', { exitCode: code, ms: Math.round(Date.now() - started) })
    return code
  } finally {
    offSignal?.()
    deps.stdoutClosed?.removeEventListener('abort', onUnread)
  }
}

interface Tools<S> {
  readonly deps: ExecuteDeps<S>
  readonly output: Output
  readonly log: Logger
  readonly run: Run
}

async function attempt<S>(job: Job<S>, tools: Tools<S>): Promise<number> {
  const { deps, output, log, run } = tools
  let services: Promise<S> | null = null
  const context: CommandContext<S> = {
    services: () => (services ??= deps.openServices(job.globals)),
    log,
    signal: run.signal,
    out: output,
    confirm: (question) => confirm(question, job, deps),
    principal: 'local',
  }
  try {
    return await runAndPrint(job, context, tools)
  } catch (thrown) {
    return failed(thrown, tools)
  } finally {
    if (services !== null) await closeQuietly(services, tools)
  }
}

function failed<S>(thrown: unknown, { output, log, run }: Tools<S>): number {
  const error = asPloinkyError(thrown)
  const signalled = run.signalled()
  if (signalled === null && run.unread.signal.aborted) return 0
  if (signalled !== null) {
    // What an interrupted command trips over is noise: the person who interrupted knows why it ended.
    log.debug('command interrupted', { error: error.message })
    output.error(error.code === 'INTERRUPTED' ? error : new PloinkyError('INTERRUPTED', 'Interrupted'))
    return signalled
  }
  output.error(error)
  return exitCodeOf(error)
}

async function closeQuietly<S>(services: Promise<S>, { deps, log }: Tools<S>): Promise<void> {
  try {
    const opened = await services
    await deps.closeServices?.(opened)
  } catch (error) {
    // Opening failed: the command has reported that already. Closing failed: the command's result stands.
    log.debug('closing failed', { error: messageOf(error) })
  }
}

async function runAndPrint<S>(job: Job<S>, context: CommandContext<S>, tools: Tools<S>): Promise<number> {
  const { command, input } = job
  const { output, run } = tools
  const started = (await answerOfRouter(job, tools)) ?? command.run(input, context)
  const data: unknown = isStream(started) ? started : await Promise.resolve(started)
  if (!isStream(data)) {
    output.result(data, command)
    return command.exitCode?.(data) ?? 0
  }
  let last: unknown
  for await (const item of data) {
    if (run.unread.signal.aborted) return 0
    output.item(item, command)
    last = item
  }
  if (run.unread.signal.aborted) return run.signalled() ?? 0
  return command.exitCode?.(last) ?? run.signalled() ?? 0
}

async function answerOfRouter<S>({ command, globals }: Job<S>, { deps, log }: Tools<S>): Promise<unknown> {
  if (command.fromRouter === undefined || deps.askRouter === undefined) return null
  return await deps.askRouter(command.fromRouter, globals).catch((error: unknown) => {
    log.debug('the router did not answer', { error: messageOf(error) })
    return null
  })
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

async function confirm<S>(question: string, job: Job<S>, deps: ExecuteDeps<S>): Promise<boolean> {
  if (job.globals.yes) return true
  const { stdin, stdout } = deps.terminal
  if (job.globals.json || !stdin.isTTY || !stdout.isTTY) {
    throw new PloinkyError('CONFIRMATION_REQUIRED', `Confirmation required: ${question}`, {
      hint: `Run "${PROGRAM} ${job.command.name} --yes" if you are sure`,
    })
  }
  const editor = deps.terminal.createLineEditor({ history: [], complete: async () => [[], ''] })
  try {
    const answer = await editor.question(`${question} [y/N] `)
    return /^y(?:es)?$/i.test(answer?.trim() ?? '')
  } finally {
    editor.close()
  }
}
