/** Calls to the router's own API. Addresses are relative to the page's parent, so they hold under any prefix. */

/** What went wrong, in the shape that every part of the product uses. */
export class ApiError extends Error {
  readonly code: string
  readonly status: number
  readonly hint: string | null

  constructor(message: string, info: { code: string; status: number; hint?: string | null }) {
    super(message)
    this.name = 'ApiError'
    this.code = info.code
    this.status = info.status
    this.hint = info.hint ?? null
  }
}

/** The address of `path` in the router that served this page: pages live one folder below the router's root. */
export function routerUrl(path: string): string {
  return new URL(`../${path.replace(/^\//, '')}`, document.baseURI).href
}

/** Leaves for the sign-in page, which says that the session is over and brings the visitor back here afterwards. */
export function goToSignIn(): void {
  const target = new URL(routerUrl('signin/'))
  target.searchParams.set('returnTo', location.pathname + location.search + location.hash)
  target.searchParams.set('ended', '1')
  location.assign(target.href)
}

const TIMEOUT_MS = 30_000
const AGAIN_MS = 250
/** Starting an agent may include pulling its image. */
const ACTION_TIMEOUT_MS = 10 * 60_000

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** Throws ApiError for every failure; on 401 the page also leaves for the sign-in page. `body` is sent as JSON. */
export async function call(method: Method, path: string, body?: unknown): Promise<unknown> {
  let response: Response
  try {
    response = await send(method, path, body)
  } catch (error) {
    const timedOut = error instanceof DOMException && error.name === 'TimeoutError'
    throw new ApiError(timedOut ? 'The router did not answer in time' : 'The router cannot be reached', {
      code: timedOut ? 'TIMEOUT' : 'ROUTER_NOT_RUNNING',
      status: 0,
      hint: 'ploinky status',
    })
  }
  const answer: unknown = await response.json().catch(() => null)
  if (response.ok) return answer
  if (response.status === 401) goToSignIn()
  throw errorOf(response.status, answer)
}

/** What only asks is asked once more when its connection broke: a change of this machine's networks is enough for that. */
async function send(method: Method, path: string, body: unknown): Promise<Response> {
  const once = (): Promise<Response> =>
    fetch(routerUrl(path), {
      method,
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      cache: 'no-store',
      signal: AbortSignal.timeout(method === 'GET' ? TIMEOUT_MS : ACTION_TIMEOUT_MS),
    })
  try {
    return await once()
  } catch (error) {
    if (method !== 'GET' || !(error instanceof TypeError)) throw error
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    return await once()
  }
}

/** Reads the error shape; a body in another shape (a proxy's page, nothing) still gives a message. */
export function errorOf(status: number, body: unknown): ApiError {
  const error = asRecord(asRecord(body)['error'])
  const hint = asRecord(error['details'])['suggestion']
  return new ApiError(textOr(error['message'], `The router answered with status ${status}`), {
    code: textOr(error['code'], `HTTP_${status}`),
    status,
    hint: typeof hint === 'string' ? hint : null,
  })
}

export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
export const textOr = (value: unknown, fallback: string): string => (typeof value === 'string' ? value : fallback)
export const textOrNull = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
export const numberOr = (value: unknown, fallback: number): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : fallback
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
