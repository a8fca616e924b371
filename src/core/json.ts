/** JSON with places: errors name the line and column, as a person with an editor needs them. */

export type JsonResult = { ok: true; value: unknown } | { ok: false; problem: string; line: number; column: number }

export function parseJson(source: string): JsonResult {
  const text = source.replace(/^\uFEFF/, '')
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const { line, column } = placeOf(offsetOf(message, text), text)
    const problem = message
      .replace(/\s*(?:in JSON )?at position \d+.*$/s, '')
      .replace(/, (?:\.\.\.)?".*" is not valid JSON$/s, '')
      .replace(/^".*" is not valid JSON$/s, 'Not a JSON value')
    return { ok: false, problem: `${problem} at line ${line}, column ${column}`, line, column }
  }
}

/** V8 tells an offset ("at position 12") except for a wrong token, and for a text that ended too early. */
function offsetOf(message: string, text: string): number {
  const position = /at position (\d+)/.exec(message)?.[1]
  if (position !== undefined) return Number(position)
  if (message.startsWith('Unexpected token')) return wrongToken(text)
  return message.includes('end of JSON') ? text.length : 0
}

/** Offset of the first character that cannot follow: every shorter text only ends too early. Found by halving. */
function wrongToken(text: string): number {
  let good = 0
  let bad = text.length
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (endsWithWrongToken(text.slice(0, middle))) bad = middle
    else good = middle
  }
  return good
}

function endsWithWrongToken(text: string): boolean {
  try {
    JSON.parse(text)
    return false
  } catch (error) {
    return error instanceof Error && error.message.startsWith('Unexpected token')
  }
}

function placeOf(offset: number, text: string): { line: number; column: number } {
  const before = text.slice(0, offset)
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') }
}

/** Neither null nor a list. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The object that a text is; null: it is something else, or no JSON. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

/** The value itself where it is an object, else an empty one. */
export const objectOf = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {})

/** Adds one key to a path: `a` and `b` give `a.b`, `a` and 2 give `a[2]`, odd keys are quoted. */
export function childPath(parent: string, key: PropertyKey): string {
  if (typeof key === 'number') return `${parent}[${key}]`
  const name = String(key)
  if (/^[A-Za-z_$][\w$-]*$/.test(name)) return parent === '' ? name : `${parent}.${name}`
  return `${parent}[${JSON.stringify(name)}]`
}

/** `a.b[2].c` of a path of keys, for errors. */
export function keyPath(path: readonly PropertyKey[]): string {
  const text = path.reduce<string>(childPath, '')
  return text === '' ? '(root)' : text
}
