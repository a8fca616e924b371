/**
 * A part of a page that did not come: the page is loaded again, a few times. Chromium drops requests that are under way
 * (ERR_NETWORK_CHANGED, those to this machine too) whenever a network interface comes or goes, and each container that starts
 * or ends is one.
 */
export const NOT_WHOLE = 'A part of this page did not come from the router. Load the page again.'
const KEY = 'ploinky-loaded-again'
const MOST = 3
/** Before the first; doubled with each. */
const FIRST_MS = 250
/** A page that has stood for so long has loaded. */
const STANDS_MS = 20_000

/** False: it was done often enough, and somebody has to be told. */
export function loadAgain(): boolean {
  try {
    const tries = Number(sessionStorage.getItem(KEY) ?? 0)
    if (!(tries < MOST)) return false
    sessionStorage.setItem(KEY, String(tries + 1))
    setTimeout(() => location.reload(), FIRST_MS * 2 ** tries)
    return true
  } catch {
    // Without storage it could go on for ever.
    return false
  }
}

/** From the head of a page, before its parts. */
export function watchParts(): void {
  let isMissing = false
  const onError = ({ target }: Event): void => {
    const isPart =
      target instanceof HTMLScriptElement || (target instanceof HTMLLinkElement && target.rel === 'stylesheet')
    if (!isPart || isMissing) return
    isMissing = true
    if (!loadAgain()) tell()
  }
  addEventListener('error', onError, true)
  setTimeout(() => {
    if (!isMissing) sessionStorage.removeItem(KEY)
  }, STANDS_MS)
}

/** Without the page's own means: they are what is missing. */
function tell(): void {
  const show = (): void => {
    const note = document.createElement('p')
    note.setAttribute('role', 'alert')
    note.textContent = NOT_WHOLE
    document.body.prepend(note)
  }
  if (document.body === null) addEventListener('DOMContentLoaded', show)
  else show()
}
