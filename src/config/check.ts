/** zod issues as sentences with a key path: what was found, what is expected, the nearest valid spelling. */
import * as z from 'zod/mini'
import en from 'zod/v4/locales/en.js'
import { nearest } from '../core/id.ts'
import { keyPath } from '../core/json.ts'

export interface Problem {
  /** Key path, e.g. `profiles.dev.ports[0]`. */
  readonly path: string
  readonly message: string
  /** Where the text is known: the first line is 1. */
  readonly line?: number
}

// The small zod has no words of its own; which they are decides what `expectedOf` reads.
z.config(en())

type Issue = z.core.$ZodIssue

const MAX_SHOWN = 60

/** A value of a document as it may stand in a sentence: short. */
export function show(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 3)}...` : text
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}

/** zod's names of types, as people say them. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
}

function expectedOf(issue: Issue): string {
  if (issue.code === 'invalid_type') return `expected ${TYPE_NAMES[issue.expected] ?? issue.expected}`
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message
  return issue.message.replace(/^(?:Invalid (?:input|option)|Too (?:small|big)): /, '').replace(/to be /, '')
}

/** Of alternatives: the one that got furthest is what was meant; when none did, all that would be accepted. */
function settle(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue]
  const deep = issue.errors.find((branch) => branch.some(({ path }) => path.length > 0))
  if (deep !== undefined) {
    return deep.flatMap((inner) => settle({ ...inner, path: [...issue.path, ...inner.path] } as Issue))
  }
  const expected = new Set(issue.errors.flat().map((inner) => expectedOf(inner as Issue).replace(/^expected /, '')))
  return [{ ...issue, message: `expected ${[...expected].join(' or ')}` }]
}

function describe(issue: Issue, root: unknown, known: readonly string[]): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const near = nearest(key, known)
      return {
        path: keyPath([...issue.path, key]),
        message: `unknown key${near === null ? '' : `, did you mean "${near}"?`}`,
      }
    })
  }
  const found = valueAt(root, issue.path)
  const suffix = found === undefined ? '' : `, found ${show(found)}`
  const near =
    issue.code === 'invalid_value' && typeof found === 'string' ? nearest(found, issue.values.map(String)) : null
  const meant = near === null ? '' : `, did you mean "${near}"?`
  return [{ path: keyPath(issue.path), message: `${expectedOf(issue)}${suffix}${meant}` }]
}

/** `known`: spellings to compare unknown keys with. */
export function problemsOf(error: z.core.$ZodError, root: unknown, known: readonly string[] = []): Problem[] {
  return error.issues.flatMap((issue) => settle(issue as Issue)).flatMap((issue) => describe(issue, root, known))
}

export const problemText = (problems: readonly Problem[]): string =>
  problems.map(({ path, message }) => `${path}: ${message}`).join('; ')
