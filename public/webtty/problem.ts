/** Errors as the page tells them. */
import { ApiError } from '../shared/api.ts'
import type { Problem } from './session.ts'

export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return { code: error.code, message: error.message, hint: error.hint }
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error), hint: null }
}

/** What stands after "Run: " in a hint, or a hint that is a command. */
export function commandIn(hint: string): string | null {
  return /(?:^|\bRun: )(ploinky [^\n]+)$/.exec(hint.trim())?.[1] ?? null
}
