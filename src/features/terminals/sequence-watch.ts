/** Finds control sequences in what a program writes, also those that come in two parts. */

const ESC = 0x1b

export interface SequenceWatchOptions {
  /** What is looked for. */
  readonly found: RegExp
  /** Its beginning, at the end of a text. */
  readonly begun: RegExp
  /** None that matters is longer; of one that has begun, no more is kept. */
  readonly maxLength: number
}

/** Tells whether output has such a sequence in it. Cheap where there is no escape sequence at all. */
export function createSequenceWatch({
  found,
  begun,
  maxLength,
}: SequenceWatchOptions): (data: Uint8Array | string) => boolean {
  const latin1 = new TextDecoder('latin1')
  let kept = ''
  return (data) => {
    if (kept === '' && !(typeof data === 'string' ? data.includes('\u001b') : data.includes(ESC))) return false
    const text = kept + (typeof data === 'string' ? data : latin1.decode(data))
    kept = begun.exec(text.slice(-maxLength))?.[0] ?? ''
    return found.test(text)
  }
}
