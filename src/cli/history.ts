/** Lines that the prompt remembers. */

const MOST_LINES = 1000
const LONGEST_LINE = 4096

/** Where the lines are kept, oldest first. */
export interface HistoryStore {
  load(): Promise<readonly string[]>
  save(lines: readonly string[]): Promise<void>
}

const NAMED =
  /(?:token|secret|passw(?:or)?d|passphrase|api[-_]?key|access[-_]?key|private[-_]?key|master[-_]?key|credentials?)/
const SECRETS: readonly RegExp[] = [
  // NAME=value, NAME: value, --name value
  new RegExp(String.raw`${NAMED.source}["']?\s*[=:]\s*\S`, 'i'),
  new RegExp(String.raw`--?[\w-]*${NAMED.source}\s+[^-\s]`, 'i'),
  /\b(?:bearer|basic)\s+[\w+/=.-]{8,}/i,
  /:\/\/[^\s/:@]+:[^\s/@]+@/,
  // Commands that set a value: `var NAME value`, `expose NAME value`.
  /^\s*(?:ploinky\s+)?(?:vars?|secrets?|expose)\s+(?:set\s+)?\S+\s+\S/i,
  // Well-known shapes: JWT, GitHub, OpenAI and others, Slack, AWS.
  /\beyJ[\w-]{10,}\.|\bgh[opsur]_\w{16,}|\bgithub_pat_\w{16,}|\bsk-[\w-]{12,}|\bxox[a-z]-[\w-]{8,}|\bAKIA[A-Z\d]{12,}/,
]
/** Long runs that mix letters and digits: keys and hashes, not names or paths. */
const LONG_RUN = /[A-Za-z\d_+=-]{32,}/g

export function looksSecret(line: string): boolean {
  if (SECRETS.some((pattern) => pattern.test(line))) return true
  return (line.match(LONG_RUN) ?? []).some((run) => /\d/.test(run) && /[A-Za-z]/.test(run))
}

/** The lines with one more; a repeated, overlong or secret-looking line is left out. */
export function remember(lines: readonly string[], line: string): readonly string[] {
  const text = line.trim()
  if (text === '' || text.length > LONGEST_LINE || looksSecret(text) || lines.at(-1) === text) return lines
  return [...lines, text].slice(-MOST_LINES)
}

/** What is kept of a loaded history: it may have been written by another version or by hand. */
export function usableLines(lines: readonly string[]): readonly string[] {
  return lines
    .slice(-MOST_LINES)
    .reduce<readonly string[]>((kept, line) => (/\p{Cc}/u.test(line) ? kept : remember(kept, line)), [])
}
