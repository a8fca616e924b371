import type { MaybeSecret } from '../../src/core/secret.ts'

/** Exactly `wanted`, for a spawner that adds to our own environment: what we have and the program may not see is removed. */
export function mergeEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  wanted: Readonly<Record<string, MaybeSecret>>,
): Record<string, MaybeSecret | undefined> {
  const removed = Object.keys(own).filter((name) => !Object.hasOwn(wanted, name))
  return { ...Object.fromEntries(removed.map((name) => [name, undefined])), ...wanted }
}
