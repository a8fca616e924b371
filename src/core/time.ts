/** Waiting with a deadline and a signal. No code sleeps in any other way. */
import { PloinkyError } from './error.ts'

/** Resolves after `ms`, or rejects at once when `signal` aborts. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortReason(signal))
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(abortReason(signal))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** Resolves after `ms`, or at once when `signal` aborts. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, signal).catch(() => {})

function abortReason(signal: AbortSignal | undefined): unknown {
  return signal?.reason instanceof PloinkyError ? signal.reason : new PloinkyError('INTERRUPTED', 'Interrupted')
}

export interface UntilOptions {
  timeoutMs: number
  /** First pause between tries; grows by `growth` (default half) each time up to `maxIntervalMs`. */
  intervalMs?: number
  maxIntervalMs?: number
  /** Factor from pause to pause. With 1.05 a pause is about a twentieth of the time waited so far. */
  growth?: number
  signal?: AbortSignal
  /** Names what was waited for in the TIMEOUT error. */
  what: string
}

/** Calls `check` until it gives something other than null or undefined; throws TIMEOUT after `timeoutMs`. */
export async function until<T>(check: () => Promise<T | null | undefined>, options: UntilOptions): Promise<T> {
  const deadline = Date.now() + options.timeoutMs
  let pause = options.intervalMs ?? 10
  for (;;) {
    options.signal?.throwIfAborted()
    const value = await check()
    if (value !== null && value !== undefined) return value
    const left = deadline - Date.now()
    if (left <= 0) {
      throw new PloinkyError('TIMEOUT', `Timed out after ${Math.round(options.timeoutMs / 1000)} s: ${options.what}`)
    }
    await delay(Math.min(pause, left), options.signal)
    pause = Math.min(pause * (options.growth ?? 1.5), options.maxIntervalMs ?? 250)
  }
}
