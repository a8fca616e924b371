/** At the cursor, the name of whoever moves it: somebody else, who typed last. Told in the line of people too, so for eyes only. */
import type { Terminal } from '@xterm/xterm'
import type { Shrink } from './shrink.ts'

/** Nothing has moved for so long: it fades. */
const STAYS_MS = 2500

export interface CursorName {
  /** Null: the cursor is one's own, or nobody else is there. */
  set(name: string | null): void
}

export function createCursorName(term: Terminal, box: HTMLElement, shrink: Shrink): CursorName {
  const label = document.createElement('span')
  label.className = 'cursor-name'
  label.setAttribute('aria-hidden', 'true')
  box.append(label)
  let name: string | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  const hide = (): void => label.classList.remove('seen')

  function show(): void {
    clearTimeout(timer)
    place()
    timer = setTimeout(hide, STAYS_MS)
  }

  function place(): void {
    const { active } = term.buffer
    const screen = term.element?.querySelector<HTMLElement>('.xterm-screen')
    // Scrolled back, the cursor is somewhere else.
    if (name === null || !screen || active.viewportY !== active.baseY) return hide()
    const cell = (size: number, count: number): number => (size / count) * shrink.scale
    const [width, height] = [cell(screen.offsetWidth, term.cols), cell(screen.offsetHeight, term.rows)]
    const [right, top] = [(active.cursorX + 1.5) * width, active.cursorY * height]
    // Behind the cursor, where nothing is typed yet; where no room is left there, above or below it.
    const isBehind = right + label.offsetWidth <= box.clientWidth
    const beside = top >= label.offsetHeight ? top - label.offsetHeight : top + height
    const left = isBehind ? right : Math.max(0, box.clientWidth - label.offsetWidth)
    const line = isBehind ? Math.max(0, top + (height - label.offsetHeight) / 2) : beside
    label.style.transform = `translate(${left}px, ${Math.min(line, box.clientHeight - label.offsetHeight)}px)`
    label.classList.add('seen')
  }

  term.onCursorMove(show)
  shrink.changed = () => {
    if (label.classList.contains('seen')) place()
  }
  return {
    set(next) {
      if (next === name) return
      name = next
      label.textContent = next ?? ''
      show()
    },
  }
}
