/** Which revisions a program speaks: asked as the protocol says for standard streams, before anything else is sent. */
import { CODES, FIRST_MODERN, LAST_LEGACY, META } from '../../../core/mcp.ts'
import { PloinkyError } from '../../../core/error.ts'
import { fieldsOf, isModern, textOf, type Message } from './message.ts'
import type { Shared } from './shared.ts'

/** For an answer to "server/discover"; older programs may send none. */
const DISCOVER_MS = 5000
/** For a program that is still being fetched or built. */
const START_MS = 120_000

export interface Spoken {
  readonly versions: readonly string[]
  readonly isModern: boolean
}

/** What our own requests carry. */
export const ownMeta = (version: string, router: string): object => ({
  [META.version]: version,
  [META.capabilities]: {},
  [META.client]: { name: 'ploinky', version: router },
})

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string').slice(0, 50) : []

/** Null when it is no answer of a program of the modern era. */
function modernAnswer({ result, error }: Message): Spoken | null {
  const versions = textsOf(result === null ? fieldsOf(error?.data)['supported'] : result['supportedVersions'])
  const isAnswer = result !== null || error?.code === CODES.unsupportedVersion
  return isAnswer && versions.some(isModern) ? { versions, isModern: true } : null
}

/** Throws UPSTREAM_TIMEOUT, or AGENT_FAILED when the program ended or refused. */
export async function negotiate(shared: Shared, agent: string, router: string): Promise<Spoken> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const after = (ms: number): Promise<null> =>
    new Promise((resolve) => {
      timer = setTimeout(() => resolve(null), ms)
    })
  const settled = async (asked: Promise<Message>, ms: number): Promise<Message | null> => {
    try {
      return await Promise.race([asked, after(ms)])
    } finally {
      clearTimeout(timer)
    }
  }
  try {
    const discover = shared.ask('server/discover', { _meta: ownMeta(FIRST_MODERN, router) })
    const first = await settled(discover, DISCOVER_MS)
    const spoken = first === null ? null : modernAnswer(first)
    if (spoken !== null) return spoken
    const clientInfo = { name: 'ploinky', version: router }
    const initialize = shared.ask('initialize', { protocolVersion: LAST_LEGACY, capabilities: {}, clientInfo })
    initialize.catch(() => {})
    const late = discover.then((message) => (first === null && modernAnswer(message) !== null ? message : initialize))
    const next = await settled(Promise.race([late, initialize]), START_MS)
    if (next === null)
      throw new PloinkyError('UPSTREAM_TIMEOUT', 'The program of the agent does not answer', {
        hint: `See what it does: ploinky logs ${agent}`,
      })
    const version = textOf(next.result?.['protocolVersion'])
    if (version !== null) return { versions: [version], isModern: false }
    const found = modernAnswer(next)
    if (found !== null) return found
  } catch (error) {
    if (error instanceof PloinkyError) throw error
    throw gone(agent, error)
  }
  throw new PloinkyError('AGENT_FAILED', 'The program of the agent does not speak MCP', {
    hint: 'Check "mcp.command" in its manifest',
  })
}

const gone = (agent: string, error: unknown): PloinkyError =>
  new PloinkyError('AGENT_FAILED', `The program of the agent is gone: ${error instanceof Error ? error.message : ''}`, {
    hint: `See why: ploinky logs ${agent}`,
    cause: error,
  })
