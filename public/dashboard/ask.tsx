/** The question before something is lost or cut off. */
import { signal } from '@preact/signals'
import type { IconName } from '../shared/icons.tsx'
import { Button, Command, Dialog } from '../shared/ui.tsx'
import { strings } from './strings.ts'

export interface Question {
  readonly title: string
  readonly text: string
  /** The same in a terminal; null where there is none. */
  readonly command: string | null
  readonly label: string
  /** Read out for the button, where the label is short. */
  readonly name?: string
  readonly icon?: IconName
  run(): void
}

const asked = signal<Question | null>(null)

export function ask(question: Question): void {
  asked.value = question
}

export function ConfirmDialog() {
  const question = asked.value
  if (question === null) return null
  const close = (): void => {
    asked.value = null
  }
  const { title, text, command, label, name, icon } = question
  return (
    <Dialog labelledBy="confirm-title" onClose={close}>
      <div class="dialog-body">
        <h2 id="confirm-title">{title}</h2>
        <p>{text}</p>
        {command !== null && (
          <div>
            <p class="muted small">{strings.sameAs}</p>
            <Command text={command} />
          </div>
        )}
        <div class="dialog-actions">
          <Button label={strings.cancel} first onClick={close} />
          <Button
            kind="danger"
            icon={icon ?? 'warning'}
            label={label}
            {...(name === undefined ? {} : { name })}
            onClick={() => {
              close()
              question.run()
            }}
          />
        </div>
      </div>
    </Dialog>
  )
}
