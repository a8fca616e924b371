/** Where things stand in a JSON text: what `JSON.parse` forgets. */
import { childPath } from './json.ts'

export interface JsonPlaces {
  /** Line (the first is 1) of a key path as `keyPath` writes it, or of the nearest part of it that the text has. */
  lineOf(path: string): number
  /** Keys that stand more than once in one object; `JSON.parse` keeps the last. */
  readonly duplicates: readonly string[]
  /** Key paths that end in `__proto__`, which no program can keep as an ordinary key. */
  readonly forbidden: readonly string[]
}

/** Levels of brackets outside of strings. Safe for any text and any depth, so it can guard what recurses. */
export function jsonDepth(text: string): number {
  let depth = 0
  let deepest = 0
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '"') i = endOfString(text, i)
    else if (char === '[' || char === '{') deepest = Math.max(deepest, (depth += 1))
    else if (char === ']' || char === '}') depth -= 1
  }
  return deepest
}

/** Index of the closing quote, or of the end of a text that has none. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i += 1
    else if (text[i] === '"') return i
  }
  return text.length
}

interface Level {
  readonly path: string
  /** Of an object: the keys so far. Null for an array. */
  readonly keys: Set<string> | null
  /** Path of the value that comes next; null while a key is expected. */
  next: string | null
  index: number
}

/** Places of a text that `JSON.parse` accepts (a byte order mark in front is fine). */
export function placesInJson(text: string): JsonPlaces {
  const lines = new Map<string, number>()
  const duplicates: string[] = []
  const forbidden: string[] = []
  const levels: Level[] = []
  let line = 1

  function takeKey(level: Level, key: string): void {
    const path = childPath(level.path, key)
    if (level.keys?.has(key)) duplicates.push(path)
    if (key === '__proto__') forbidden.push(path)
    level.keys?.add(key)
    level.next = path
    lines.set(path, line)
  }
  /** A value begins: an element of an array is noted here, a member of an object was noted at its key. */
  function takeValue(level: Level | undefined): string {
    if (level === undefined) return ''
    if (level.keys === null) lines.set((level.next = childPath(level.path, level.index)), line)
    return level.next ?? level.path
  }

  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? ''
    const level = levels.at(-1)
    if (char === '\n') line += 1
    else if (char === '"') {
      const end = endOfString(text, i)
      if (level?.keys && level.next === null) takeKey(level, String(JSON.parse(text.slice(i, end + 1))))
      else takeValue(level)
      i = end
    } else if (char === '{' || char === '[') {
      levels.push({ path: takeValue(level), keys: char === '{' ? new Set() : null, next: null, index: 0 })
    } else if (char === '}' || char === ']') levels.pop()
    else if (char === ',' && level) {
      level.index += 1
      level.next = null
    } else if (/[-\dtfn]/.test(char) && level?.keys === null && level.next === null) takeValue(level)
  }
  return { lineOf: (path) => nearestLine(lines, path), duplicates, forbidden }
}

const LAST_KEY = /(?:\.?[A-Za-z_$][\w$-]*|\[\d+\]|\["(?:[^"\\]|\\.)*"\])$/

function nearestLine(lines: ReadonlyMap<string, number>, path: string): number {
  let known = path
  while (known !== '') {
    const line = lines.get(known)
    if (line !== undefined) return line
    const parent = known.replace(LAST_KEY, '')
    if (parent === known) break
    known = parent
  }
  return 1
}
