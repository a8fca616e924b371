/** What programs are told that ask whether they can draw pictures: pages can show them, this terminal leaves them out. */
import type { Terminal } from '@xterm/headless'

/** A VT220 (62) with sixel pictures (4) and colours (22). ECMA-48 DA1; what xterm answers with `-ti vt340` has the same 4. */
const DEVICE_ATTRIBUTES = '\u001b[?62;4;22c'
/** XTSMGRAPHICS, CSI ? item ; action ; value S: item 1 is how many colours a picture has, actions 1 and 4 ask for it. */
const COLOUR_REGISTERS = 1
const READS = new Set([1, 4])
const COLOURS = 256
const [SUCCESS, ITEM_ERROR, ACTION_ERROR] = [0, 1, 2]

export function answerAboutPictures(terminal: Terminal): void {
  const { parser } = terminal
  parser.registerCsiHandler({ final: 'c' }, ([asked = 0]) => {
    if (asked !== 0) return false
    terminal.input(DEVICE_ATTRIBUTES, false)
    return true
  })
  parser.registerCsiHandler({ prefix: '?', final: 'S' }, ([item = 0, action = 0]) => {
    const known = item === COLOUR_REGISTERS
    const status = !known ? ITEM_ERROR : READS.has(Number(action)) ? SUCCESS : ACTION_ERROR
    terminal.input(`\u001b[?${String(item)};${status}${status === SUCCESS ? `;${COLOURS}` : ''}S`, false)
    return true
  })
}
