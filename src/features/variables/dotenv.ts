/**
 * Text of a `.env` file -> variables with their lines. The common subset that docker, dotenv and shells agree on:
 * `NAME=value`, `export NAME=value`, comments, quotes (also over several lines), backslash escapes within double quotes.
 * `$NAME` is plain text. Pure; problems name the line, never what stands on it.
 */
import { Secret } from '../../core/secret.ts'
import { MAX_WORD_BYTES } from '../../config/manifest/text.ts'
import { isVariableName } from './names.ts'

export interface DotEnvText {
  readonly values: ReadonlyMap<string, { readonly value: Secret; readonly line: number }>
  readonly problems: readonly { readonly line: number; readonly message: string }[]
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

type Read = { readonly value: string; readonly lines: number } | { readonly problem: string }

export function parseDotEnv(text: string): DotEnvText {
  const values = new Map<string, { value: Secret; line: number }>()
  const problems: { line: number; message: string }[] = []
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1
    const tell = (message: string): void => void problems.push({ line, message })
    const content = (lines[index] ?? '').trim()
    if (content === '' || content.startsWith('#')) continue
    const [name, rest] = split(content)
    if (name === null) {
      tell('not NAME=value; ignored')
      continue
    }
    const read = readValue(lines, index, rest)
    if ('problem' in read) {
      tell(`${name}: ${read.problem}; ignored`)
      continue
    }
    index += read.lines - 1
    const problem = valueProblem(name, read.value)
    if (problem !== null) tell(`${name}: ${problem}; ignored`)
    else {
      if (values.has(name)) tell(`${name} is given again; the last one counts`)
      values.set(name, { value: new Secret(read.value), line })
    }
  }
  return { values, problems }
}

function split(content: string): [name: string, rest: string] | [name: null] {
  const equals = content.indexOf('=')
  const name = content
    .slice(0, Math.max(equals, 0))
    .replace(/^export\s+/, '')
    .trim()
  return isVariableName(name) ? [name, content.slice(equals + 1).trim()] : [null]
}

function valueProblem(name: string, value: string): string | null {
  if (value.includes('\0')) return 'a NUL character'
  const bytes = name.length + 1 + new TextEncoder().encode(value).byteLength
  return bytes > MAX_WORD_BYTES ? `longer than ${MAX_WORD_BYTES} bytes` : null
}

function readValue(lines: readonly string[], index: number, rest: string): Read {
  const quote = rest[0]
  if (quote === '"' || quote === "'") return readQuoted(lines, index, quote)
  // A comment begins at a "#" behind a space; "#" within a word is text.
  const comment = /(?:^|\s)#/.exec(rest)
  return { value: (comment === null ? rest : rest.slice(0, comment.index)).trim(), lines: 1 }
}

function readQuoted(lines: readonly string[], index: number, quote: '"' | "'"): Read {
  const first = lines[index] ?? ''
  let text = first.slice(first.indexOf(quote, first.indexOf('=')) + 1)
  let value = ''
  for (let count = 1; ; count++) {
    const part = readPart(text, quote)
    value += part.value
    // It would take work that grows with the square of the file to let one wrong quote swallow it.
    if (value.length > MAX_WORD_BYTES) return { problem: `longer than ${MAX_WORD_BYTES} bytes` }
    if (part.rest !== null) {
      return /^\s*(?:#|$)/.test(part.rest) ? { value, lines: count } : { problem: 'text behind the closing quote' }
    }
    const next = lines[index + count]
    if (next === undefined) return { problem: `the quote is not closed` }
    value += '\n'
    text = next
  }
}

/** Up to the closing quote; `rest` is what follows it, null when it is not on this line. */
function readPart(text: string, quote: '"' | "'"): { value: string; rest: string | null } {
  let value = ''
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? ''
    if (char === quote) return { value, rest: text.slice(at + 1) }
    const next = text[at + 1]
    if (quote === '"' && char === '\\' && next !== undefined) {
      value += ESCAPES[next] ?? (/["\\$`]/.test(next) ? next : `\\${next}`)
      at += 1
    } else value += char
  }
  return { value, rest: null }
}
