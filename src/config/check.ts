/** zod issues as sentences with a key path: what was found, what is expected, the nearest valid spelling. */
import type * as z from 'zod'
import { nearest } from '../core/id.ts'
import { keyPath } from '../core/json.ts'

export interface Problem {
  /** Key path, e.g. `profiles.dev.ports[0]`. */
  readonly path: string
  readonly message: string
}

type Issue = z.core.$ZodIssue

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
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
  return [{ path: keyPath(issue.path), message: `${issue.message.replace(/^Invalid input: /, '')}${suffix}` }]
}

/** `known`: spellings to compare unknown keys with. */
export function problemsOf(error: z.ZodError, root: unknown, known: readonly string[] = []): Problem[] {
  return error.issues.flatMap((issue) => describe(issue as Issue, root, known))
}

export const problemText = (problems: readonly Problem[]): string =>
  problems.map(({ path, message }) => `${path}: ${message}`).join('; ')
