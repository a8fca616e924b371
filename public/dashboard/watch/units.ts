/** Numbers as people read them: three digits and a unit. */
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

const digits = (value: number): string =>
  value >= 100 || value === 0 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
const trimmed = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

export function bytes(value: number): string {
  const power = Math.min(UNITS.length - 1, value < 1 ? 0 : Math.floor(Math.log(value) / Math.log(1024)))
  return `${trimmed(digits(value / 1024 ** power))} ${UNITS[power] ?? 'B'}`
}
export const percent = (value: number): string => `${trimmed(digits(value))} %`
export const rate = (value: number): string => `${trimmed(digits(value))}/s`
export const milliseconds = (value: number): string =>
  value >= 1000 ? `${trimmed(digits(value / 1000))} s` : `${trimmed(digits(value))} ms`
