/** Keys that one reader of JSON takes for the same and another does not. */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

/** Offset of the quote that ends the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at
}

function isKey(text: string, end: number): boolean {
  let at = end + 1
  while (text.charCodeAt(at) <= 0x20) at += 1
  return text.charCodeAt(at) === COLON
}

/**
 * The first key that an object holds twice, upper and lower case being one, in objects down to `depth` (1: the outermost one).
 * `text` is valid JSON.
 */
export function duplicateKey(text: string, depth: number): string | null {
  const open: (Set<string> | null)[] = []
  for (let at = 0; at < text.length; at += 1) {
    const code = text[at]
    if (code === '{') open.push(open.length < depth ? new Set() : null)
    else if (code === '[') open.push(null)
    else if (code === '}' || code === ']') open.pop()
    if (code !== '"') continue
    const end = endOfString(text, at)
    const keys = open.at(-1)
    if (keys && isKey(text, end)) {
      const key = JSON.parse(text.slice(at, end + 1)) as string
      const folded = key.toLowerCase()
      if (keys.has(folded)) return key
      keys.add(folded)
    }
    at = end
  }
  return null
}
