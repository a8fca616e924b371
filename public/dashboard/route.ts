/** Addresses inside the page: `#/logs`, `#/agents/demo?tab=plan`. One document, so nothing is loaded twice. */
import { signal } from '@preact/signals'

export interface Route {
  /** The first word; not checked: an unknown one gets the view that says so. */
  readonly view: string
  /** What the view is about: the name of an agent. */
  readonly param: string | null
  readonly query: URLSearchParams
}

export const HOME = 'agents'

/** Null for what is no address of a view (`#x`, an anchor): it changes nothing. */
export function parseRoute(hash: string): Route | null {
  if (hash === '' || hash === '#') return { view: HOME, param: null, query: new URLSearchParams() }
  if (!hash.startsWith('#/')) return null
  const [path = '', query = ''] = hash.slice(2).split(/\?(.*)/s, 2)
  const [view = '', ...rest] = path.split('/')
  const param = rest.filter((part) => part !== '').join('/')
  return {
    view: view === '' ? HOME : view,
    param: param === '' ? null : decoded(param),
    query: new URLSearchParams(query),
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // Typed by hand with a lonely "%": it is then meant as it is.
    return text
  }
}

/** The address of a view, for links. */
export function hrefOf(
  view: string,
  param: string | null = null,
  query: Readonly<Record<string, string>> = {},
): string {
  const search = new URLSearchParams(query).toString()
  return `#/${view}${param === null ? '' : `/${encodeURIComponent(param)}`}${search === '' ? '' : `?${search}`}`
}

export const route = signal<Route>(parseRoute('') as Route)
/** How often another view or subject was opened: the heading takes the focus then, and not when the page is first opened. */
export const visits = signal(0)

/** Follows the address. Called once. */
export function followAddress(): void {
  const read = (): void => {
    const next = parseRoute(location.hash)
    if (next === null) return
    const { view, param } = route.peek()
    route.value = next
    if (next.view !== view || next.param !== param) visits.value += 1
  }
  read()
  visits.value = 0
  window.addEventListener('hashchange', read)
}

export function go(view: string, param: string | null = null, query: Readonly<Record<string, string>> = {}): void {
  location.hash = hrefOf(view, param, query)
}

/** Changes the query without a step in the history: filters and tabs can be linked to, and "back" still leaves the view. */
export function setQuery(changes: Readonly<Record<string, string | null>>): void {
  const { view, param, query } = route.peek()
  const next = new URLSearchParams(query)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') next.delete(name)
    else next.set(name, value)
  }
  history.replaceState(null, '', hrefOf(view, param, Object.fromEntries(next)))
  route.value = { view, param, query: next }
}
