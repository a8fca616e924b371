/**
 * Counts what was drawn, so that the router knows how far behind this page is. Bytes of a snapshot do not count, and what
 * belongs to the time before the last snapshot does not count any more.
 */
export interface Acks {
  /** A snapshot of `bytes` follows: counting begins again after it. */
  begin(bytes: number): void
  /** `bytes` arrived; gives what to call once they are drawn. */
  arrived(bytes: number): () => void
  /** Everything drawn so far, when that is worth a message; else null. Idle: even a little is. */
  due(idle: boolean): number | null
}

export function createAcks(every: number): Acks {
  let era = 0
  let snapshotLeft = 0
  let drawn = 0
  let told = 0
  return {
    begin(bytes) {
      era += 1
      snapshotLeft = bytes
      drawn = 0
      told = 0
    },
    arrived(bytes) {
      const fromSnapshot = Math.min(bytes, snapshotLeft)
      snapshotLeft -= fromSnapshot
      const counted = bytes - fromSnapshot
      const mine = era
      return () => {
        if (mine === era) drawn += counted
      }
    },
    due(idle) {
      if (drawn === told || (!idle && drawn - told < every)) return null
      told = drawn
      return drawn
    },
  }
}
