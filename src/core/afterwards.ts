/** The same result or error, told once `step` is done too. */
export async function afterwards<T>(result: Promise<T>, step: () => Promise<unknown>): Promise<T> {
  try {
    return await result
  } finally {
    await step()
  }
}
