/** Many changes of one document at the same moment, written together: one lock and one write instead of one each. */
import type { DocumentSpec, Store } from './store.ts'

/** Gives a function that resolves when its change has been written; changes are applied in the order of the calls. */
export function createBatch<T>(store: Store, spec: DocumentSpec<T>): (change: (current: T) => T) => Promise<void> {
  let pending: ((current: T) => T)[] = []
  let writing: Promise<void> | null = null
  /** Ends when the write that is under way does; what is asked for meanwhile goes together into the next one. */
  let tail: Promise<unknown> = Promise.resolve()

  async function write(): Promise<void> {
    const changes = pending
    pending = []
    writing = null
    await store.update(spec, (current) => changes.reduce((value, change) => change(value), current))
  }

  return (change) => {
    pending.push(change)
    if (writing === null) {
      writing = tail.then(write)
      tail = writing.catch(() => {})
    }
    return writing
  }
}
