/** What all dialogs of this page look like. */
import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import { Button, Dialog } from '../shared/ui.tsx'
import { closeDialog, dialog } from './store.ts'
import { strings } from './strings.ts'

interface FrameProps {
  readonly title: string
  readonly text?: string
  readonly wide?: boolean
  readonly children: ComponentChildren
  /** In place of the button that closes. */
  readonly actions?: ComponentChildren
}

/** A dialog with a heading, what it is about, and buttons at its end. */
export function Frame({ title, text, wide, children, actions }: FrameProps) {
  // A dialog that gives way to another one says that it closed when the other is open already.
  const mine = useRef(dialog.value)
  const closed = (): void => {
    if (dialog.value === mine.current) closeDialog()
  }
  return (
    <Dialog class={wide === true ? 'wide' : 'plain'} labelledBy="dialog-title" onClose={closed}>
      <div class="dialog-body">
        <h2 id="dialog-title">{title}</h2>
        {text !== undefined && <p class="muted">{text}</p>}
        {children}
        <div class="dialog-actions">{actions ?? <Button label={strings.close} onClick={closeDialog} />}</div>
      </div>
    </Dialog>
  )
}
