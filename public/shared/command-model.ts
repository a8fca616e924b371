/** The table of commands (`GET /api/v1/commands`) as a page uses it: searched, filled in, said as a line, sent. DOM-free. */
import type { Method } from './api.ts'
import { asRecord, listOf, textOr, textOrNull } from './api.ts'
import { plainText, shellWord } from './format.ts'

export interface CommandParam {
  readonly name: string
  readonly type: 'string' | 'integer' | 'port' | 'boolean' | 'rest'
  readonly summary: string
  readonly required: boolean
  readonly positional: boolean
  readonly choices: readonly string[]
  /** What its values are names of: `agents`, `catalog`, `repos`, `settings`. */
  readonly complete: string | null
  readonly secret: boolean
}
export interface CommandEntry {
  readonly name: string
  readonly summary: string
  readonly description: string | null
  readonly group: string
  readonly params: readonly CommandParam[]
  /** Null: for a terminal only. */
  readonly http: { readonly method: Method; readonly path: string } | null
  readonly destructive: boolean
}
/** What was filled in: text, a list of words, or on and off. Empty text is as if it were not there. */
export type Values = Readonly<Record<string, string | readonly string[] | boolean>>

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'DELETE']
const TYPES = ['string', 'integer', 'port', 'boolean', 'rest'] as const
const clean = (value: unknown): string => plainText(textOr(value, ''))

export function readCommands(body: unknown): CommandEntry[] {
  return listOf(body)
    .map((item) => {
      const { name, summary, description, group, params, http, destructive } = asRecord(item)
      const { method, path } = asRecord(http)
      const isUsable = typeof method === 'string' && METHODS.includes(method) && typeof path === 'string'
      return {
        name: clean(name),
        summary: clean(summary),
        description: textOrNull(description) === null ? null : clean(description),
        group: clean(group),
        params: listOf(params).map(readParam),
        http: isUsable ? { method: method as Method, path } : null,
        destructive: destructive === true,
      }
    })
    .filter(({ name }) => name !== '')
}

function readParam(value: unknown): CommandParam {
  const { name, type, summary, required, positional, choices, complete, secret } = asRecord(value)
  return {
    name: clean(name),
    type: TYPES.find((known) => known === type) ?? 'string',
    summary: clean(summary),
    required: required === true,
    positional: positional === true,
    choices: listOf(choices).map(clean),
    complete: textOrNull(complete),
    secret: secret === true,
  }
}

const given = (values: Values, name: string): string | readonly string[] | true | null => {
  const value = values[name]
  if (value === undefined || value === false || value === '') return null
  return Array.isArray(value) && value.length === 0 ? null : (value as string | readonly string[] | true)
}

/** The first required param that has no value, or null. */
export const missingParam = ({ params }: CommandEntry, values: Values): CommandParam | null =>
  params.find(({ name, required }) => required && given(values, name) === null) ?? null

/** The same in a terminal. A secret is left out: the command asks for it, and no history keeps it. */
export function lineOf({ name, params }: CommandEntry, values: Values): string {
  const words: string[] = ['ploinky', ...name.split(' ')]
  const last: string[] = []
  let isGap = false
  for (const param of params) {
    const value = param.secret ? null : given(values, param.name)
    if (value === null) {
      // A place that stays empty: what comes after it has to be named.
      if (param.positional && !param.secret) isGap = true
      continue
    }
    if (value === true) words.push(`--${param.name}`)
    else if (typeof value !== 'string') last.push(...value.map(shellWord))
    else if (param.positional && !isGap) words.push(shellWord(value))
    else words.push(`--${param.name}`, shellWord(value))
  }
  return [...words, ...last].join(' ')
}

export interface ApiRequest {
  readonly method: Method
  /** Below the router's root. */
  readonly path: string
  readonly body: Readonly<Record<string, unknown>> | undefined
}

/** What is sent for it. `http` must not be null. */
export function requestOf({ http, params }: CommandEntry, values: Values): ApiRequest {
  if (http === null) throw new Error('This command is for a terminal only')
  const inPath = new Set([...http.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''))
  const path = http.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(asRef(String(values[name] ?? ''))),
  )
  const others = params.flatMap((param): [string, unknown][] => {
    const value = inPath.has(param.name) ? null : given(values, param.name)
    return value === null ? [] : [[param.name, value]]
  })
  const byQuery = http.method === 'GET' || http.method === 'DELETE'
  const query = byQuery ? new URLSearchParams(others.flatMap(queryPairs)).toString() : ''
  return {
    method: http.method,
    path: `api/v1${path}${query === '' ? '' : `?${query}`}`,
    body: byQuery ? undefined : Object.fromEntries(others),
  }
}

/** `repo/agent` has another spelling, which is one part of an address. */
const asRef = (value: string): string => value.replace(/^([\w.-]+)\/([\w.-]+)$/, '$1:$2')

const queryPairs = ([name, value]: [string, unknown]): [string, string][] =>
  (Array.isArray(value) ? value : [value]).map((item) => [name, String(item)])

/** Words of a line as a person types them: separated by spaces, quoted where they hold one. */
export function splitWords(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  )
}

/**
 * How well a text fits what was typed: 0 is not at all. Every word must be found in order of its letters; the beginnings of
 * words and letters beside each other count more.
 */
export function fits(text: string, typed: string): number {
  const words = typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  const target = text.toLowerCase()
  let total = 1
  for (const word of words) {
    const score = scoreOf(target, word)
    if (score === 0) return 0
    total += score
  }
  return total
}

function scoreOf(text: string, word: string): number {
  const at = text.indexOf(word)
  if (at >= 0)
    return 100 + word.length * 4 + (at === 0 ? 40 : /\W/.test(text[at - 1] ?? '') ? 25 : 0) - Math.min(20, at / 4)
  let score = 0
  let from = 0
  for (const letter of word) {
    const found = text.indexOf(letter, from)
    if (found < 0) return 0
    // Letters far from each other are a coincidence.
    if (from > 0 && found - from > 12) return 0
    score += found === from ? 3 : /\W/.test(text[found - 1] ?? ' ') ? 4 : 1
    from = found + 1
  }
  return score
}
