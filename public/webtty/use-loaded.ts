/** Data of the router that a dialog shows. */
import { useEffect, useState } from 'preact/hooks'
import { problemOf } from './problem.ts'
import type { Problem } from './session.ts'

export interface Loaded<T> {
  readonly data: T | null
  readonly problem: Problem | null
  reload(): void
}

/** Loads once, and again on `reload`; the data from before stays in sight meanwhile. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ data: T | null; problem: Problem | null }>({ data: null, problem: null })
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    let current = true
    load().then(
      (data) => current && setState({ data, problem: null }),
      (error: unknown) => current && setState((before) => ({ ...before, problem: problemOf(error) })),
    )
    return () => {
      current = false
    }
  }, [turn])
  return { ...state, reload: () => setTurn((before) => before + 1) }
}
