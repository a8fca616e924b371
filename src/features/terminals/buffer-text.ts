/** Lines of a terminal as text with colours, read from the cells themselves: a tenth of the time of the serializer. */
import { extendedOf, isSameExtended, linkText, underlineCodes } from './extended-style.ts'
import type { Links, Pen, RawBuffer, RawLine } from './internals.ts'

// The layout of a cell: https://github.com/xtermjs/xterm.js/blob/6.0.0/src/common/buffer/Constants.ts
const CODEPOINT = 0x1fffff
const IS_COMBINED = 0x200000
const WIDTH_SHIFT = 22
const COLOR = 0xffffff
const MODE = 0x3000000
const [PALETTE_16, PALETTE_256, RGB] = [0x1000000, 0x2000000, 0x3000000]
const FG_FLAGS: readonly (readonly [number, number])[] = [
  [0x8000000, 1],
  [0x10000000, 4],
  [0x20000000, 5],
  [0x4000000, 7],
  [0x40000000, 8],
  [0x80000000, 9],
]
const BG_FLAGS: readonly (readonly [number, number])[] = [
  [0x8000000, 2],
  [0x4000000, 3],
  [0x40000000, 53],
]
/** Of the background, what is no attribute to be seen. */
const BG_SEEN = ~(0x10000000 | 0x20000000)
/** Of the foreground, what is seen without a character. */
const FG_SEEN_EMPTY = 0x10000000 | 0x4000000 | 0x80000000

function color(attribute: number, base: 30 | 40): string {
  const value = attribute & COLOR
  // Of the bits of a colour before, the upper ones may be left.
  const index = value & 0xff
  switch (attribute & MODE) {
    case PALETTE_16:
      return index < 8 ? `;${base + index}` : `;${base + 60 + index - 8}`
    case PALETTE_256:
      return `;${base + 8};5;${index}`
    case RGB:
      return `;${base + 8};2;${value >> 16};${(value >> 8) & 0xff};${value & 0xff}`
    default:
      return ''
  }
}

/** Sets these attributes and no others; a link is none of them. */
export function style({ fg, bg, extended }: Pen): string {
  let codes = '0'
  for (const [flag, code] of FG_FLAGS) if ((fg & flag) !== 0) codes += `;${code}`
  for (const [flag, code] of BG_FLAGS) if ((bg & flag) !== 0) codes += `;${code}`
  return `\x1b[${codes}${underlineCodes(extended)}${color(fg, 30)}${color(bg, 40)}m`
}

const PLAIN: Pen = { fg: 0, bg: 0, extended: { _ext: 0, _urlId: 0 } }

const penOf = (line: RawLine, x: number): Pen => ({
  fg: line._data[x * 3 + 1] ?? 0,
  bg: (line._data[x * 3 + 2] ?? 0) & BG_SEEN,
  extended: extendedOf(line, x),
})

/** What has to be written between two cells. */
function penText(before: Pen, after: Pen, links: Links): string {
  const isSame = before.fg === after.fg && before.bg === after.bg && before.extended._ext === after.extended._ext
  const link = after.extended._urlId
  return (isSame ? '' : style(after)) + (before.extended._urlId === link ? '' : linkText(link, links))
}

/** Cells to the right that hold nothing are not written. */
function usedCells(data: Uint32Array, cols: number): number {
  let used = Math.min(cols, Math.floor(data.length / 3))
  for (; used > 0; used -= 1) {
    const at = (used - 1) * 3
    if (((data[at] ?? 0) & (CODEPOINT | IS_COMBINED)) !== 0) break
    if (((data[at + 1] ?? 0) & FG_SEEN_EMPTY) !== 0 || ((data[at + 2] ?? 0) & BG_SEEN) !== 0) break
  }
  return used
}

const widthOf = (data: Uint32Array, x: number): number => (data[x * 3] ?? 0) >>> WIDTH_SHIFT

/** Cells with the same attributes, from `start` on: their text, where they end, and how wide they are. */
function runText(line: RawLine, { fg, bg, extended }: Pen, [start, used]: readonly [number, number]) {
  const data = line._data
  const goesOn = (x: number): boolean =>
    data[x * 3 + 1] === fg && ((data[x * 3 + 2] ?? 0) & BG_SEEN) === bg && isSameExtended(extendedOf(line, x), extended)
  let [text, width, x] = ['', 0, start]
  const codes: number[] = []
  for (; x < used && goesOn(x); x += 1) {
    const cell = widthOf(data, x)
    // The right half of a wide character.
    if (cell === 0 && x > 0 && widthOf(data, x - 1) === 2) continue
    width += cell === 2 ? 2 : 1
    const content = data[x * 3] ?? 0
    if ((content & IS_COMBINED) === 0) codes.push(content & CODEPOINT || 32)
    else {
      text += String.fromCodePoint(...codes.splice(0)) + (line._combined[x] ?? ' ')
    }
  }
  return { text: text + String.fromCodePoint(...codes), end: x, width }
}

interface LineParts {
  readonly cols: number
  /** The line that this one goes on in; it must begin where it did. */
  readonly next: RawLine | null
  readonly links: Links
}

function lineText(line: RawLine, state: { pen: Pen }, { cols, next, links }: LineParts): string {
  const used = usedCells(line._data, cols)
  let [text, width, x] = ['', 0, 0]
  while (x < used) {
    const pen = penOf(line, x)
    text += penText(state.pen, pen, links)
    state.pen = pen
    const run = runText(line, pen, [x, used])
    text += run.text
    width += run.width
    x = run.end
  }
  // The end of a line that was wrapped, and holds nothing.
  if (text === '' && line.isWrapped) text = ' '
  if (next === null) return text
  // A line that goes on must reach the edge, or its rest would follow beside it; a wide character leaves a gap before it.
  const edge = widthOf(next._data, 0) === 2 ? cols - 1 : cols
  return text + ' '.repeat(Math.max(0, edge - width))
}

/** One cell, as it was written. */
export function cellText(line: RawLine, x: number): string {
  const content = line._data[x * 3] ?? 0
  const text = (content & IS_COMBINED) !== 0 ? line._combined[x] : String.fromCodePoint(content & CODEPOINT || 32)
  return style(penOf(line, x)) + (text ?? ' ')
}

/** All lines, from the top of an empty terminal on; no attributes and no link are left on at the end. */
export function bufferText(buffer: RawBuffer, cols: number, links: Links): string {
  const state = { pen: PLAIN }
  const parts: string[] = []
  const reset = (): void => {
    parts.push(penText(state.pen, PLAIN, links))
    state.pen = PLAIN
  }
  const { length } = buffer.lines
  for (let y = 0; y < length; y += 1) {
    const line = buffer.lines.get(y)
    if (line === undefined) continue
    const below = buffer.lines.get(y + 1)
    const next = below?.isWrapped === true ? below : null
    parts.push(lineText(line, state, { cols, next, links }))
    if (next !== null || y === length - 1) continue
    // A new line would take the colour of the background.
    if (state.pen.bg !== 0) reset()
    parts.push('\r\n')
  }
  reset()
  return parts.join('')
}
