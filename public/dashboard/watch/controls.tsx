/** Small controls of the watching views. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Icon } from '../../shared/icons.tsx'
import type { IconName } from '../../shared/icons.tsx'

export interface ToggleProps {
  readonly label: string
  readonly isOn: boolean
  readonly icon?: IconName
  readonly title?: string
  readonly keys?: string
  onChange(isOn: boolean): void
}

export function Toggle({ label, isOn, icon, title, keys, onChange }: ToggleProps) {
  return (
    <button
      type="button"
      class="button toggle"
      aria-pressed={isOn}
      aria-keyshortcuts={keys}
      title={title}
      onClick={() => onChange(!isOn)}
    >
      {icon !== undefined && <Icon name={icon} />}
      <span>{label}</span>
    </button>
  )
}

export interface SelectProps<T extends string> {
  readonly label: string
  readonly value: T
  readonly options: readonly (readonly [T, string])[]
  onChange(value: T): void
}

export function Select<T extends string>({ label, value, options, onChange }: SelectProps<T>) {
  return (
    <label class="select">
      <span class="visually-hidden">{label}</span>
      <select class="field" title={label} value={value} onChange={(event) => onChange(event.currentTarget.value as T)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

/** A button that opens a small box; it closes with Escape and by a click elsewhere. */
export function Menu({ label, children }: { label: string; children: ComponentChildren }) {
  const ref = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    const close = (event: Event): void => {
      const box = ref.current
      if (box === null || !box.open) return
      const isEscape = event instanceof KeyboardEvent && event.key === 'Escape'
      const isOutside = event.type === 'pointerdown' && !box.contains(event.target as Node)
      if (!isEscape && !isOutside) return
      box.open = false
      if (isEscape) box.querySelector('summary')?.focus()
    }
    document.addEventListener('keydown', close)
    document.addEventListener('pointerdown', close)
    return () => {
      document.removeEventListener('keydown', close)
      document.removeEventListener('pointerdown', close)
    }
  }, [])
  return (
    <details class="menu" ref={ref}>
      <summary class="button">{label}</summary>
      <div class="menu-box card">{children}</div>
    </details>
  )
}

/** Saves text as a file of the visitor. */
export function saveFile(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has taken the blob when the click is over, but not before it.
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}

/** Calls back for a key of the page that nobody is typing into a field. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const current = useRef(keys)
  current.current = keys
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { target } = event
      const isTyping = target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]')
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return
      const action = current.current[event.key]
      if (action === undefined) return
      event.preventDefault()
      action()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
}
