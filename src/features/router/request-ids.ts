import type { Platform } from '../../platform/index.ts'

/** Unique per process and cheap: a random prefix and a counter. */
export function createIds(platform: Platform): () => string {
  const prefix = platform.hash.randomToken(6)
  let count = 0
  return () => `${prefix}-${(count += 1).toString(36)}`
}
