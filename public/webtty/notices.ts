/** What the page tells: notices that can be seen, and words for screen readers alone. */
import { signal } from '@preact/signals'
import { problemOf } from './problem.ts'
import type { Problem } from './session.ts'
import { strings } from './strings.ts'

export interface Notice {
  readonly id: number
  readonly tone: 'ok' | 'info' | 'bad'
  readonly title: string
  readonly text?: string | null
  readonly code?: string
  readonly buttons?: readonly { readonly label: string; readonly primary?: boolean; onClick(): void }[]
}

export const notices = signal<readonly Notice[]>([])
export const announcement = signal('')

const OK_NOTICE_MS = 6000
const KEPT_NOTICES = 4
let noticeId = 0

export function announce(text: string): void {
  if (text !== '') announcement.value = text
}

/** Bad news and questions stay until somebody did something. */
export function notify(notice: Omit<Notice, 'id'>): number {
  noticeId += 1
  const id = noticeId
  // A program that asks again and again must not cover the page.
  const others = notices.value.filter(({ title }) => title !== notice.title)
  notices.value = [...others, { ...notice, id }].slice(-KEPT_NOTICES)
  if (notice.tone === 'ok') setTimeout(() => dismiss(id), OK_NOTICE_MS)
  return id
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id)
}

export const notifyProblem = ({ code, message, hint }: Problem): number =>
  notify({ tone: 'bad', title: message, text: hint, code })

/** `what`: what was tried, as in "end the session". */
export function notifyFailure(error: unknown, what: string): void {
  const problem = problemOf(error)
  notify({
    tone: 'bad',
    title: strings.notDone(what),
    text: problem.hint === null ? problem.message : `${problem.message}. ${problem.hint}`,
    code: problem.code,
  })
}
