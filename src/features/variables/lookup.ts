/** One name -> one value: `.ploinky/.secrets` with its `$REF` chains, then the environment, then `.env`. Pure. */
import { own } from '../../core/id.ts'
import { type MaybeSecret, Secret } from '../../core/secret.ts'
import { isReserved, looksSecret } from './names.ts'
import type { Sources, ValueSource } from './types.ts'

export type Found =
  | {
      readonly ok: true
      readonly value: MaybeSecret
      readonly kind: 'secrets' | 'environment' | 'dotenv'
      /** Place of the value itself. */
      readonly place: string
      readonly chain: readonly string[]
    }
  | { readonly ok: false; readonly reason: 'unset' | 'cycle' | 'reserved'; readonly chain: readonly string[] }

type Place = Pick<Sources, 'secrets' | 'environment' | 'dotenv'>

/** The name that a value of `.secrets` stands for: `$NAME`, and nothing else around it. */
export const referenceOf = (text: string): string | null => /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(text)?.[1] ?? null

/** How a text that only looks like a reference is kept, and back: `$NAME` is written `$$NAME`. */
export const asLiteral = (text: string): string => (/^\$+[A-Za-z_][A-Za-z0-9_]*$/.test(text) ? `$${text}` : text)
const fromLiteral = (text: string): string => (/^\$\$+[A-Za-z_][A-Za-z0-9_]*$/.test(text) ? text.slice(1) : text)

/**
 * `allowed`: the one reserved name that this look-up may read, as the workspace put it there itself.
 * References are walked in `.secrets` only: a value of the environment is taken as it is.
 */
export function lookup(name: string, sources: Place, allowed: string | null = null): Found {
  const chain: string[] = [name]
  const seen = new Set(chain)
  for (let current = name; ;) {
    if (isReserved(current) && current !== allowed) return { ok: false, reason: 'reserved', chain }
    const raw = sources.secrets.get(current)
    if (raw === undefined) return outside(current, sources, chain)
    const reference = referenceOf(raw.reveal())
    if (reference === null) {
      const value = new Secret(fromLiteral(raw.reveal()))
      return { ok: true, value, kind: 'secrets', place: '.ploinky/.secrets', chain }
    }
    chain.push(reference)
    if (seen.has(reference)) return { ok: false, reason: 'cycle', chain }
    seen.add(reference)
    current = reference
  }
}

function outside(name: string, { environment, dotenv }: Place, chain: readonly string[]): Found {
  const given = own(environment, name)
  if (given !== undefined) {
    const value = chain.some((link) => looksSecret(link, given)) ? new Secret(given) : given
    return { ok: true, value, kind: 'environment', place: 'environment', chain }
  }
  const entry = dotenv?.values.get(name)
  if (dotenv === null || entry === undefined) return { ok: false, reason: 'unset', chain }
  return { ok: true, value: entry.value, kind: 'dotenv', place: `${dotenv.file} line ${entry.line}`, chain }
}

/** Where it came from, seen from the variable `name` that gets it. */
export function sourceOf(name: string, { kind, place, chain }: Found & { ok: true }): ValueSource {
  const isDirect = chain.length === 1 && chain[0] === name
  return { kind, text: isDirect ? place : `${chain.join(' -> ')}: ${place}`, chain }
}

/** A value for the variable `name`: from the environment it is a secret as well when the new name looks like one. */
export function guarded(name: string, value: MaybeSecret): MaybeSecret {
  return typeof value === 'string' && looksSecret(name, value) ? new Secret(value) : value
}

/** What is wrong with a chain, in a sentence: names, never values. Null: it is only not set. */
export function chainProblem({ reason, chain }: Found & { ok: false }): string | null {
  const [first = '', last = ''] = [chain[0], chain.at(-1)]
  const walk = chain.join(' -> ')
  if (reason === 'cycle') return `"${first}" refers to itself: ${walk}`
  if (chain.length === 1) return null
  return reason === 'reserved'
    ? `"${first}" refers to "${last}", which is the workspace's own: ${walk}`
    : `"${first}" leads to "${last}", which is not set: ${walk}`
}
