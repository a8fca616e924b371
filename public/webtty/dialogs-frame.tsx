/** What all dialogs of this page look like. */
import type { ComponentChildren } from 'preact'
import { Button, Dialog } from '../shared/ui.tsx'
import { closeDialog } from './store.ts'
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
  return (
    <Dialog class={wide === true ? 'wide' : 'plain'} labelledBy="dialog-title" onClose={closeDialog}>
      <div class="dialog-body">
        <h2 id="dialog-title">{title}</h2>
        {text !== undefined && <p class="muted">{text}</p>}
        {children}
        <div class="dialog-actions">{actions ?? <Button label={strings.close} onClick={closeDialog} />}</div>
      </div>
    </Dialog>
  )
}
