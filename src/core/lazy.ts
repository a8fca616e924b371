export interface Lazy<T> {
  /** Makes it when it is asked for first; after a failure the next one who asks tries again. */
  get(): Promise<T>
  /** What was asked for; null: nothing yet, or it failed. Makes nothing. */
  begun(): Promise<T> | null
}

/** Something that costs too much to be made before somebody needs it, most of all code that is loaded. */
export function lazy<T>(make: () => Promise<T>): Lazy<T> {
  let made: Promise<T> | null = null
  return {
    get: () =>
      (made ??= make().catch((error: unknown) => {
        made = null
        throw error
      })),
    begun: () => made,
  }
}
