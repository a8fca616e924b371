/** The prompt: the same commands, with history and completion, until `exit`, `quit` or Ctrl-D. */
import { isPloinkyError, messageOf, type PloinkyError, quoteWord } from '../core/error.ts'
import type { Logger } from '../core/log.ts'
import type { LineEditor, Terminal } from '../platform/index.ts'
import type { Candidate } from './completion.ts'
import { type HistoryStore, remember, usableLines } from './history.ts'
import { lineWords } from './script.ts'
import { splitUnfinished } from './shell-words.ts'
import { neutraliseLine } from './text.ts'
import { PROGRAM } from './usage.ts'

interface ReplOptions {
  readonly terminal: Terminal
  readonly log: Logger
  readonly history?: HistoryStore | undefined
  /** Name of the current workspace, asked for before each line. */
  workspaceName(): Promise<string>
  run(words: readonly string[]): Promise<number>
  fail(error: PloinkyError): number
  complete(words: readonly string[], current: string): Promise<readonly Candidate[]>
}

/** Reads and runs lines until the end of input. Failing commands do not end it; gives 0. */
export async function runRepl(options: ReplOptions): Promise<number> {
  let history = await loadHistory(options)
  const editor = options.terminal.createLineEditor({ history, complete: (line) => completeLine(line, options) })
  try {
    for (;;) {
      const line = await editor.question(await promptOf(options))
      // Ctrl-D leaves the cursor behind the prompt.
      if (line === null) return leave(options)
      history = await keep(history, line, options)
      if ((await runLine(line, editor, options)) === 'leave') return 0
    }
  } finally {
    editor.close()
  }
}

function leave({ terminal }: ReplOptions): number {
  terminal.stdout.write('\n')
  return 0
}

async function runLine(line: string, editor: LineEditor, options: ReplOptions): Promise<'leave' | 'stay'> {
  let words: readonly string[] | null
  try {
    words = lineWords(line)
  } catch (error) {
    if (!isPloinkyError(error)) throw error
    options.fail(error)
    return 'stay'
  }
  if (words === null) return 'leave'
  const given = words
  // Every command may need the terminal: for a question, a shell in an agent, or its own Ctrl-C.
  if (given.length > 0) await editor.suspend(() => options.run(given))
  return 'stay'
}

async function promptOf({ workspaceName, log }: ReplOptions): Promise<string> {
  try {
    return `${`${PROGRAM} ${neutraliseLine(await workspaceName())}`.trim()}> `
  } catch (error) {
    log.debug('no workspace name for the prompt', { error: messageOf(error) })
    return `${PROGRAM}> `
  }
}

async function loadHistory({ history, log }: ReplOptions): Promise<readonly string[]> {
  try {
    return usableLines((await history?.load()) ?? [])
  } catch (error) {
    log.warn('history not read', { error: messageOf(error) })
    return []
  }
}

/** Saved line by line, so that a killed prompt keeps what was typed. */
async function keep(lines: readonly string[], line: string, { history, log }: ReplOptions): Promise<readonly string[]> {
  const kept = remember(lines, line)
  if (kept === lines) return lines
  try {
    await history?.save(kept)
  } catch (error) {
    log.warn('history not saved', { error: messageOf(error) })
  }
  return kept
}

async function completeLine(
  line: string,
  options: ReplOptions,
): Promise<readonly [candidates: string[], word: string]> {
  const unfinished = splitUnfinished(line)
  if (unfinished === null) return [[], '']
  const typed = line.slice(unfinished.start)
  const words = unfinished.words[0] === PROGRAM ? unfinished.words.slice(1) : unfinished.words
  const found = await options.complete(words, unfinished.current)
  const values = found.map(({ value }) => quoteWord(value))
  if (words.length === 0 && 'exit'.startsWith(unfinished.current)) values.push('exit')
  const [only] = values
  return [values.length === 1 && only !== undefined ? [`${only} `] : values, typed]
}
