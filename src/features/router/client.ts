/** Calls to the running router of this workspace, with the operator token. */
import { fromErrorBody, PloinkyError } from '../../core/error.ts'
import { parseJson } from '../../core/json.ts'
import type { HttpAnswer, Network } from '../../platform/index.ts'
import { reachable } from './address.ts'
import type { RouterDaemon, RouterInfo } from './daemon.ts'

const TIMEOUT_MS = 30_000

export interface RouterClient {
  /** ROUTER_NOT_RUNNING when there is none. */
  get(path: string): Promise<unknown>
  post(path: string, body?: unknown): Promise<unknown>
  delete(path: string): Promise<unknown>
  /** Where a WebSocket of the router is, and what signs it in. */
  webSocket(path: string): Promise<{ url: string; headers: Readonly<Record<string, string>> }>
  /** Makes the router read its files now; nothing when it does not run. */
  reload(): Promise<void>
  /** Address for a person's browser. */
  baseUrl(info: RouterInfo): string
  /** A link that signs a browser in, once. */
  loginUrl(page: string): Promise<string>
}

export interface RouterClientOptions {
  net: Network
  daemon: RouterDaemon
  token(): Promise<string>
}

async function decode(answer: HttpAnswer): Promise<unknown> {
  const text = await answer.text()
  const json = text === '' ? { ok: true as const, value: null } : parseJson(text)
  if (answer.status < 400) return json.ok ? json.value : text
  throw (
    (json.ok ? fromErrorBody(json.value, 'ROUTER_FAILED') : null) ??
    new PloinkyError('ROUTER_FAILED', `The router answered ${answer.status}`, { hint: 'Run: ploinky logs router' })
  )
}

export function createRouterClient({ net, daemon, token }: RouterClientOptions): RouterClient {
  const baseUrl = (info: RouterInfo): string => {
    const host = reachable(info.host)
    return `http://${host.includes(':') ? `[${host}]` : host}:${info.port}`
  }

  async function running(): Promise<RouterInfo> {
    const info = await daemon.info()
    if (info !== null) return info
    throw new PloinkyError('ROUTER_NOT_RUNNING', 'The router of this workspace is not running', {
      hint: 'Run: ploinky start',
    })
  }

  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const info = await running()
    const headers: Record<string, string> = { authorization: `Bearer ${await token()}`, accept: 'application/json' }
    if (body !== undefined) headers['content-type'] = 'application/json'
    const answer = await net.request({
      host: reachable(info.host),
      port: info.port,
      method,
      path,
      headers,
      timeoutMs: TIMEOUT_MS,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return await decode(answer)
  }

  return {
    baseUrl,
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body ?? {}),
    delete: (path) => call('DELETE', path),
    webSocket: async (path) => ({
      url: `${baseUrl(await running())}${path}`.replace(/^http/, 'ws'),
      headers: { authorization: `Bearer ${await token()}` },
    }),
    async reload() {
      if ((await daemon.info()) !== null) await call('POST', '/api/v1/routes/reload', {})
    },
    async loginUrl(page) {
      const { code } = (await call('POST', '/auth/link', {})) as { code: string }
      return `${baseUrl(await running())}/${page.replace(/^\/+/, '')}?token=${encodeURIComponent(code)}`
    },
  }
}
