/** A server's entry in the text of a client's configuration: comments, order and indentation of the rest stay. Pure. */
import { isObject } from '../../../core/json.ts'
import { applyEdits, type FormattingOptions, modify, parse, type ParseError, printParseErrorCode } from 'jsonc-parser'
import { PloinkyError } from '../../../core/error.ts'
import { own } from '../../../core/id.ts'
import type { Asked, Json, McpClient } from './clients.ts'

export interface Entry {
  readonly name: string
  readonly value: Json
  readonly asked: Asked | null
}

/** An entry, and where it goes. */
export interface Place extends Entry {
  readonly file: string
}

function unreadable(file: string, problem: string): PloinkyError {
  return new PloinkyError('CONFIG_INVALID', `"${file}" cannot be changed: ${problem}`, {
    hint: 'Correct it, or add the printed text by hand: leave out --install',
    details: { file },
  })
}

/** As the file has it; two spaces where it says nothing. */
function formattingOf(text: string): FormattingOptions {
  const indent = /^(?<space>[ \t]+)\S/m.exec(text)?.groups?.['space'] ?? '  '
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  return indent.startsWith('\t')
    ? { insertSpaces: false, tabSize: 1, eol }
    : { insertSpaces: true, tabSize: indent.length, eol }
}

function read(text: string, file: string): Json {
  const errors: ParseError[] = []
  const value: unknown = parse(text, errors, { allowTrailingComma: true })
  const [first] = errors
  if (first !== undefined) {
    const line = text.slice(0, first.offset).split('\n').length
    throw unreadable(file, `line ${line}: ${printParseErrorCode(first.error)}`)
  }
  if (!isObject(value)) throw unreadable(file, 'it holds no object')
  return value
}

function editJson(text: string, client: McpClient, { name, value, asked, file }: Place): string {
  const before = text.trim() === '' ? '{}\n' : text
  const options = { formattingOptions: formattingOf(before) }
  const config = read(before, file)
  const servers = own(config, client.root) ?? {}
  if (!isObject(servers)) throw unreadable(file, `"${client.root}" is no object`)
  if (JSON.stringify(own(servers, name)) === JSON.stringify(value) && asked === null) return text
  const changed = applyEdits(before, modify(before, [client.root, name], value, options))
  const after = before === text || changed.endsWith('\n') ? changed : `${changed}\n`
  if (asked === null) return after
  const inputs = own(config, 'inputs') ?? []
  if (!Array.isArray(inputs)) throw unreadable(file, '"inputs" is no list')
  if (inputs.some((input) => isObject(input) && input['id'] === asked.id)) return after
  return applyEdits(
    after,
    modify(after, ['inputs', inputs.length], asked.value, { ...options, isArrayInsertion: true }),
  )
}

/** Text of JSON is text of TOML as well, for these values. */
const tomlLines = (value: Json): string[] =>
  Object.entries(value).map(([key, item]) => `${key} = ${JSON.stringify(item)}`)

const tomlTable = (root: string, { name, value }: Entry): string =>
  [`[${root}.${name}]`, ...tomlLines(value), ''].join('\n')

/** A table may stand at the end of any TOML file; one that is there already is a person's to change. */
function editToml(text: string, client: McpClient, entry: Place): string {
  const { file } = entry
  const table = tomlTable(client.root, entry)
  if (`\n${text.trimEnd()}\n`.includes(`\n${table}`)) return text
  const header = new RegExp(`^\\s*\\[\\s*${client.root}\\s*\\.\\s*["']?${entry.name}["']?\\s*[.\\]]`, 'm')
  if (header.test(text)) {
    throw new PloinkyError('CONFLICT', `"${file}" has a table ${client.root}.${entry.name} already`, {
      hint: `Remove it (codex mcp remove ${entry.name}), or choose another name: --name NAME`,
    })
  }
  if (new RegExp(`^\\s*["']?${client.root}["']?\\s*[.=]`, 'm').test(text)) {
    throw unreadable(file, `"${client.root}" is written as one value`)
  }
  return text.trim() === '' ? table : `${text.trimEnd()}\n\n${table}`
}

/** The text with the entry in it; the same text when it is there already. */
export function withEntry(text: string, client: McpClient, entry: Place): string {
  if (client.format === 'json') return editJson(text, client, entry)
  if (client.format === 'toml') return editToml(text, client, entry)
  throw new PloinkyError('CAPABILITY_UNSUPPORTED', `The configuration of ${client.title} is changed by hand only`, {
    hint: `Add the text that is printed without --install to ${entry.file}`,
  })
}

/** What a person adds to the file by hand. */
export function snippet(client: McpClient, entry: Entry): string {
  if (client.format === 'json') {
    const inputs = entry.asked === null ? {} : { inputs: [entry.asked.value] }
    return `${JSON.stringify({ ...inputs, [client.root]: { [entry.name]: entry.value } }, null, 2)}\n`
  }
  if (client.format === 'toml') return tomlTable(client.root, entry)
  const lines = Object.entries({ name: entry.name, ...entry.value }).map(
    ([key, value]) => `    ${key}: ${JSON.stringify(value)}`,
  )
  return [`${client.root}:`, `  ${entry.name}:`, ...lines, ''].join('\n')
}

const CONTEXT = 3

/** The one place where two texts differ, as a unified diff. */
export function diffOf(before: string, after: string, file: string): string {
  const [a, b] = [before === '' ? [] : before.replace(/\n$/, '').split('\n'), after.replace(/\n$/, '').split('\n')]
  let head = 0
  while (head < Math.min(a.length, b.length) && a[head] === b[head]) head += 1
  let tail = 0
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1
  const from = Math.max(0, head - CONTEXT)
  const rest = Math.min(CONTEXT, tail)
  const counts = (lines: readonly string[]): string =>
    `${lines.length === 0 ? 0 : from + 1},${lines.length - tail + rest - from}`
  return [
    `--- ${before === '' ? '/dev/null' : file}`,
    `+++ ${file}`,
    `@@ -${counts(a)} +${counts(b)} @@`,
    ...a.slice(from, head).map((line) => ` ${line}`),
    ...a.slice(head, a.length - tail).map((line) => `-${line}`),
    ...b.slice(head, b.length - tail).map((line) => `+${line}`),
    ...a.slice(a.length - tail, a.length - tail + rest).map((line) => ` ${line}`),
  ].join('\n')
}
