/** Scrolling by finger, which xterm 6.0 lost (xtermjs/xterm.js#5489). Goes away with 6.1. */
import type { Terminal } from '@xterm/xterm'

/** `keys` sends what a program in the alternate screen understands: it has no scrollback of ours. */
export function scrollByTouch(host: HTMLElement, term: Terminal, keys: (lines: number) => void): void {
  let lastY: number | null = null
  let rest = 0
  const one = (event: TouchEvent): Touch | null => (event.touches.length === 1 ? (event.touches[0] ?? null) : null)
  host.addEventListener(
    'touchstart',
    (event) => {
      lastY = one(event)?.clientY ?? null
      rest = 0
    },
    { passive: true },
  )
  host.addEventListener(
    'touchmove',
    (event) => {
      const touch = one(event)
      if (touch === null || lastY === null) return
      const cell = host.clientHeight / Math.max(1, term.rows)
      rest += (lastY - touch.clientY) / cell
      lastY = touch.clientY
      const lines = Math.trunc(rest)
      if (lines === 0) return
      rest -= lines
      event.preventDefault()
      if (term.buffer.active.type === 'alternate') keys(lines)
      else term.scrollLines(lines)
    },
    { passive: false },
  )
}
