/** Text for a terminal: width, wrapping, colour, and making foreign text harmless. */

const ESC = '\u001b'
const COLOUR = new RegExp(`${ESC}\\[[\\d;:]*m`, 'g')
/** Control characters, line separators, and the marks that reorder or hide text on screen. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu
const UNSAFE_IN_JSON = /[\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u
const ZERO = /[\p{M}\p{Cf}]/u
const PLAIN = /^[ -~]*$/

/**
 * Text of an agent, a file or the network that is safe to print: colour sequences are dropped, every other control
 * character is shown as `\x1b`. Newlines and tabs stay; `\r\n` becomes `\n`.
 */
export function neutralise(text: string): string {
  if (PLAIN.test(text)) return text
  return text
    .replace(COLOUR, '')
    .replaceAll('\r\n', '\n')
    .replace(UNSAFE, (char) => (char === '\n' || char === '\t' ? char : visible(char)))
}

/** As `neutralise`, for text that has to stay on one line. */
export function neutraliseLine(text: string): string {
  if (PLAIN.test(text)) return text
  return neutralise(text).replaceAll('\n', '\\n').replaceAll('\t', ' ')
}

function visible(char: string): string {
  const code = char.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}

/** Every string of plain data made harmless; class instances (dates, secrets) are left to print themselves. */
export function neutraliseData(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return neutralise(value)
  if (typeof value !== 'object' || value === null || depth > 16) return value
  if (Array.isArray(value)) return value.map((item) => neutraliseData(item, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [neutraliseLine(key), neutraliseData(item, depth + 1)]),
  )
}

/** JSON that is safe on a terminal too: what JSON leaves unescaped but a terminal obeys becomes `\uXXXX`. */
export function safeJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value === undefined ? null : value, null, indent)
  return text.replace(UNSAFE_IN_JSON, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Columns that a text takes on a terminal; colour sequences take none. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length
  let width = 0
  for (const char of text.replace(COLOUR, '')) width += WIDE.test(char) ? 2 : ZERO.test(char) ? 0 : 1
  return width
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)))
}

/** Cuts to `width` columns, ending in `…` when something was left out. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let kept = ''
  let used = 0
  for (const char of text) {
    used += displayWidth(char)
    if (used > width - 1) break
    kept += char
  }
  return `${kept}…`
}

/** Breaks at spaces so that lines fit `width` columns; a longer word stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  if (line !== '' || lines.length === 0) lines.push(line)
  return lines
}

const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const
type Style = keyof typeof CODES

/** Colours a text when `on`. */
export function paint(style: Style, text: string, on: boolean): string {
  if (!on || text === '') return text
  const [start, end] = CODES[style]
  return `${ESC}[${start}m${text}${ESC}[${end}m`
}

/** A text in double quotes with control characters escaped, cut to a readable length: for error messages. */
export function quoted(text: string): string {
  return safeJson(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
