/** What a terminal shows, cell by cell: for tests that two of them are the same. */
import type { IBufferCell, Terminal } from '@xterm/headless'
import { style } from '../../src/features/terminals/buffer-text.ts'
import { rawState } from '../../src/features/terminals/internals.ts'

export interface Content {
  readonly lines: readonly string[]
  readonly state: string
}

function lookOf(cell: IBufferCell): string {
  if (cell.isAttributeDefault()) return ''
  const lines = [cell.isInverse(), cell.isUnderline(), cell.isStrikethrough(), cell.isOverline()]
  const background = cell.isBgDefault() ? '' : `{${cell.getBgColorMode()},${cell.getBgColor()}}`
  // A blank shows its background, unless it is inverse or has a line.
  if (cell.getChars().trim() === '' && lines.every((flag) => flag === 0)) return background
  const flags = [cell.isBold(), cell.isDim(), cell.isItalic(), cell.isBlink(), cell.isInvisible(), ...lines]
  return `${background}[${cell.getFgColorMode()},${cell.getFgColor()},${flags.map((flag) => (flag === 0 ? 0 : 1)).join('')}]`
}

/** Every cell with its colours and flags, the cursor and the modes: what a person or a program could tell apart. */
export function contentOf(terminal: Terminal): Content {
  const buffer = terminal.buffer.active
  const lines: string[] = []
  const cell = buffer.getNullCell()
  for (let y = 0; y < buffer.length; y += 1) {
    const line = buffer.getLine(y)
    // What came before the first line is gone.
    let text = line?.isWrapped === true && y > 0 ? '>' : ' '
    for (let x = 0; x < terminal.cols; x += 1) {
      line?.getCell(x, cell)
      text += (cell.getChars() || ' ') + lookOf(cell)
    }
    lines.push(text.trimEnd())
  }
  const { type, cursorX, cursorY, baseY } = buffer
  const hidden = rawState(terminal)
  const { mouseEncoding, isCursorHidden } = hidden ?? {}
  const pen = hidden === null ? '' : style(hidden.pen)
  const modes = JSON.stringify(terminal.modes)
  return { lines, state: JSON.stringify({ type, cursorX, cursorY, baseY, mouseEncoding, isCursorHidden, pen, modes }) }
}

/** The first difference, short enough to be read; null: none. */
export function difference(found: Content, wanted: Content): unknown {
  if (found.state !== wanted.state) return { found: found.state, wanted: wanted.state }
  const at = wanted.lines.findIndex((line, index) => line !== found.lines[index])
  if (at < 0)
    return found.lines.length === wanted.lines.length
      ? null
      : { lines: found.lines.length, wanted: wanted.lines.length }
  const [a, b] = [found.lines[at] ?? '', wanted.lines[at] ?? '']
  let column = 0
  while (column < a.length && a[column] === b[column]) column += 1
  const near = (text: string): string => text.slice(Math.max(0, column - 60), column + 120)
  return { at, of: wanted.lines.length, column, found: near(a), wanted: near(b) }
}
