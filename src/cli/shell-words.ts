/**
 * Splits a line into words as a shell does, for the prompt and for scripts: quotes, backslashes and comments, and nothing
 * else: no variables, no globs, no pipes, so that a line means what it says.
 *
 * Outside quotes a backslash keeps the next character; in double quotes only before `"`, `\`, `$` and a backtick (POSIX);
 * in single quotes nothing is special. `#` begins a comment where a word could begin.
 */
import { PloinkyError } from '../core/error.ts'

interface Scan {
  readonly words: string[]
  /** The word that the line ends in, null when it ends between words. `start` counts from 0. */
  readonly last: { readonly text: string; readonly start: number } | null
  /** What is missing at the end of the line; `column` counts from 1. */
  readonly open: { readonly what: string; readonly column: number } | null
  readonly comment: boolean
}

const SPACE = /\s/
const ESCAPED_IN_QUOTES = new Set(['"', '\\', '$', '`'])

function scan(line: string): Scan {
  const words: string[] = []
  let text: string | null = null
  let start = 0
  let at = 0
  while (at < line.length) {
    const char = line[at] ?? ''
    if (text === null && SPACE.test(char)) {
      at += 1
      continue
    }
    if (text === null && char === '#') return { words, last: null, open: null, comment: true }
    if (text !== null && SPACE.test(char)) {
      words.push(text)
      text = null
      continue
    }
    if (text === null) {
      text = ''
      start = at
    }
    const part = readPart(line, at)
    text += part.text
    if (part.missing !== null) {
      words.push(text)
      return { words, last: { text, start }, open: { what: part.missing, column: at + 1 }, comment: false }
    }
    at = part.next
  }
  if (text === null) return { words, last: null, open: null, comment: false }
  words.push(text)
  return { words, last: { text, start }, open: null, comment: false }
}

/** One plain character, an escape or a quoted part. */
function readPart(line: string, at: number): { text: string; next: number; missing: string | null } {
  const char = line[at] ?? ''
  if (char === '\\') {
    const next = line[at + 1]
    return { text: next ?? '', next: at + 2, missing: next === undefined ? 'the character after "\\"' : null }
  }
  if (char === "'") {
    const end = line.indexOf("'", at + 1)
    if (end === -1) return { text: line.slice(at + 1), next: line.length, missing: 'the closing "\'"' }
    return { text: line.slice(at + 1, end), next: end + 1, missing: null }
  }
  return char === '"' ? readDoubleQuoted(line, at) : { text: char, next: at + 1, missing: null }
}

function readDoubleQuoted(line: string, at: number): { text: string; next: number; missing: string | null } {
  let text = ''
  for (let index = at + 1; index < line.length; index++) {
    const char = line[index] ?? ''
    if (char === '"') return { text, next: index + 1, missing: null }
    const next = line[index + 1]
    if (char === '\\' && next !== undefined && ESCAPED_IN_QUOTES.has(next)) {
      text += next
      index += 1
    } else {
      text += char
    }
  }
  return { text, next: line.length, missing: "the closing '\"'" }
}

/** The words of a line. Throws USAGE_INVALID with the column (from 1) of a quote that is not closed. */
export function splitWords(line: string): string[] {
  const { words, open } = scan(line)
  if (open === null) return words
  throw new PloinkyError('USAGE_INVALID', `Unfinished line: ${open.what} is missing (column ${open.column})`, {
    hint: 'Close the quote, or write \\ before a quote that is meant as a character',
    details: { column: open.column },
  })
}

/**
 * For completion: the finished words, the unfinished last one (`''` after a space) and where it starts.
 * Null inside a comment.
 */
export function splitUnfinished(line: string): { words: string[]; current: string; start: number } | null {
  const { words, last, comment } = scan(line)
  if (comment) return null
  if (last === null) return { words, current: '', start: line.length }
  return { words: words.slice(0, -1), current: last.text, start: last.start }
}
