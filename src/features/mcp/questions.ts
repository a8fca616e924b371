/** What the router asks an agent of itself, in both eras of the protocol: who it is and what it offers. */
import { FIRST_MODERN, LAST_LEGACY } from '../../core/mcp.ts'
import type { Answer, Ask } from './ask.ts'
import { ownMeta, resultIn } from './messages.ts'

/** A list with more pages is no list. */
const MAX_PAGES = 50

/** Method -> the array in its result. */
const LISTS = {
  'tools/list': 'tools',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
  'prompts/list': 'prompts',
} as const
type ListMethod = keyof typeof LISTS
const ALL = Object.keys(LISTS) as ListMethod[]

/** Results by method. */
export type Results = Readonly<Record<string, Record<string, unknown>>>

const okResult = (answer: Answer, id: number): Record<string, unknown> | null =>
  answer.status === 200 ? resultIn(answer.contentType, answer.text, id) : null

export async function takeStateless(ask: Ask, version: string, methods: readonly ListMethod[] = ALL): Promise<Results> {
  const call = async (method: string, params: Record<string, unknown>) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: ownMeta(version) } })
    const headers = { 'mcp-protocol-version': FIRST_MODERN, 'mcp-method': method }
    return okResult(await ask({ method: 'POST', headers, body }), 1)
  }
  const discovered = await call('server/discover', {})
  return discovered === null ? {} : { 'server/discover': discovered, ...(await lists(call, methods)) }
}

export async function takeSessions(ask: Ask, version: string, methods: readonly ListMethod[] = ALL): Promise<Results> {
  const opened = await openSession(ask, {
    protocolVersion: LAST_LEGACY,
    capabilities: {},
    clientInfo: { name: 'ploinky', version },
  })
  if (opened === null) return {}
  const { result, headers } = opened
  const call = async (method: string, params: Record<string, unknown>) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    return okResult(await ask({ method: 'POST', headers, body }), 1)
  }
  try {
    return { initialize: result, ...(await lists(call, methods)) }
  } finally {
    await ask({ method: 'DELETE', headers }).catch(() => {})
  }
}

/** Begins a session of the older protocol; null when the agent does not speak it. */
export async function openSession(ask: Ask, params: Readonly<Record<string, unknown>>) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })
  const answer = await ask({ method: 'POST', headers: {}, body })
  const result = okResult(answer, 1)
  if (result === null) return null
  const agreed = typeof result['protocolVersion'] === 'string' ? result['protocolVersion'] : LAST_LEGACY
  const headers = {
    'mcp-protocol-version': agreed,
    ...(answer.sessionId === null ? {} : { 'mcp-session-id': answer.sessionId }),
  }
  const told = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })
  await ask({ method: 'POST', headers, body: told })
  return { result, headers, sessionId: answer.sessionId }
}

/** All tools that an agent tells of, in the protocol that it speaks; null: it tells nothing. */
export async function listTools(ask: Ask, version: string): Promise<unknown> {
  const stateless = await takeStateless(ask, version, ['tools/list'])
  const found = stateless['tools/list'] ?? (await takeSessions(ask, version, ['tools/list']))['tools/list']
  return found?.['tools'] ?? null
}

/** Whole lists; what is not offered, or does not end, is left out. */
async function lists(
  call: (method: string, params: Record<string, unknown>) => Promise<Record<string, unknown> | null>,
  methods: readonly ListMethod[],
): Promise<Results> {
  const found: Record<string, Record<string, unknown>> = {}
  for (const method of methods) {
    const key = LISTS[method]
    const items: unknown[] = []
    let cursor: unknown
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const result = await call(method, cursor === undefined ? {} : { cursor })
      const part = result?.[key]
      if (result === null || !Array.isArray(part)) break
      items.push(...(part as unknown[]))
      cursor = result['nextCursor']
      if (cursor !== undefined) continue
      const { nextCursor: _last, ...rest } = result
      found[method] = { ...rest, [key]: items }
      break
    }
  }
  return found
}
