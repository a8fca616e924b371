/** Guessing tokens is slowed down. */
import { PloinkyError } from '../core/error.ts'

/** Failed sign-ins in a row, by address, before further ones wait. */
const LOGIN_TRIES = 10
const LOGIN_WINDOW_MS = 60_000

export function loginLimiter(now: () => number = Date.now) {
  const failures = new Map<string, { count: number; since: number }>()
  return {
    check(address: string): void {
      const entry = failures.get(address)
      if (entry !== undefined && now() - entry.since > LOGIN_WINDOW_MS) failures.delete(address)
      else if (entry !== undefined && entry.count >= LOGIN_TRIES) {
        throw new PloinkyError('RATE_LIMITED', 'Too many failed sign-ins; wait a minute')
      }
    },
    failed(address: string): void {
      const entry = failures.get(address) ?? { count: 0, since: now() }
      if (failures.size > 10_000) failures.clear()
      failures.set(address, { ...entry, count: entry.count + 1 })
    },
  }
}
