/** What is pasted is somebody else's text until a person has seen it. */

/** From here on it is worth a question even to a program that knows pasted text from typed text. */
const LARGE = 64 * 1024
const PREVIEW_LINES = 12
const PREVIEW_WIDTH = 200

export interface Paste {
  /** Without control characters: an escape sequence in it could end the bracket, and what follows would count as typed. */
  readonly text: string
  readonly lines: number
  /** A shell would run each line at once, or it is a lot. */
  readonly asks: boolean
}

/** `bracketed`: the program told the terminal that it knows pasted text from typed text. */
export function checkPaste(given: string, bracketed: boolean): Paste {
  const text = given.replace(/\r\n?/g, '\n').replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, '')
  const lines = text.replace(/\n$/, '').split('\n').length
  return { text, lines, asks: (text.includes('\n') && !bracketed) || text.length > LARGE }
}

/** The beginning of it, for the question. */
export function previewOf({ text }: Paste): string {
  const lines = text.split('\n')
  const shown = lines
    .slice(0, PREVIEW_LINES)
    .map((line) => (line.length > PREVIEW_WIDTH ? `${line.slice(0, PREVIEW_WIDTH)}…` : line))
  return [...shown, ...(lines.length > PREVIEW_LINES ? ['…'] : [])].join('\n')
}
