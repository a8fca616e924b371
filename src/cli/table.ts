/** Data for a person: lists of records as tables, records as `key: value` lines. Expects text made harmless before. */
import { cut, displayWidth, padEnd, paint } from './text.ts'

interface TableView {
  readonly color: boolean
  /** Columns that a table may take; null where nothing is cut (pipes, files). */
  readonly width: number | null
}

type Row = Readonly<Record<string, unknown>>
const GAP = '  '
const NARROWEST = 8

const isRecord = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !('toJSON' in value)

/** Any data as text, without a newline at the end; nothing for null and undefined. */
export function renderData(data: unknown, view: TableView): string {
  if (data === null || data === undefined) return ''
  if (Array.isArray(data)) return renderList(data, view)
  if (isRecord(data)) return renderRecord(data, view, '')
  return typeof data === 'string' ? data : cellText(data)
}

function renderList(list: readonly unknown[], view: TableView): string {
  if (list.length === 0) return '(none)'
  return list.every(isRecord) ? renderTable(list, view) : list.map((item) => cellText(item)).join('\n')
}

/** A table with the keys of all rows as columns; the widest columns give way when it does not fit. */
function renderTable(rows: readonly Row[], view: TableView): string {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const head = keys.map((key) => words(key).toUpperCase())
  const body = rows.map((row) => keys.map((key) => cellText(row[key])))
  const widths = keys.map((_, index) => Math.max(...[head, ...body].map((cells) => displayWidth(cells[index] ?? ''))))
  if (view.width !== null) shrink(widths, view.width - GAP.length * (keys.length - 1))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => padEnd(cut(cell, widths[index] ?? 0), widths[index] ?? 0))
      .join(GAP)
      .trimEnd()
  return [paint('bold', line(head), view.color), ...body.map(line)].join('\n')
}

function shrink(widths: number[], available: number): void {
  let surplus = widths.reduce((sum, width) => sum + width, 0) - available
  while (surplus > 0) {
    const widest = Math.max(...widths)
    if (widest <= NARROWEST) return
    const second = Math.max(NARROWEST, ...widths.filter((width) => width < widest))
    const step = Math.min(surplus, Math.max(1, widest - second))
    widths[widths.indexOf(widest)] = widest - step
    surplus -= step
  }
}

function renderRecord(record: Row, view: TableView, indent: string): string {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined)
  const isBlock = (value: unknown): boolean =>
    indent.length < 8 && ((isRecord(value) && Object.keys(value).length > 0) || isTable(value))
  const column = Math.max(0, ...entries.filter(([, value]) => !isBlock(value)).map(([key]) => displayWidth(words(key))))
  const inner = view.width === null ? null : Math.max(20, view.width - indent.length - 2)
  return entries
    .map(([key, value]) => {
      const label = `${words(key)}:`
      if (!isBlock(value)) return `${indent}${paint('bold', padEnd(label, column + 1), view.color)} ${cellText(value)}`
      const text = isRecord(value)
        ? renderRecord(value, view, `${indent}  `)
        : renderData(value, { ...view, width: inner }).replace(/^/gm, `${indent}  `)
      return `${indent}${paint('bold', label, view.color)}\n${text}`
    })
    .join('\n')
}

const isTable = (value: unknown): boolean => Array.isArray(value) && value.length > 0 && value.every(isRecord)

/** `startedAt` is shown as `started at`. */
const words = (key: string): string =>
  key.replace(/([a-z\d])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`)

/** One value on one line; `-` for none. */
function cellText(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-'
  if (typeof value === 'string') return value.replaceAll('\n', '\\n').replaceAll('\t', ' ')
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) {
    return value.length === 0 ? '-' : value.map((item) => cellText(item)).join(', ')
  }
  return JSON.stringify(value)
}
