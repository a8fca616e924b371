/** The question before an agent is stopped. */
import { plainText } from '../shared/format.ts'
import { Button, Command, Dialog } from '../shared/ui.tsx'
import { commandFor } from './model.ts'
import { act, confirming } from './store.ts'
import { strings } from './strings.ts'

export function ConfirmDialog() {
  const asked = confirming.value
  if (asked === null) return null
  const close = (): void => {
    confirming.value = null
  }
  return (
    <Dialog labelledBy="confirm-title" onClose={close}>
      <div class="dialog-body">
        <h2 id="confirm-title">{strings.confirmStop(plainText(asked.agent))}</h2>
        <p>{strings.confirmStopText}</p>
        <div>
          <p class="muted small">{strings.sameAs}</p>
          <Command text={commandFor(asked.action, asked.agent)} />
        </div>
        <div class="dialog-actions">
          <Button label={strings.cancel} first onClick={close} />
          <Button
            kind="danger"
            icon="stopped"
            label={strings.action(asked.action)}
            name={strings.actionOn(asked.action, plainText(asked.agent))}
            onClick={() => {
              close()
              void act(asked.agent, asked.action)
            }}
          />
        </div>
      </div>
    </Dialog>
  )
}
