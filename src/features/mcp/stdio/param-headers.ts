/** Which arguments of a tool its clients repeat in headers: `x-mcp-header` in the tool's input schema. */
import { isObject } from '../../../core/json.ts'

export interface ParamHeader {
  readonly path: readonly string[]
  /** Behind `Mcp-Param-`. */
  readonly name: string
  readonly isNumber: boolean
}

const MAX_DEPTH = 16
const MAX_HEADERS = 100
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/

/** What a schema declares. A name that no header can have is the tool's mistake, and clients leave such a tool out. */
function declaredIn(schema: unknown, path: readonly string[], found: ParamHeader[]): void {
  if (!isObject(schema) || path.length > MAX_DEPTH || found.length >= MAX_HEADERS) return
  const name = schema['x-mcp-header']
  if (typeof name === 'string' && TOKEN.test(name) && path.length > 0)
    found.push({ path, name, isNumber: schema['type'] === 'integer' || schema['type'] === 'number' })
  if (isObject(schema['properties']))
    for (const [key, child] of Object.entries(schema['properties'])) declaredIn(child, [...path, key], found)
}

/** Adds what a result of `tools/list` declares, by tool. */
export function learnTools(
  known: Map<string, readonly ParamHeader[]>,
  result: Readonly<Record<string, unknown>>,
): void {
  if (!Array.isArray(result['tools'])) return
  for (const tool of result['tools'] as unknown[]) {
    if (!isObject(tool) || typeof tool['name'] !== 'string') continue
    const found: ParamHeader[] = []
    declaredIn(tool['inputSchema'], [], found)
    if (found.length > 0) known.set(tool['name'], found)
    else known.delete(tool['name'])
  }
}
