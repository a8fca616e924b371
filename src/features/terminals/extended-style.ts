/** What few cells have beside their colours: a link (OSC 8), and an underline of another kind or colour. */
import type { Links, RawExtended, RawLine } from './internals.ts'

// The layout: https://github.com/xtermjs/xterm.js/blob/6.0.0/src/common/buffer/Constants.ts
const HAS_EXTENDED = 0x10000000
const UNDERLINE_STYLE = 0x1c000000
const STYLE_SHIFT = 26
const COLOR = 0xffffff
const MODE = 0x3000000
const RGB = 0x3000000
/** Of the number of a style (SGR 4:n): a plain one is an attribute like any other. */
const [SINGLE, DASHED] = [1, 5]

const NONE: RawExtended = { _ext: 0, _urlId: 0 }

/** Of one cell. */
export const extendedOf = (line: RawLine, x: number): RawExtended =>
  ((line._data[x * 3 + 2] ?? 0) & HAS_EXTENDED) === 0 ? NONE : (line._extendedAttrs[x] ?? NONE)

export const isSameExtended = (a: RawExtended, b: RawExtended): boolean =>
  a === b || (a._ext === b._ext && a._urlId === b._urlId)

/** To be added to the codes of SGR; they come after the plain underline, which they change. */
export function underlineCodes({ _ext }: RawExtended): string {
  const kind = (_ext & UNDERLINE_STYLE) >>> STYLE_SHIFT
  const value = _ext & COLOR
  const style = kind > SINGLE && kind <= DASHED ? `;4:${kind}` : ''
  if ((_ext & MODE) === 0) return style
  if ((_ext & MODE) !== RGB) return `${style};58:5:${value & 0xff}`
  return `${style};58:2::${value >> 16}:${(value >> 8) & 0xff}:${value & 0xff}`
}

/** Begins a link, or ends the one before. */
export function linkText(link: number, links: Links): string {
  const target = link === 0 ? undefined : links(link)
  if (target === undefined) return '\x1b]8;;\x1b\\'
  // Both came through the parser: no control character is in them, and no semicolon in the id.
  return `\x1b]8;${target.id === undefined ? '' : `id=${target.id}`};${target.uri}\x1b\\`
}
