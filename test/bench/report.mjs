/** The table of the bench, and whether each number keeps its bound. */

/**
 * @typedef {{ name: string, baseline: string, unit: string, ours: number, theirs: number, ratio: number,
 *   least?: number, cpuRatio?: number, bound: number | null, note?: string }} Row
 * @typedef {{ name: string, skipped: string }} Skipped
 */

/** True, false, or null when there is nothing to keep. @param {Row} row */
export const keeps = ({ ratio, bound }) => (bound === null ? null : ratio <= bound)

const digits = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))
const times = (value) => (value === undefined || Number.isNaN(value) ? '' : `${value.toFixed(2)}x`)

function cells(row) {
  if (row.skipped !== undefined) return [row.name, `skipped: ${row.skipped}`]
  const kept = keeps(row)
  return [
    row.name,
    `${digits(row.ours)} ${row.unit}`,
    `${row.baseline}: ${digits(row.theirs)} ${row.unit}`,
    times(row.ratio),
    times(row.least),
    times(row.cpuRatio),
    row.bound === null ? '' : `${row.bound}x`,
    kept === null ? '' : kept ? 'yes' : 'NO',
  ]
}

/** @param {(Row | Skipped)[]} rows @returns {string} */
export function table(rows) {
  const head = ['bench', 'ours', 'baseline', 'ratio', 'least', 'CPU', 'bound', 'ok?']
  const lines = [head, ...rows.map(cells)]
  // A cell that says why a bench was skipped is as wide as it likes.
  const width = head.map((_, at) =>
    Math.max(
      ...lines.filter((line) => line.length > 2).map((line) => line[at]?.length ?? 0),
      at === 0 ? Math.max(...lines.map(([name]) => name.length)) : 0,
    ),
  )
  const text = lines.map((line) =>
    line
      .map((cell, at) => (at < 3 ? cell.padEnd(width[at]) : cell.padStart(width[at])))
      .join('  ')
      .trimEnd(),
  )
  return [text[0], text[0].replace(/./g, '-'), ...text.slice(1)].join('\n')
}

export const LEGEND = `ratio: median of ours/baseline inside a round. least: least disturbed sample of each side. CPU: user+system time, with the
programs that were waited for. All in one run, alternating. A busy machine makes wall times worse than they are; CPU less so.`
