/**
 * Times in buckets of equal width on a logarithmic scale, four to each doubling: a value is told with an error of an
 * eighth at most, and counting one costs an addition.
 */
const PER_DOUBLING = 4
const SHIFT = 2
/** 2^26 microseconds, a minute: what takes longer counts as that. */
const MAX_EXPONENT = 26
export const BUCKETS = (MAX_EXPONENT + 1) * PER_DOUBLING
const MAX_MICROS = 2 ** (MAX_EXPONENT + 1) - 1

export function bucketOf(milliseconds: number): number {
  const micros = Math.min(MAX_MICROS, Math.max(1, milliseconds * 1000)) | 0 || 1
  const exponent = 31 - Math.clz32(micros)
  // Below four microseconds there are fewer values than buckets.
  const part = exponent < SHIFT ? 0 : (micros >> (exponent - SHIFT)) & (PER_DOUBLING - 1)
  return exponent * PER_DOUBLING + part
}

/** The middle of a bucket, in milliseconds. */
export function valueOf(bucket: number): number {
  const exponent = Math.floor(bucket / PER_DOUBLING)
  const width = 2 ** exponent / PER_DOUBLING
  return (2 ** exponent + ((bucket % PER_DOUBLING) + 0.5) * width) / 1000
}

/** The value that a share `q` (0..1) of all is below; null for an empty histogram. */
export function quantile(counts: Uint32Array, q: number): number | null {
  let all = 0
  for (const count of counts) all += count
  if (all === 0) return null
  let seen = 0
  for (let bucket = 0; bucket < counts.length; bucket++) {
    seen += counts[bucket] ?? 0
    if (seen >= q * all) return valueOf(bucket)
  }
  return valueOf(counts.length - 1)
}
