/** The first line of every view: its heading, a note beside it, and what can be done with all of it. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { visits } from './route.ts'

let greeted = 0

export interface ViewHeadProps {
  readonly title: string
  /** A few words beside the heading, e.g. a count. */
  readonly note?: string
  /** A link back, above the heading. */
  readonly back?: { readonly href: string; readonly label: string }
  /** Fields and buttons at the end of the line. */
  readonly children?: ComponentChildren
}

/** Takes the focus when somebody came here by a link, so that a screen reader says where one is. */
export function ViewHead({ title, note, back, children }: ViewHeadProps) {
  const ref = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (visits.value === greeted) return
    greeted = visits.value
    ref.current?.focus({ preventScroll: true })
    window.scrollTo(0, 0)
  }, [])
  return (
    <div class="view-head">
      {back !== undefined && (
        <a class="back small" href={back.href}>
          <span class="arrow" aria-hidden="true">
            ‹
          </span>
          {back.label}
        </a>
      )}
      <h1 id="view-title" ref={ref} tabIndex={-1}>
        {title}
      </h1>
      {note !== undefined && <span class="muted small">{note}</span>}
      {children !== undefined && <div class="view-tools">{children}</div>}
    </div>
  )
}
