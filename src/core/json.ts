/** JSON with places: errors name the line and column, as a person with an editor needs them. */

export type JsonResult = { ok: true; value: unknown } | { ok: false; problem: string; line: number; column: number }

export function parseJson(text: string): JsonResult {
  try {
    return { ok: true, value: JSON.parse(text.replace(/^\uFEFF/, '')) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const { line, column } = placeOf(message, text)
    const problem = message
      .replace(/\s*(?:in JSON )?at position \d+.*$/s, '')
      .replace(/, (?:\.\.\.)?".*" is not valid JSON$/s, '')
    return { ok: false, problem: `${problem} at line ${line}, column ${column}`, line, column }
  }
}

/** V8 tells an offset ("at position 12") unless the text ended too early, or is too short for it to bother. */
function placeOf(message: string, text: string): { line: number; column: number } {
  const position = /position (\d+)/.exec(message)?.[1]
  let offset = position === undefined ? text.length : Number(position)
  if (position === undefined && text.trim() !== '') {
    const token = /Unexpected token '?(.)'?/u.exec(message)?.[1]
    const found = token === undefined ? -1 : text.indexOf(token)
    if (found >= 0) offset = found
  }
  const before = text.slice(0, offset)
  const lastBreak = before.lastIndexOf('\n')
  return { line: before.split('\n').length, column: offset - lastBreak }
}

/** `a.b[2].c` of a path of keys, for errors. */
export function keyPath(path: readonly PropertyKey[]): string {
  let text = ''
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`
    else if (/^[A-Za-z_$][\w$-]*$/.test(String(key))) text += text === '' ? String(key) : `.${String(key)}`
    else text += `[${JSON.stringify(String(key))}]`
  }
  return text === '' ? '(root)' : text
}
