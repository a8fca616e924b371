/** Building blocks that more than one page or view uses. All text is set as text: nothing here makes HTML from data. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { copyText } from './clipboard.ts'
import { Icon } from './icons.tsx'
import type { IconName } from './icons.tsx'
import { strings } from './strings.ts'

export type Tone = 'ok' | 'info' | 'warn' | 'bad' | 'idle'

export interface ButtonProps {
  readonly label: string
  readonly icon?: IconName
  readonly kind?: 'primary' | 'danger' | 'quiet'
  /** Shows the icon alone; the label is still read out. */
  readonly iconOnly?: boolean
  /** Read out in place of the label where several buttons have the same one. */
  readonly name?: string
  readonly title?: string
  readonly busy?: boolean
  /** Takes the focus when its dialog opens. */
  readonly first?: boolean
  onClick(): void
}

/** A busy button keeps the focus (`aria-disabled`, not `disabled`), so a keyboard user is not thrown to the top of the page. */
export function Button({ label, icon, kind, iconOnly, name, title, busy, first, onClick }: ButtonProps) {
  const classes = ['button', kind ?? '', iconOnly === true ? 'icon-only' : ''].filter((part) => part !== '').join(' ')
  const spoken = name ?? (iconOnly === true ? label : undefined)
  return (
    <button
      type="button"
      class={classes}
      aria-label={spoken}
      autoFocus={first === true}
      title={title ?? (iconOnly === true ? label : undefined)}
      aria-disabled={busy === true ? 'true' : undefined}
      onClick={() => {
        if (busy !== true) onClick()
      }}
    >
      {busy === true ? <Icon name="starting" spin /> : icon !== undefined && <Icon name={icon} />}
      {iconOnly !== true && <span>{label}</span>}
    </button>
  )
}

const COPIED_MS = 2000

export function CopyButton({ text, name }: { text: string; name: string }) {
  const [outcome, setOutcome] = useState<'copied' | 'failed' | null>(null)
  useEffect(() => {
    if (outcome === null) return
    const timer = setTimeout(() => setOutcome(null), COPIED_MS)
    return () => clearTimeout(timer)
  }, [outcome])
  return (
    <>
      <Button
        iconOnly
        kind="quiet"
        icon={outcome === 'copied' ? 'check' : 'copy'}
        label={name}
        onClick={() => void copyText(text).then((done) => setOutcome(done ? 'copied' : 'failed'))}
      />
      <span class="visually-hidden" role="status">
        {outcome === null ? '' : strings[outcome]}
      </span>
    </>
  )
}

export function Badge({
  tone,
  icon,
  spin,
  children,
}: {
  tone: Tone
  icon?: IconName
  spin?: boolean
  children: ComponentChildren
}) {
  return (
    <span class={`badge tone-${tone}`}>
      {icon !== undefined && <Icon name={icon} spin={spin === true} />}
      <span>{children}</span>
    </span>
  )
}

/** Text that may be broken after a slash or colon: paths and image names then wrap between their parts. */
export function Breakable({ text }: { text: string }) {
  const parts = text.split(/(?<=[/:@])/)
  return parts.map((part, index) => (index === 0 ? part : [<wbr />, part]))
}

/** A command line to run, with a button that copies it. */
export function Command({ text }: { text: string }) {
  return (
    <div class="command">
      <code>{text}</code>
      <CopyButton text={text} name={strings.copyCommand(text)} />
    </div>
  )
}

export interface DialogProps {
  readonly class?: string
  readonly labelledBy: string
  onClose(): void
  readonly children: ComponentChildren
}

/** The browser's own modal: it traps the focus, closes with Escape and gives the focus back to where it came from. */
export function Dialog({ class: className, labelledBy, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = ref.current
    dialog?.showModal()
    return () => dialog?.close()
  }, [])
  return (
    <dialog
      ref={ref}
      class={className}
      aria-labelledby={labelledBy}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === ref.current) ref.current?.close()
      }}
    >
      {children}
    </dialog>
  )
}
