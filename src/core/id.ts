/** Names of agents, containers and labels: derived, so that the same workspace and agent always give the same name. */
import { PloinkyError } from './error.ts'

/** Letters, digits, dot, dash, underscore; starts with a letter or digit; at most 63 characters (a DNS label, a file name). */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/
/** Windows-reserved and path-like names stay out, so a name is a safe file name everywhere. */
const FORBIDDEN = /^(?:\.{1,2}|con|prn|aux|nul)$/i

export function isName(text: string): boolean {
  return NAME.test(text) && !FORBIDDEN.test(text) && !text.includes('..')
}

/** The agent whose tools are our own commands: no other may be enabled under its name. */
export const OWN_AGENT = 'ploinky'

/** Refuses a name that could escape a path, a label or a command line. */
export function assertName(kind: string, text: string): string {
  if (isName(text)) return text
  throw new PloinkyError('NAME_INVALID', `Invalid ${kind} name: ${JSON.stringify(text.slice(0, 80))}`, {
    hint: 'Use letters, digits, ".", "_" and "-", starting with a letter or digit, at most 63 characters',
    details: { kind },
  })
}

export const LABEL_WORKSPACE = 'ploinky.workspace'
export const LABEL_AGENT = 'ploinky.agent'
export const LABEL_SPEC = 'ploinky.spec'

/** A throw-away container: on whose behalf it runs, and the process that waits for it. */
export const LABEL_JOB = 'ploinky.job'
export const LABEL_OWNER = 'ploinky.owner'
/** Ports of a container in the host's network, where an engine knows none: `7000/tcp,53/udp`. */
export const LABEL_PORTS = 'ploinky.ports'

/** Container name of an agent: readable, unique per workspace. Engines allow [a-zA-Z0-9][a-zA-Z0-9_.-]*. */
export function workloadName(workspaceId: string, agent: string): string {
  return `ploinky-${agent}-${workspaceId}`
}

/** Name that an engine knows a network of a workspace by: two workspaces never share one by accident. */
export function networkName(workspaceId: string, network: string): string {
  return `ploinky-${assertName('network', network)}-${workspaceId}`
}

/**
 * Value of a key that may be any text: `record['constructor']` alone would find what every object inherits.
 * `undefined` when the record has no such key of its own.
 */
export function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined
}

/** JSON with sorted keys: equal values give equal text, whatever the order they were built in. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : item,
  )
}

/** The closest of `candidates` to a mistyped word, or null when nothing is near (optimal string alignment distance). */
export function nearest(word: string, candidates: readonly string[]): string | null {
  let best: string | null = null
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    // The distance is at least the difference in length; a word may be a hostile kilobyte.
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function editDistance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let value = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        value = Math.min(value, (before[j - 2] ?? 0) + 1)
      }
      current.push(value)
    }
    before = previous
    previous = current
  }
  return previous[b.length] ?? 0
}

/** An id for people to type, from random text: letters and digits alone, since no command may take it for an option. */
export const typedId = (hash: { sha256Hex(text: string): string; randomToken(bytes: number): string }): string =>
  hash.sha256Hex(hash.randomToken(16)).slice(0, 12)
