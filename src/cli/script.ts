/** Standard input that is no terminal: one command a line, until one fails. */
import { isPloinkyError, PloinkyError } from '../core/error.ts'
import { splitWords } from './shell-words.ts'

const LONGEST_LINE = 65_536
const LEAVE = new Set(['exit', 'quit'])

/** The words of a line, without the program's own name in front; `null` for `exit` and `quit`. */
export function lineWords(line: string): readonly string[] | null {
  if (line.length > LONGEST_LINE) {
    throw new PloinkyError(
      'USAGE_INVALID',
      `Line too long: found ${line.length} characters, expected at most ${LONGEST_LINE}`,
    )
  }
  const words = splitWords(line)
  const [first] = words
  if (words.length === 1 && first !== undefined && LEAVE.has(first)) return null
  return first === 'ploinky' || first === 'p-cli' ? words.slice(1) : words
}

interface ScriptOptions {
  readonly lines: AsyncIterable<string>
  run(words: readonly string[]): Promise<number>
  /** Prints an error of the line itself and gives its exit code. */
  fail(error: PloinkyError): number
  /** Tells where the script stopped; `line` counts from 1. */
  stopped(line: number, exitCode: number): void
  /** The input holds no line at all. */
  empty(): void
}

/** Runs the lines in order. Gives 0, or the exit code of the line that failed; later lines are not run. */
export async function runScript(options: ScriptOptions): Promise<number> {
  let number = 0
  for await (const line of options.lines) {
    number += 1
    const code = await runLine(line, options)
    if (code === 'leave') return 0
    if (code === 0) continue
    options.stopped(number, code)
    return code
  }
  if (number === 0) options.empty()
  return 0
}

async function runLine(line: string, options: ScriptOptions): Promise<number | 'leave'> {
  let words: readonly string[] | null
  try {
    words = lineWords(line)
  } catch (error) {
    if (!isPloinkyError(error)) throw error
    return options.fail(error)
  }
  if (words === null) return 'leave'
  return words.length === 0 ? 0 : options.run(words)
}
