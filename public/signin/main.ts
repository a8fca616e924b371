/** Signs in without leaving the page, so that a mistake keeps what was typed. Without script the form posts by itself. */
import { errorOf, routerUrl } from '../shared/api.ts'
import { nextPage } from './next.ts'
import './signin.css'
import { strings } from './strings.ts'

const form = document.querySelector('form')
const field = document.querySelector<HTMLInputElement>('#token')
const problem = document.querySelector<HTMLElement>('#problem')
const button = document.querySelector('button')

function show(message: string): void {
  if (problem === null || field === null) return
  problem.textContent = message
  problem.hidden = message === ''
  if (message === '') return field.removeAttribute('aria-invalid')
  field.setAttribute('aria-invalid', 'true')
  field.focus()
  field.select()
}

async function signIn(token: string): Promise<string | null> {
  try {
    const response = await fetch(routerUrl('auth/login'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ token }),
      redirect: 'manual',
    })
    // A redirect is the answer to a form that was accepted; its target is not needed here.
    if (response.ok || response.type === 'opaqueredirect') return null
    const { code, message } = errorOf(response.status, await response.json().catch(() => null))
    if (code === 'UNAUTHENTICATED') return strings.wrong
    if (code === 'DENIED') return /too many/i.test(message) ? strings.tooMany : strings.elsewhere
    return strings.failed(response.status)
  } catch {
    return strings.unreachable
  }
}

const marks = new URLSearchParams(location.search)
// A form that was posted without script comes back with this mark.
if (marks.has('error')) show(strings.wrong)
// Where somebody wanted to go: a stale link is seen before the token is typed.
const wanted = new URL(nextPage(location.search, location.href, routerUrl('dashboard/')))
const next = document.querySelector<HTMLElement>('#next')
if (marks.has('returnTo') && next !== null) {
  next.textContent = strings.next(wanted.pathname + wanted.hash)
  next.hidden = false
}
// A page was open when its session ended.
const ended = document.querySelector<HTMLElement>('#ended')
if (marks.has('ended') && ended !== null) {
  ended.textContent = strings.ended
  ended.hidden = false
}

form?.addEventListener('submit', (event) => {
  event.preventDefault()
  const token = field?.value.trim() ?? ''
  if (token === '') return show(strings.empty)
  if (button?.getAttribute('aria-disabled') === 'true') return
  button?.setAttribute('aria-disabled', 'true')
  show('')
  void signIn(token).then((message) => {
    button?.removeAttribute('aria-disabled')
    if (message === null) location.replace(nextPage(location.search, location.href, routerUrl('dashboard/')))
    else show(message)
  })
})
