/** Thrown when as many calls wait as may wait. */
export class BusyError extends Error {
  constructor(running: number) {
    super(`The agent is busy: ${running} commands are running and no more calls can wait`)
    this.name = 'BusyError'
  }
}

/** Lets `parallel` tasks run at once, in order of arrival; `waiting` more may queue, and a queued one can be aborted. */
export function createGate(limits: { parallel: number; waiting: number }): {
  run: <T>(task: () => Promise<T>, signal: AbortSignal) => Promise<T>
  running: () => number
} {
  let running = 0
  const queue: (() => void)[] = []

  const enter = (signal: AbortSignal): Promise<void> => {
    if (running < limits.parallel) {
      running++
      return Promise.resolve()
    }
    if (queue.length >= limits.waiting) return Promise.reject(new BusyError(running))
    return new Promise((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        queue.splice(queue.indexOf(start), 1)
        reject(new Error('The call was cancelled while it waited'))
      }
      queue.push(start)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  const exit = (): void => {
    const next = queue.shift()
    // The place is handed over, so that nobody who arrives in between can take it.
    if (next === undefined) running--
    else next()
  }

  return {
    running: () => running,
    run: async (task, signal) => {
      await enter(signal)
      try {
        return await task()
      } finally {
        exit()
      }
    },
  }
}
