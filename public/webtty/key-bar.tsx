/** Keys that the keyboard of a phone does not have, and a line to type into for keyboards that compose. */
import { useRef, useState } from 'preact/hooks'
import { Icon } from '../shared/icons.tsx'
import { Button } from '../shared/ui.tsx'
import { onAction } from './actions.ts'
import type { BarKey, Modifiers } from './keys.ts'
import type { TtySession } from './session.ts'
import { focusedSession } from './store.ts'
import { strings } from './strings.ts'

const { bar } = strings
const KEYS: readonly { readonly key: BarKey; readonly text: string; readonly name: string }[] = [
  { key: 'escape', text: bar.escape, name: bar.escape },
  { key: 'tab', text: bar.tab, name: bar.tab },
  { key: 'left', text: '←', name: bar.left },
  { key: 'up', text: '↑', name: bar.up },
  { key: 'down', text: '↓', name: bar.down },
  { key: 'right', text: '→', name: bar.right },
]
const INTERRUPT = '\x03'

/** Only where a finger is what points; `webtty.css` hides it elsewhere. */
export function KeyBar() {
  const [hasField, setHasField] = useState(false)
  const session = focusedSession.value
  if (session === null || session.role.value === 'viewer') return null
  return (
    <section class="key-bar" aria-label={bar.label} data-region="keys" onMouseDown={keepFocus}>
      {hasField && <InputLine session={session} />}
      <div class="key-row" role="toolbar" aria-label={bar.label}>
        {KEYS.slice(0, 2).map(({ key, text, name }) => (
          <KeyButton key={key} text={text} name={name} onClick={() => session.press(key)} />
        ))}
        <ModifierButton session={session} which="ctrl" />
        <ModifierButton session={session} which="alt" />
        {KEYS.slice(2).map(({ key, text, name }) => (
          <KeyButton key={key} text={text} name={name} onClick={() => session.press(key)} />
        ))}
        <KeyButton text={bar.interrupt} name={bar.interruptName} onClick={() => session.type(INTERRUPT)} />
        <KeyButton text={bar.paste} name={bar.paste} onClick={() => onAction('paste')} />
        <button
          type="button"
          class="key"
          aria-label={bar.fieldTitle}
          aria-pressed={hasField}
          onClick={() => setHasField(!hasField)}
        >
          <Icon name="keyboard" />
        </button>
      </div>
    </section>
  )
}

/** The terminal keeps the focus, and the phone its keyboard. */
function keepFocus(event: MouseEvent): void {
  if (event.target instanceof HTMLElement && !event.target.matches('input')) event.preventDefault()
}

function KeyButton({ text, name, onClick }: { text: string; name: string; onClick(): void }) {
  return (
    <button type="button" class="key" aria-label={name} onClick={onClick}>
      {text}
    </button>
  )
}

function ModifierButton({ session, which }: { session: TtySession; which: keyof Modifiers }) {
  const held = session.modifiers.value
  return (
    <button
      type="button"
      class="key"
      aria-pressed={held[which]}
      onClick={() => {
        session.modifiers.value = { ...held, [which]: !held[which] }
      }}
    >
      {bar[which]}
    </button>
  )
}

function InputLine({ session }: { session: TtySession }) {
  const field = useRef<HTMLInputElement>(null)
  const send = (): void => {
    const input = field.current
    if (input === null) return
    session.type(`${input.value}\r`)
    input.value = ''
  }
  return (
    <form
      class="input-line"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <input
        ref={field}
        class="field"
        type="text"
        autocomplete="off"
        autocapitalize="none"
        enterkeyhint="send"
        aria-label={bar.field}
        placeholder={bar.placeholder}
      />
      <Button label={bar.send} onClick={send} />
    </form>
  )
}
