/** One thing after the other for each agent, and what was seen before the last of them is old. */
export interface Turns {
  take<T>(agent: string, run: () => Promise<T>): Promise<T>
  /** Grows with each turn of the agent. */
  count(agent: string): number
}

export function createTurns(): Turns {
  const tails = new Map<string, Promise<unknown>>()
  const counts = new Map<string, number>()
  return {
    take(agent, run) {
      const mine = (tails.get(agent) ?? Promise.resolve()).then(() => {
        counts.set(agent, (counts.get(agent) ?? 0) + 1)
        return run()
      })
      const settled = mine.catch(() => {})
      tails.set(agent, settled)
      void settled.then(() => tails.get(agent) === settled && tails.delete(agent))
      return mine
    },
    count: (agent) => counts.get(agent) ?? 0,
  }
}
