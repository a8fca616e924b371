/** Searching a log: a text or a regular expression, and where it is found. */
import type { Span } from '../../shared/ansi.ts'

export interface Search {
  readonly pattern: RegExp | null
  /** Why it is none; null while it is one. */
  readonly problem: string | null
}

const NO_SEARCH: Search = { pattern: null, problem: null }
/** A line is searched up to here: a pattern that goes back and forth must not hold the page up for long. */
const MAX_SEARCHED = 4000
const MAX_MARKS = 200

/** Small letters find both; a capital finds itself, as in editors. */
export function readSearch(text: string, isRegex: boolean): Search {
  if (text === '') return NO_SEARCH
  const flags = /\p{Lu}/u.test(text) ? 'gu' : 'giu'
  const source = isRegex ? text : text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  try {
    // "-" needs no escape outside of a class, and must not have one with the u flag.
    return { pattern: new RegExp(isRegex ? source : source.replaceAll('\\-', '-'), flags), problem: null }
  } catch (error) {
    return { pattern: null, problem: error instanceof Error ? error.message : String(error) }
  }
}

export function isFound(pattern: RegExp, text: string): boolean {
  pattern.lastIndex = 0
  return pattern.test(text.slice(0, MAX_SEARCHED))
}

/** Begin and end of each find; an empty one marks nothing. */
export function findsIn(pattern: RegExp, text: string): [number, number][] {
  const finds: [number, number][] = []
  for (const match of text.slice(0, MAX_SEARCHED).matchAll(pattern)) {
    if (match[0] !== '') finds.push([match.index, match.index + match[0].length])
    if (finds.length >= MAX_MARKS) break
  }
  return finds
}

export interface MarkedSpan extends Span {
  readonly isMark: boolean
}

/** The spans of a line, cut where a find begins or ends. */
export function markSpans(spans: readonly Span[], finds: readonly [number, number][]): MarkedSpan[] {
  if (finds.length === 0) return spans.map((span) => ({ ...span, isMark: false }))
  const marked: MarkedSpan[] = []
  let begin = 0
  for (const { text, look } of spans) {
    const cuts = new Set([0, text.length])
    for (const edge of finds.flat()) if (edge > begin && edge < begin + text.length) cuts.add(edge - begin)
    const places = [...cuts].toSorted((a, b) => a - b)
    for (let index = 0; index + 1 < places.length; index++) {
      const [from = 0, to = 0] = [places[index], places[index + 1]]
      const isMark = finds.some(([first, last]) => begin + from >= first && begin + to <= last)
      marked.push({ text: text.slice(from, to), look, isMark })
    }
    begin += text.length
  }
  return marked
}
