/** The field for the name of a session. */
import { strings } from './strings.ts'

const MAX_NAME = 60

export function NameField({ name, onInput, onEnter }: { name: string; onInput(name: string): void; onEnter(): void }) {
  return (
    <label class="stack">
      <span>{strings.sessions.nameLabel}</span>
      <input
        class="field"
        type="text"
        autocomplete="off"
        autofocus
        maxLength={MAX_NAME}
        value={name}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.isComposing) return
          event.preventDefault()
          onEnter()
        }}
      />
    </label>
  )
}
