/** The list of agents by keyboard alone, and the dialog that says how. */
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Button, Dialog } from '../shared/ui.tsx'
import { selectAll, selected, toggle } from './bulk.ts'
import { words } from './bulk-strings.ts'
import { setSingleKeys, singleKeys } from './list-settings.ts'

const help = signal(false)
export const showKeys = (): void => {
  help.value = true
}

const TYPING = 'input:not([type=checkbox]), textarea, select, [contenteditable], dialog, dialog *'

/** True for a key that is no part of typing, of a dialog, or of a key of the browser. */
export const isPlainKey = (event: KeyboardEvent): boolean =>
  singleKeys.value &&
  !(event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) &&
  !(event.target instanceof Element && event.target.matches(TYPING)) &&
  document.querySelector('dialog[open]') === null

const rows = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('.agents .agent')]
const current = (): HTMLElement | undefined => rows().find((row) => row.contains(document.activeElement))

function move(step: 1 | -1): void {
  const all = rows()
  const row = current()
  const at = row === undefined ? (step === 1 ? -1 : all.length) : all.indexOf(row)
  const next = all[Math.max(0, Math.min(all.length - 1, at + step))]
  next?.querySelector<HTMLElement>('.name')?.focus({ preventScroll: true })
  next?.scrollIntoView({ block: 'nearest' })
}

function choose(isRange: boolean): boolean {
  const name = current()?.dataset['agent']
  if (name !== undefined) toggle(name, isRange)
  return name !== undefined
}

const KEYS: Readonly<Record<string, () => boolean | void>> = {
  j: () => move(1),
  k: () => move(-1),
  x: () => choose(false),
  X: () => choose(true),
  '?': showKeys,
  Escape() {
    if (selected.value.size === 0) return false
    selectAll(false)
  },
}

export function useListKeys(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const action = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : undefined
      if (action === undefined || !isPlainKey(event)) return
      if (action() !== false) event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
}

export function KeysDialog() {
  if (!help.value) return null
  const close = (): void => {
    help.value = false
  }
  const { keys } = words
  return (
    <Dialog labelledBy="keys-title" onClose={close}>
      <div class="dialog-body">
        <h2 id="keys-title">{keys.title}</h2>
        <dl class="list-keys">
          {keys.list.map(([key, what]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <label class="check">
          <input
            type="checkbox"
            checked={singleKeys.value}
            aria-describedby="single-keys-help"
            onChange={({ currentTarget }) => setSingleKeys(currentTarget.checked)}
          />
          <span>{keys.single}</span>
        </label>
        <p class="muted small" id="single-keys-help">
          {keys.singleHelp}
        </p>
        <div class="dialog-actions">
          <Button label={keys.close} first onClick={close} />
        </div>
      </div>
    </Dialog>
  )
}
