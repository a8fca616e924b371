/** Which addresses in the output can be opened. The text is the program's; so is the address behind it (OSC 8). */
const SCHEMES = new Set(['http:', 'https:'])
const MAX_LENGTH = 2000

/** The address as the browser understands it, or null: not http(s), too long, or with a name and password in it. */
export function safeLink(given: string): string | null {
  if (given.length > MAX_LENGTH) return null
  let url: URL
  try {
    url = new URL(given)
  } catch {
    return null
  }
  // "https://bank.example@evil.example/" reads as the bank's.
  if (!SCHEMES.has(url.protocol) || url.username !== '' || url.password !== '') return null
  return url.href
}
