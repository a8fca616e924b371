/** Turning values into text. Everything that comes from an agent passes `plainText` before it is shown. */
const LANGUAGE = 'en'

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

const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
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
  return parts.length === 0 ? amount(rest, 'second') : parts.join(' ')
}

function amount(count: number, unit: string): string {
  return new Intl.NumberFormat(LANGUAGE, { style: 'unit', unit, unitDisplay: 'short' }).format(count)
}

/** Seconds since an ISO time; null for what is no time. */
export function secondsSince(iso: string | null, now: number): number | null {
  const at = iso === null ? Number.NaN : Date.parse(iso)
  return Number.isNaN(at) ? null : Math.max(0, (now - at) / 1000)
}

const clock = new Intl.DateTimeFormat(LANGUAGE, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})
const full = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' })

/** Time of day in the reader's time zone; empty for what is no time. */
export const clockTime = (iso: string): string => (Number.isNaN(Date.parse(iso)) ? '' : clock.format(new Date(iso)))
/** Date and time in the reader's time zone; empty for what is no time. */
export const fullTime = (iso: string): string => (Number.isNaN(Date.parse(iso)) ? '' : full.format(new Date(iso)))

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
