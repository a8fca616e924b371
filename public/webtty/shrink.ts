/** A terminal that is larger than its place, since it has the size of another window, is drawn smaller: all of it is in sight. */
import type { Terminal } from '@xterm/xterm'

type Point = (event: MouseEvent, element: Element, ...rest: unknown[]) => unknown

export interface Shrink {
  /** 1: as large as it is. */
  readonly scale: number
  /** Looks at the sizes again. */
  apply(): void
  /** Called when they were looked at. */
  changed: () => void
}

/** `box` holds nothing but the terminal, and is on the page. */
export function createShrink(term: Terminal, box: HTMLElement): Shrink {
  let scale = 1
  let frame = 0
  const apply = (): void => {
    const { element } = term
    const screen = element?.querySelector<HTMLElement>('.xterm-screen')
    if (element === undefined || !screen || box.clientWidth === 0 || screen.offsetWidth === 0) return
    scale = Math.min(1, box.clientWidth / screen.offsetWidth, box.clientHeight / screen.offsetHeight)
    const isSmaller = scale < 1
    box.classList.toggle('shrunk', isSmaller)
    // Of text, and so as sharp as at its own size.
    element.style.transform = isSmaller ? `scale(${scale})` : ''
    element.style.width = isSmaller ? `${screen.offsetWidth}px` : ''
    element.style.height = isSmaller ? `${screen.offsetHeight}px` : ''
    shrink.changed()
  }
  pointAtScale(term, () => scale)
  term.onResize(() => {
    cancelAnimationFrame(frame)
    frame = requestAnimationFrame(apply)
  })
  const shrink: Shrink = {
    get scale() {
      return scale
    },
    apply,
    changed: () => {},
  }
  return shrink
}

/** xterm counts cells from pixels of the page; those of a smaller terminal are smaller. Without this part of xterm, selecting misses. */
function pointAtScale(term: Terminal, scale: () => number): void {
  const core = (term as unknown as { _core?: { _mouseService?: Record<string, Point | undefined> } })._core
  const service = core?._mouseService
  if (service === undefined) return
  for (const name of ['getCoords', 'getMouseReportCoords']) {
    const plain = service[name]?.bind(service)
    if (plain === undefined) continue
    service[name] = (event, element, ...rest) => {
      const { left, top } = element.getBoundingClientRect()
      const at = (pixel: number, from: number): number => from + (pixel - from) / scale()
      const { clientX, clientY } = event
      const moved = scale() === 1 ? event : ({ clientX: at(clientX, left), clientY: at(clientY, top) } as MouseEvent)
      return plain(moved, element, ...rest)
    }
  }
}
