/** One read serves all that ask before it begins. One that is under way may have seen things as they were before. */
export function sharedRead<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<unknown> = Promise.resolve()
  let next: Promise<T> | null = null
  return () => {
    next ??= reading.then(() => {
      next = null
      const mine = read()
      reading = mine.catch(() => {})
      return mine
    })
    return next
  }
}
