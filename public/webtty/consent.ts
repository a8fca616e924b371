/** What a program wants from the person at the page, and gets only when that person agrees. */
import { copyText } from '../shared/clipboard.ts'
import { dismiss, notify } from './notices.ts'
import { strings } from './strings.ts'

const SHOWN = 200
/** Sessions in which a program may write to the clipboard; forgotten with the page. */
const allowed = new Set<string>()

/** Asks, unless the answer for this session is known. */
export function answerClipboard(session: string, text: string, done: () => void): void {
  if (allowed.has(session)) return void write(text)
  const { title, once, always, never } = strings.clipboard
  const answer = (then: () => void) => (): void => {
    dismiss(id)
    then()
    done()
  }
  const id = notify({
    tone: 'info',
    title,
    text: text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text,
    buttons: [
      { label: once, primary: true, onClick: answer(() => void write(text)) },
      {
        label: always,
        onClick: answer(() => {
          allowed.add(session)
          void write(text)
        }),
      },
      { label: never, onClick: answer(() => {}) },
    ],
  })
}

async function write(text: string): Promise<void> {
  const done = await copyText(text)
  notify({ tone: done ? 'ok' : 'bad', title: done ? strings.clipboard.copied(text.length) : strings.clipboard.failed })
}

/** Where a pointer can hover, the address was in sight before the click. Elsewhere it is shown first. */
export function openAddress(address: string): void {
  const open = (): void => void window.open(address, '_blank', 'noopener,noreferrer')
  if (matchMedia('(hover: hover)').matches) return open()
  const id = notify({
    tone: 'info',
    title: strings.linkAsk,
    text: address,
    buttons: [
      {
        label: strings.openLink,
        primary: true,
        onClick: () => {
          dismiss(id)
          open()
        },
      },
      { label: strings.cancel, onClick: () => dismiss(id) },
    ],
  })
}

const SELECTION_SETTLES_MS = 150
let selectTimer: ReturnType<typeof setTimeout> | undefined

/** A selection grows with each move of the mouse; it is copied when it rests. */
export function copyWhenDone(text: string): void {
  clearTimeout(selectTimer)
  selectTimer = setTimeout(() => {
    // Quietly: without the permission, the keys for copying still work.
    navigator.clipboard?.writeText(text).catch(() => {})
  }, SELECTION_SETTLES_MS)
}
