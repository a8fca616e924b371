/** Rows for people, as commands render them. Pure. */

/** Columns of equal width, two spaces between them; no line ends in spaces. The first row says how many there are. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A time of ISO 8601 in UTC, to the minute. */
export const minute = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`
