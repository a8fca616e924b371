/** Words of a `start` or `entrypoint` line. */

/**
 * Splits at spaces; quotes keep words together, a backslash inside double quotes keeps the next character as it is.
 * No expansion of any kind. `closed` is false when a quote has no end. One pass: the line is an author's, of any length.
 */
export function splitWords(line: string): { readonly words: readonly string[]; readonly closed: boolean } {
  const words: string[] = []
  let word: string | null = null
  let quote = ''
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? ''
    if (quote === '' && /\s/.test(char)) {
      if (word !== null) words.push(word)
      word = null
    } else if (quote === '' && (char === '"' || char === "'")) {
      quote = char
      word ??= ''
    } else if (char === quote) {
      quote = ''
    } else if (quote === '"' && char === '\\' && i + 1 < line.length) {
      i += 1
      word = `${word ?? ''}${line[i] ?? ''}`
    } else {
      word = `${word ?? ''}${char}`
    }
  }
  if (word !== null) words.push(word)
  return { words, closed: quote === '' }
}
