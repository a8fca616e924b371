/** Signals that ask this process to end, unless they are meant for a child that has the terminal. Light: part of every start. */

/** A child that has the terminal gets Ctrl-C itself; this process must not act on it meanwhile. */
let handedOver = 0

/** The terminal belongs to a child until the result is called. */
export function handOverTerminal(): () => void {
  const ignore = (): void => {}
  handedOver += 1
  process.on('SIGINT', ignore)
  return () => {
    process.off('SIGINT', ignore)
    handedOver -= 1
  }
}

export function onSignal(handler: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void): () => void {
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const listeners = names.map((name) => {
    const listener = (): void => {
      if (name === 'SIGINT' && handedOver > 0) return
      handler(name)
    }
    process.on(name, listener)
    return () => process.off(name, listener)
  })
  return () => listeners.forEach((off) => off())
}
