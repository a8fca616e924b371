/**
 * Colours of terminals as classes: only SGR ("select graphic rendition", ECMA-48 8.3.117) is understood, everything else
 * that a terminal would obey is left out. What comes of it is text and class names, never markup.
 */
export interface Span {
  readonly text: string
  /** Class names, '' for none. */
  readonly look: string
}

/** CSI, OSC/DCS/APC (ended by BEL or ST), two-byte sequences; an unfinished one takes the rest of the line. */
const SEQUENCE = new RegExp(
  String.raw`\u{1b}\[([0-?]*)[ -\/]*([@-~]|$)|\u{1b}[\]PX^_][^\u{7}\u{1b}]*(?:\u{7}|\u{1b}\\|$)|\u{1b}[ -\/]*[0-~]?`,
  'gu',
)
/** Controls, and what reorders or hides text. */
const UNSEEN = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu
const NAMED: Readonly<Record<number, string>> = { 1: 'bold', 2: 'dim', 3: 'italic', 4: 'underline', 9: 'strike' }
const ENDS: Readonly<Record<number, readonly string[]>> = {
  ...{ 22: ['bold', 'dim'], 23: ['italic'], 24: ['underline'], 29: ['strike'] },
}
/** Levels of the 6 x 6 x 6 cube of the 256 colours. */
const CUBE = [0, 95, 135, 175, 215, 255]
const MAX_PARTS = 32

interface Look {
  readonly marks: Set<string>
  color: number | null
  background: number | null
  isInverse: boolean
}

const newLook = (): Look => ({ marks: new Set(), color: null, background: null, isInverse: false })

/** Text of a line, without anything that a terminal would obey; a tab becomes spaces, a line that was overwritten its last text. */
export function lineText(line: string): string {
  return spansOf(line)
    .map(({ text }) => text)
    .join('')
}

export function spansOf(line: string): Span[] {
  const shown = line.slice(line.lastIndexOf('\r', line.length - 2) + 1)
  if (!shown.includes('\u001b')) return toSpan(shown, '')
  const spans: Span[] = []
  const look = newLook()
  let at = 0
  for (const match of shown.matchAll(SEQUENCE)) {
    spans.push(...toSpan(shown.slice(at, match.index), classesOf(look)))
    at = match.index + match[0].length
    if (match[2] === 'm') apply(look, match[1] ?? '')
  }
  return [...spans, ...toSpan(shown.slice(at), classesOf(look))]
}

function toSpan(raw: string, look: string): Span[] {
  const text = raw.replaceAll('\t', '    ').replace(UNSEEN, '')
  return text === '' ? [] : [{ text, look }]
}

function classesOf({ marks, color, background, isInverse }: Look): string {
  const [front, back] = isInverse ? [background ?? 0, color ?? 7] : [color, background]
  return [
    ...[...marks].map((mark) => `sgr-${mark}`),
    ...(front === null ? [] : [`sgr-f${front}`]),
    ...(back === null ? [] : [`sgr-b${back}`]),
  ].join(' ')
}

function apply(look: Look, parameters: string): void {
  const codes = parameters
    .split(/[;:]/, MAX_PARTS)
    .map((part) => (part === '' ? 0 : /^\d{1,3}$/.test(part) ? Number(part) : -1))
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index] ?? -1
    if (code === 38 || code === 48) {
      const [color, used] = extended(codes, index + 1)
      if (code === 38) look.color = color ?? look.color
      else look.background = color ?? look.background
      index += used
    } else simple(look, code)
  }
}

function simple(look: Look, code: number): void {
  const mark = NAMED[code]
  if (code === 0) Object.assign(look, newLook())
  else if (mark !== undefined) look.marks.add(mark)
  else if (code === 7 || code === 27) look.isInverse = code === 7
  else if (ENDS[code] !== undefined) for (const ended of ENDS[code] ?? []) look.marks.delete(ended)
  else if (code >= 30) color(look, code)
}

/** 30 to 37 and 90 to 97 for the text, ten more for what is behind it; 39 and 49 take them back. */
function color(look: Look, code: number): void {
  const isBackground = (code >= 40 && code <= 49) || code >= 100
  const base = isBackground ? code - 10 : code
  const value = base === 39 ? null : base <= 37 ? base - 30 : base >= 90 && base <= 97 ? base - 82 : undefined
  if (value === undefined) return
  if (isBackground) look.background = value
  else look.color = value
}

/** A colour of 256 or of 16 million, as the nearest of the sixteen: those are readable in both schemes. */
function extended(codes: readonly number[], at: number): [color: number | null, used: number] {
  if (codes[at] === 5) return [from256(codes[at + 1] ?? -1), 2]
  if (codes[at] !== 2) return [null, 0]
  const [r = -1, g = -1, b = -1] = codes.slice(at + 1, at + 4)
  return [Math.min(r, g, b) < 0 ? null : nearest(r, g, b), 4]
}

function from256(index: number): number | null {
  if (index < 0 || index > 255) return null
  if (index < 16) return index
  if (index >= 232) return nearest(...grey((index - 232) * 10 + 8))
  const rest = index - 16
  const part = (size: number): number => CUBE[Math.floor(rest / size) % 6] ?? 0
  return nearest(part(36), part(6), part(1))
}

const grey = (level: number): [number, number, number] => [level, level, level]

/** By hue: bit 0 red, bit 1 green, bit 2 blue, as the eight colours are numbered. */
function nearest(r: number, g: number, b: number): number {
  const most = Math.max(r, g, b)
  const least = Math.min(r, g, b)
  if (most - least < 30) return most < 64 ? 0 : most < 140 ? 8 : most < 215 ? 7 : 15
  const half = (most + least) / 2
  const hue = (r > half ? 1 : 0) + (g > half ? 2 : 0) + (b > half ? 4 : 0)
  return hue + (most > 230 ? 8 : 0)
}
