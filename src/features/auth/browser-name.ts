/** A browser in plain words, so that a person knows it again: "Firefox 128 on Linux". */

/** In this order: each also says the names of those below it. */
const BROWSERS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Edge', /\bEdg(?:A|iOS)?\/(\d{1,4})/],
  ['Opera', /\bOPR\/(\d{1,4})/],
  ['Samsung Internet', /\bSamsungBrowser\/(\d{1,4})/],
  ['Vivaldi', /\bVivaldi\/(\d{1,4})/],
  ['Firefox', /\b(?:Firefox|FxiOS)\/(\d{1,4})/],
  ['Chrome', /\b(?:HeadlessChrome|Chrome|Chromium|CriOS)\/(\d{1,4})/],
  ['Safari', /\bVersion\/(\d{1,4})\S* (?:Mobile\/\S+ )?Safari\//],
]
const SYSTEMS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['iPhone', /\biPhone\b/],
  ['iPad', /\biPad\b/],
  ['Android', /\bAndroid\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac OS X\b|\bMacintosh\b/],
  ['Linux', /\bLinux\b|\bX11\b/],
]
/** Longer ones are no browser's. */
const MAX_LENGTH = 500

/** The words of `User-Agent` are the visitor's own: what is no known name is not repeated, but for a plain word of a program. */
export function browserName(userAgent: string | undefined): string {
  const text = (userAgent ?? '').slice(0, MAX_LENGTH)
  const system = SYSTEMS.find(([, pattern]) => pattern.test(text))?.[0]
  const on = system === undefined ? '' : ` on ${system}`
  for (const [name, pattern] of BROWSERS) {
    const version = pattern.exec(text)?.[1]
    if (version !== undefined) return `${name} ${version}${on}`
  }
  const program = /^([A-Za-z][A-Za-z-]{0,30})(?:\/(\d{1,4}))?/.exec(text)
  if (program?.[1] === undefined || program[1] === 'Mozilla') return `Unknown browser${on}`
  return [program[1], program[2]].filter(Boolean).join(' ')
}
