/** Which bytes only fill lines of a terminal, from the top to the bottom and out of it. */

const [TAB, LF, CR, SPACE, DELETE, C1_LEAD, C1_END] = [9, 10, 13, 32, 127, 0xc2, 0xa0]

export interface Plain {
  /** Printable characters, tabs and line ends only: no controls, no sequences, nor C1 controls in UTF-8. */
  readonly isPlain: boolean
  readonly lineFeeds: number
}

/** Looks at each byte once. */
export function plainness(bytes: Uint8Array): Plain {
  let lineFeeds = 0
  const { length } = bytes
  for (let i = 0; i < length; i += 1) {
    const byte = bytes[i] as number
    if (byte > SPACE - 1) {
      if (byte < DELETE) continue
      if (byte === DELETE) return { isPlain: false, lineFeeds: 0 }
      // The second half decides; if it has not come yet, nobody knows.
      if (byte === C1_LEAD && (i + 1 >= length || (bytes[i + 1] as number) < C1_END))
        return { isPlain: false, lineFeeds: 0 }
    } else if (byte === LF) lineFeeds += 1
    else if (byte !== CR && byte !== TAB) return { isPlain: false, lineFeeds: 0 }
  }
  return { isPlain: true, lineFeeds }
}

/** Index behind the first line end from the left margin to the left margin (CR LF), or -1. */
export function afterLineEnd(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1))
    if (at > 0 && bytes[at - 1] === CR) return at + 1
  return -1
}
