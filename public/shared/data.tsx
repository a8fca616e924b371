/** Data of any shape, shown so that a person can read it: tables, facts, text. Everything becomes text, nothing becomes HTML. */
import type { ComponentChildren } from 'preact'
import { plainText } from './format.ts'
import { strings } from './strings.ts'

export interface Column<Row> {
  readonly label: string
  /** What fills the cell. */
  show(row: Row): ComponentChildren
  /** Names the row, for a screen reader. */
  readonly isHead?: boolean
  /** Holds buttons: no label on a narrow screen, where rows are cards. */
  readonly isActions?: boolean
}

export interface DataTableProps<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  keyOf(row: Row, index: number): string
}

/** Roles are spelled out because a table that is laid out as cards is no table to a screen reader any more. */
export function DataTable<Row>({ label, columns, rows, keyOf }: DataTableProps<Row>) {
  return (
    <div class="data-box">
      <table class="data" role="table" aria-label={label}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ label: name }) => (
              <th key={name} role="columnheader" scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row, index) => (
            <tr key={keyOf(row, index)} role="row" data-row={keyOf(row, index)}>
              {columns.map((column) => (
                <Cell key={column.label} column={column} row={row} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Cell<Row>({ column, row }: { column: Column<Row>; row: Row }) {
  const { label, isHead, isActions } = column
  if (isHead === true) {
    return (
      <th role="rowheader" scope="row">
        {column.show(row)}
      </th>
    )
  }
  return (
    <td
      role="cell"
      data-label={isActions === true ? undefined : label}
      class={isActions === true ? 'actions-cell' : ''}
    >
      {column.show(row)}
    </td>
  )
}

/** A list of names with their values. */
export function Facts({ items }: { items: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {items.map(([name, value]) => (
        <div key={name}>
          <dt class="muted small">{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

const MAX_ROWS = 500
const MAX_DEPTH = 4
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `usedBy` as words: "Used by". */
export const wordsOf = (key: string): string => {
  const spaced = plainText(key)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
  return spaced.charAt(0).toUpperCase() + spaced.slice(1).toLowerCase()
}

/** What a command gave, whatever it is. */
export function Value({ value, label, depth = 0 }: { value: unknown; label: string; depth?: number }) {
  if (value === null || value === undefined || value === '') return <span class="muted">{strings.none}</span>
  if (typeof value === 'boolean') return value ? strings.yes : strings.no
  if (typeof value === 'string') return plainText(value)
  if (typeof value !== 'object') return String(value)
  if (depth >= MAX_DEPTH) return <code class="small">{plainText(JSON.stringify(value))}</code>
  if (isRecord(value)) {
    const entries = Object.entries(value)
    if (entries.length === 0) return <span class="muted">{strings.none}</span>
    return (
      <Facts
        items={entries.map(([key, item]) => [wordsOf(key), <Value value={item} label={key} depth={depth + 1} />])}
      />
    )
  }
  const list = value as unknown[]
  if (list.length === 0) return <span class="muted">{strings.none}</span>
  if (list.every(isRecord)) return <Rows rows={list} label={label} depth={depth} />
  return (
    <ul class="plain-list">
      {list.slice(0, MAX_ROWS).map((item, index) => (
        <li key={index}>
          <Value value={item} label={label} depth={depth + 1} />
        </li>
      ))}
    </ul>
  )
}

function Rows({ rows, label, depth }: { rows: readonly Record<string, unknown>[]; label: string; depth: number }) {
  const keys = [...new Set(rows.slice(0, MAX_ROWS).flatMap((row) => Object.keys(row)))].slice(0, 12)
  const columns = keys.map((key, index): Column<Record<string, unknown>> => ({
    label: wordsOf(key),
    show: (row) => <Value value={row[key]} label={key} depth={depth + 1} />,
    isHead: index === 0,
  }))
  return (
    <>
      <DataTable
        label={wordsOf(label)}
        columns={columns}
        rows={rows.slice(0, MAX_ROWS)}
        keyOf={(_, index) => String(index)}
      />
      {rows.length > MAX_ROWS && <p class="muted small">{strings.more(rows.length - MAX_ROWS)}</p>}
    </>
  )
}
