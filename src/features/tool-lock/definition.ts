/** A tool's definition as it was approved, and how another one differs. Pure. */
import { childPath, isObject } from '../../core/json.ts'

/** A definition as JSON; anything may be in it. */
export type Definition = Readonly<Record<string, unknown>>

export interface Difference {
  /** Key path in the definition. */
  readonly path: string
  /** JSON, shortened; null: not there. */
  readonly before: string | null
  readonly after: string | null
}

const MAX_DIFFERENCES = 50
const MAX_TEXT = 500

/** JSON in which the order of keys is no difference. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    isObject(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) : item,
  )
}

function shown(value: unknown): string | null {
  if (value === undefined) return null
  const text = canonical(value)
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`
}

/** Where two definitions differ, deepest first place of each; at most 50. */
export function differences(before: unknown, after: unknown, path = ''): Difference[] {
  if (canonical(before) === canonical(after)) return []
  if (!isObject(before) || !isObject(after)) return [{ path, before: shown(before), after: shown(after) }]
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return keys.flatMap((key) => differences(before[key], after[key], childPath(path, key))).slice(0, MAX_DIFFERENCES)
}

/** The definitions of a `tools/list` result by name; what has no name cannot be called. */
export function definitionsOf(tools: unknown): Map<string, Definition> {
  const found = new Map<string, Definition>()
  for (const tool of Array.isArray(tools) ? (tools as unknown[]) : [])
    if (isObject(tool) && typeof tool['name'] === 'string') found.set(tool['name'], tool)
  return found
}
