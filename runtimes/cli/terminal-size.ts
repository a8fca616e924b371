/** The size of a terminal in a container: nothing of it may get lost between an engine and its program. */
import { delay } from '../../src/core/time.ts'

/**
 * For engines that give a terminal its size after the start of the program.
 * Holds a program back until its terminal has a size (some seconds at most, where the machine is very busy): one that asks once, at its start, would see 0 x 0.
 * Without `stty` in the image it starts at once.
 */
const WAIT_FOR_SIZE = `command -v stty >/dev/null 2>&1 && {
  n=0
  while [ $n -lt 150 ]; do
    case "$(stty size 2>/dev/null)" in "" | "0 0") ;; *) break ;; esac
    n=$((n + 1)); sleep 0.02 2>/dev/null || break
  done
}
exec "$@"`

export const waitForSize = (argv: readonly string[]): readonly string[] => ['sh', '-c', WAIT_FOR_SIZE, 'sh', ...argv]

/** A size that follows another one sooner than this may be dropped. */
const CLOSE_MS = 1000
/** After so long the one before was taken, but for very busy machines. */
const TAKEN_MS = 60
/** On those it was taken now. */
const SURELY_TAKEN_MS = 1500

export interface Sizing {
  /** Resolves when the program can be expected to know. */
  resize(cols: number, rows: number): Promise<void>
  stop(): void
}

/**
 * conmon (2.1.6, of podman) reads all sizes that wait for it at once, and then applies the first of them as often as there
 * are: the size at the start and the one of a window that is a moment later leave the terminal with the first. A size that
 * closely follows another, or this call, is therefore sent again. To a terminal that has it already that is nothing: its program is not told.
 */
export function createRepeatedSizing(send: (cols: number, rows: number) => Promise<void>): Sizing {
  let last = performance.now()
  let wanted = 0
  const stopped = new AbortController()

  async function again(cols: number, rows: number, { turn, ms }: { turn: number; ms: number }): Promise<void> {
    await delay(ms, stopped.signal).catch(() => {})
    if (turn !== wanted || stopped.signal.aborted) return
    last = performance.now()
    await send(cols, rows)
  }

  return {
    async resize(cols, rows) {
      const turn = ++wanted
      const isClose = performance.now() - last < CLOSE_MS
      last = performance.now()
      await send(cols, rows)
      if (!isClose) return
      await again(cols, rows, { turn, ms: TAKEN_MS })
      void again(cols, rows, { turn, ms: SURELY_TAKEN_MS }).catch(() => {})
    },
    stop: () => stopped.abort(),
  }
}
