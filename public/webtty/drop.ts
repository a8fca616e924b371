/** Files that are dropped on a terminal go to its agent. */
import { useState } from 'preact/hooks'
import { filesOf, hasFiles } from '../shared/dropped-files.ts'
import type { TtySession } from './session.ts'
import { guest, openFiles, select } from './store.ts'

type Handler = (event: DragEvent) => void

/**
 * Handlers of the element that holds the terminal. A file is never left to the browser, which would open it in place of the
 * page; who came by a link can give none.
 */
export function useDrop(session: TtySession) {
  const [isOver, setOver] = useState(false)
  const handle =
    (then: Handler): Handler =>
    (event) => {
      if (!hasFiles(event.dataTransfer)) return
      event.preventDefault()
      if (guest.value && event.dataTransfer !== null) event.dataTransfer.dropEffect = 'none'
      else then(event)
    }
  return {
    isOver,
    handlers: {
      onDragOver: handle(() => setOver(true)),
      onDragLeave: (event: DragEvent & { readonly currentTarget: HTMLElement }) => {
        const { relatedTarget } = event
        if (!(relatedTarget instanceof Node && event.currentTarget.contains(relatedTarget))) setOver(false)
      },
      onDrop: handle(({ dataTransfer }) => {
        setOver(false)
        select(session.key)
        const files = filesOf(dataTransfer)
        if (files.length > 0) openFiles(session, files)
      }),
    },
  }
}
