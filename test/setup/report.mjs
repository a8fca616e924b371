// The table at the end of a test run.
import { readText } from './process.mjs'

const LOG_LINES = 150

/** One line when a layer is done. @param {import('./plan.d.mts').Result} result */
export function layerLine(result) {
  const counts = [`${result.passed} passed`]
  if (result.failed > 0) counts.push(`${result.failed} failed`)
  if (result.skipped > 0) counts.push(`${result.skipped} skipped`)
  if (result.state === 'skipped') return `  skip  ${result.name}: ${result.reason}`
  const mark = result.state === 'passed' ? '  ok  ' : '  FAIL'
  const reason = result.reason === '' ? '' : `, ${result.reason}`
  return `${mark}  ${result.name}: ${counts.join(', ')}${reason} (${result.seconds.toFixed(1)} s)`
}

/** The end of a failed layer's output. @param {{ name: string, log: string }} result */
export function logTail(result) {
  const lines = (readText(result.log) ?? '').trimEnd().split('\n')
  const head = lines.length > LOG_LINES ? `[${lines.length - LOG_LINES} lines before; all in ${result.log}]\n` : ''
  return `\n---- ${result.name}\n${head}${lines.slice(-LOG_LINES).join('\n')}\n----\n`
}

/**
 * @param {import('./plan.d.mts').Result[]} results
 * @param {{ leaks: { text: string }[], perhaps: { text: string }[], notes: string[], ci: boolean }} rest
 * @returns {string}
 */
export function table(results, { leaks, perhaps, notes, ci }) {
  const rows = results.map((result) => [
    result.name,
    result.state === 'skipped' && ci
      ? 'SKIPPED (a failure in CI)'
      : result.state === 'failed'
        ? 'FAILED'
        : result.state,
    ...(result.state === 'skipped' ? ['', '', ''] : [result.passed, result.failed, result.skipped]).map(String),
    result.state === 'skipped' ? '' : `${result.seconds.toFixed(1)} s`,
    result.reason,
  ])
  const all = [['layer', 'result', 'passed', 'failed', 'skipped', 'time', ''], ...rows]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? []
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const section = (title, items) => (items.length === 0 ? [] : ['', title, ...items.map((item) => `  ${item}`)])
  const named = (key) => results.flatMap((result) => result[key].map((text) => `${result.name}  ${text}`))
  // What failed stands last: of a long output, the end is what people see.
  return [
    ...section('Skipped tests', named('skips')),
    ...section('Not enforced here', notes),
    ...section('Appeared meanwhile, perhaps made by another run', texts(perhaps)),
    '',
    ...lines,
    ...section('Left behind (a failure)', texts(leaks)),
    ...section('Failed', named('failures')),
    '',
  ].join('\n')
}

const texts = (things) => things.map(({ text }) => text)
