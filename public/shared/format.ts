/** Turning values into text. Everything that comes from an agent passes `plainText` before it is shown. */

/** CSI, OSC (ended by BEL or ST) and two-byte sequences, written without control characters in the pattern itself. */
const ANSI = new RegExp(
  String.raw`\u{1b}(?:\[[0-?]*[ \-\/]*[@-~]|\][^\u{7}\u{1b}]*(?:\u{7}|\u{1b}\\)|[@-Z\\\-_])`,
  'gu',
)
const INVISIBLE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** Text without terminal sequences, control characters and the marks that reorder text; tabs become spaces. */
export function plainText(text: string): string {
  return text.replace(ANSI, '').replace(/\t/g, '    ').replace(INVISIBLE, '')
}

// `Intl` takes tens of milliseconds the first time, and the first sight of a page waits for it: what is this plain is put
// together by hand.
const UNITS = [
  ['day', 86_400],
  ['hr', 3600],
  ['min', 60],
] as const

/** A time span as its two largest units ("2 hr 5 min"), from a day on as days alone. */
export function duration(seconds: number): string {
  let rest = Math.max(0, Math.floor(seconds))
  const parts: string[] = []
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(amount(count, unit))
    if (parts.length === 2 || (unit === 'day' && count > 0)) break
  }
  return parts.length === 0 ? amount(rest, 'sec') : parts.join(' ')
}

const amount = (count: number, unit: string): string => `${count} ${unit}${unit === 'day' && count !== 1 ? 's' : ''}`

/** Seconds since an ISO time; null for what is no time. */
export function secondsSince(iso: string | null, now: number): number | null {
  const at = iso === null ? Number.NaN : Date.parse(iso)
  return Number.isNaN(at) ? null : Math.max(0, (now - at) / 1000)
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const
const twoDigits = (value: number): string => String(value).padStart(2, '0')
const timeOf = (at: Date): string => [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':')

/** Time of day in the reader's time zone, `21:05:09`; empty for what is no time. */
export function clockTime(iso: string): string {
  const at = new Date(iso)
  return Number.isNaN(at.getTime()) ? '' : timeOf(at)
}

/** Date and time in the reader's time zone, `Nov 26, 2026, 21:05:09`; empty for what is no time. */
export function fullTime(iso: string): string {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return ''
  return `${MONTHS[at.getMonth()] ?? ''} ${at.getDate()}, ${at.getFullYear()}, ${timeOf(at)}`
}

/** A word as a POSIX shell reads it back: plain where it can be, else in single quotes. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** "512 B", "1.5 MiB". */
export function byteCount(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(BYTES.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${BYTES[power] ?? 'B'}`
}
