/** Thrown when as many calls wait as may wait. */
export class BusyError extends Error {
  constructor(running: number) {
    super(`The agent is busy: ${running} commands are running and no more calls can wait`)
    this.name = 'BusyError'
  }
}

export interface Gate {
  run: <T>(task: () => Promise<T>, signal: AbortSignal) => Promise<T>
  running: () => number
  /** Changes how many run at once; what runs already goes on. */
  resize: (parallel: number) => void
}

/** Lets `parallel` tasks run at once, in order of arrival; `waiting` more may queue, and a queued one can be aborted. */
export function createGate(limits: { parallel: number; waiting: number }): Gate {
  let { parallel } = limits
  let running = 0
  const queue: (() => void)[] = []

  const enter = (signal: AbortSignal): Promise<void> => {
    if (running < parallel) {
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

  // Places are handed over at once, so that nobody who arrives in between can take them.
  const fill = (): void => {
    while (running < parallel) {
      const next = queue.shift()
      if (next === undefined) return
      running++
      next()
    }
  }

  return {
    running: () => running,
    resize: (count) => {
      parallel = count
      fill()
    },
    run: async (task, signal) => {
      await enter(signal)
      try {
        return await task()
      } finally {
        running--
        fill()
      }
    },
  }
}
