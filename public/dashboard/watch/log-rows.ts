/** Where each row of a long list is, without laying any of them out: a monospaced line takes as many rows as its cells need. */
export interface Rows {
  /** Of all rows, in pixels. */
  readonly height: number
  top(index: number): number
  /** The row at a place, clamped to the list. */
  at(y: number): number
}

/** Characters that take two cells: CJK, Hangul, fullwidth forms, emoji (after Unicode TR 11). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]|[\u{20000}-\u{3fffd}]/gu
const HAS_WIDE = /[\u1100-\uffff]|[\ud800-\udbff]/

export function cellsOf(text: string): number {
  if (!HAS_WIDE.test(text)) return text.length
  return Array.from(text).length + (text.match(WIDE)?.length ?? 0)
}

export function equalRows(count: number, rowHeight: number): Rows {
  const last = Math.max(0, count - 1)
  return {
    height: count * rowHeight,
    top: (index) => index * rowHeight,
    at: (y) => Math.min(last, Math.max(0, Math.floor(y / rowHeight))),
  }
}

/** Wrapped after `columns` cells. */
export function wrappedRows(texts: readonly { readonly text: string }[], columns: number, rowHeight: number): Rows {
  const ends = new Uint32Array(texts.length)
  let lines = 0
  texts.forEach(({ text }, index) => {
    lines += Math.max(1, Math.ceil(cellsOf(text) / Math.max(1, columns)))
    ends[index] = lines
  })
  const before = (index: number): number => (index <= 0 ? 0 : (ends[Math.min(index, ends.length) - 1] ?? 0))
  return {
    height: lines * rowHeight,
    top: (index) => before(index) * rowHeight,
    at(y) {
      const line = Math.max(0, Math.floor(y / rowHeight))
      let low = 0
      let high = Math.max(0, ends.length - 1)
      while (low < high) {
        const middle = (low + high) >> 1
        if ((ends[middle] ?? 0) > line) high = middle
        else low = middle + 1
      }
      return low
    },
  }
}
