/** Feeds a recording to a terminal, at its own pace or another. */
import type { Terminal } from '@xterm/xterm'
import type { Cast } from './asciicast.ts'
import { eventsUntil } from './asciicast.ts'

export interface Playback {
  play(): void
  pause(): void
  /** Seconds from the beginning. */
  seek(seconds: number): void
  setSpeed(speed: number): void
  close(): void
}

/** Nobody watches a cursor blink for longer. Seconds. */
const LONGEST_PAUSE = 3
const TICK_MS = 50

export function createPlayback(
  cast: Cast,
  term: Pick<Terminal, 'write' | 'resize'>,
  tell: (state: { at: number; playing: boolean }) => void,
): Playback {
  let position = 0
  let next = 0
  let speed = 1
  let playing = false
  let before = 0
  let timer: ReturnType<typeof setInterval> | undefined

  function show(until: number): void {
    const end = eventsUntil(cast, until)
    for (; next < end; next += 1) {
      const event = cast.events[next]
      if (event?.kind === 'output') term.write(event.data)
      // In turn: behind what was written before.
      else if (event?.kind === 'resize') term.write('', () => term.resize(event.cols, event.rows))
    }
  }

  function rewind(): void {
    next = 0
    term.write('\x1bc', () => term.resize(cast.cols, cast.rows))
  }

  function tick(): void {
    const now = performance.now()
    const target = position + ((now - before) / 1000) * speed
    before = now
    const following = cast.events[next]?.at ?? cast.duration
    // Long pauses are cut short, and the clock jumps over them.
    position = following - target > LONGEST_PAUSE * speed ? following - LONGEST_PAUSE * speed : target
    if (position >= cast.duration) return finish()
    show(position)
    tell({ at: position, playing })
  }

  function finish(): void {
    position = cast.duration
    show(position)
    pause()
  }

  function pause(): void {
    clearInterval(timer)
    playing = false
    tell({ at: position, playing })
  }

  rewind()
  show(0)
  return {
    play() {
      if (playing) return
      if (position >= cast.duration) {
        position = 0
        rewind()
      }
      playing = true
      before = performance.now()
      timer = setInterval(tick, TICK_MS)
      tick()
    },
    pause,
    seek(seconds) {
      const target = Math.min(cast.duration, Math.max(0, seconds))
      if (target < position) rewind()
      position = target
      before = performance.now()
      show(position)
      tell({ at: position, playing })
    },
    setSpeed(value) {
      speed = value
    },
    close: () => clearInterval(timer),
  }
}
