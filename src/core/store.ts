/** The Store port: named, schema-checked, versioned JSON documents. Adapters: memory (here) and file (`platform/file-store.ts`). */
import { PloinkyError } from './error.ts'

export interface DocumentSpec<T> {
  /** File name under the store's root, e.g. `routing.json`. */
  readonly name: string
  readonly version: number
  /** Checks and normalises; throws PloinkyError STATE_INVALID naming the key path. */
  parse(value: unknown): T
  /** The value of a document that does not exist yet. */
  empty(): T
}

export interface Store {
  /** The current value; `spec.empty()` when there is none. Torn or broken files are recovered or reported, never reset. */
  read<T>(spec: DocumentSpec<T>): Promise<T>
  /** Read, change and write under a lock that other processes honour. Returns what was written. */
  update<T>(spec: DocumentSpec<T>, change: (current: T) => T | Promise<T>): Promise<T>
  remove(spec: DocumentSpec<unknown>): Promise<void>
  /**
   * Calls back when the document was changed after this call, by this or another process: watch first, then read, and no
   * change is missed. Returns the function that ends it.
   */
  watch(spec: DocumentSpec<unknown>, onChange: () => void): () => void
}

/** A store in memory with the same meaning as the file store: values are copied in and out. */
export function createMemoryStore(): Store {
  const values = new Map<string, string>()
  const watchers = new Map<string, Set<() => void>>()
  const queues = new Map<string, Promise<unknown>>()
  const notify = (name: string): void => watchers.get(name)?.forEach((call) => call())
  const read = async <T>(spec: DocumentSpec<T>): Promise<T> => {
    const text = values.get(spec.name)
    return text === undefined ? spec.empty() : spec.parse(JSON.parse(text))
  }
  return {
    read,
    update(spec, change) {
      const run = async () => {
        const next = spec.parse(JSON.parse(JSON.stringify(await change(await read(spec)))))
        values.set(spec.name, JSON.stringify(next))
        notify(spec.name)
        return next
      }
      const result = (queues.get(spec.name) ?? Promise.resolve()).then(run)
      queues.set(
        spec.name,
        result.catch(() => {}),
      )
      return result
    },
    async remove(spec) {
      values.delete(spec.name)
      notify(spec.name)
    },
    watch(spec, onChange) {
      const set = watchers.get(spec.name) ?? new Set()
      set.add(onChange)
      watchers.set(spec.name, set)
      return () => set.delete(onChange)
    },
  }
}

/** STATE_INVALID for a document, with the place. */
export function stateInvalid(file: string, problem: string, hint?: string): PloinkyError {
  return new PloinkyError('STATE_INVALID', `Unreadable state file "${file}": ${problem}`, {
    hint: hint ?? `Repair or delete ".ploinky/${file}", then run: ploinky doctor`,
    details: { file, problem },
  })
}
