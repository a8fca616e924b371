/** One way to the router: finds it again when it moved, waits while it restarts, and repeats only what was surely not received. */
import { pause } from '../../../core/time.ts'
import { fromErrorBody, isPloinkyError, PloinkyError } from '../../../core/error.ts'
import { parseJson, isObject } from '../../../core/json.ts'
import type { HttpAnswer } from '../../../platform/index.ts'
import { endpointPath } from '../connect.ts'
import type { Services } from '../../../services.ts'

export interface Call {
  readonly method: 'POST' | 'GET' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
}

/** The answer, and the router's own error where it refused. */
export interface Answer extends HttpAnswer {
  readonly refusal: PloinkyError | null
  /** Of an error: its body. */
  readonly problem: string
}

export interface Link {
  /** Throws what stands in the way; ROUTER_NOT_RUNNING after waiting for it. */
  send(call: Call): Promise<Answer>
}

/** Milliseconds that a router or agent that restarts is waited for. */
const PATIENCE_MS = 15_000
const PAUSE_MS = 250
/** A call may take as long as it likes; this is the longest timer there is. */
const NO_TIMEOUT_MS = 2 ** 31 - 1
const MAX_PROBLEM_BYTES = 1024 * 1024
/** Nothing listened, so nothing was received. */
const NOT_RECEIVED = new Set(['ECONNREFUSED', 'ENOENT', 'EADDRNOTAVAIL'])

const wasNotReceived = (error: unknown): boolean =>
  (isPloinkyError(error) && error.code === 'ROUTER_NOT_RUNNING') ||
  NOT_RECEIVED.has(String((error as { code?: unknown } | null)?.code))

async function withProblem(answer: HttpAnswer): Promise<Answer> {
  if (answer.status < 400) return { ...answer, refusal: null, problem: '' }
  const problem = await answer.text(MAX_PROBLEM_BYTES)
  const json = parseJson(problem)
  const body = json.ok && isObject(json.value) ? json.value : null
  // An agent's own errors are JSON-RPC.
  const refusal = body === null || body['jsonrpc'] !== undefined ? null : fromErrorBody(body, 'ROUTER_FAILED')
  return { ...answer, refusal, problem }
}

/** Milliseconds after which a refused call may be tried again; null when that would not help. */
function retryAfter({ status, headers, refusal }: Answer): number | null {
  const seconds = Number(headers['retry-after'] ?? Number.NaN)
  return status === 503 && refusal !== null && seconds >= 0 ? seconds * 1000 : null
}

type LinkServices = Pick<Services, 'client' | 'router' | 'token' | 'platform'>

export function createLink(services: LinkServices, agent: string | null): Link {
  const path = endpointPath(agent)
  let token: Promise<string> | null = null

  async function once(call: Call): Promise<Answer> {
    const info = await services.router.info()
    if (info === null) {
      throw new PloinkyError('ROUTER_NOT_RUNNING', 'The router of this workspace is not running', {
        hint: 'Run: ploinky start',
      })
    }
    token ??= services.token.show()
    const { hostname } = new URL(services.client.baseUrl(info))
    const answer = await services.platform.net.request({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: info.port,
      method: call.method,
      path,
      headers: { ...call.headers, authorization: `Bearer ${await token}` },
      signal: call.signal,
      timeoutMs: NO_TIMEOUT_MS,
      ...(call.body === undefined ? {} : { body: call.body }),
    })
    return await withProblem(answer)
  }

  return {
    async send(call) {
      const deadline = Date.now() + PATIENCE_MS
      let isSecondToken = false
      for (;;) {
        let wait = PAUSE_MS
        try {
          const answer = await once(call)
          const isOldToken = answer.refusal?.code === 'UNAUTHENTICATED' && !isSecondToken
          const after = isOldToken ? 0 : retryAfter(answer)
          if (after === null || Date.now() + after > deadline) return answer
          if (isOldToken) {
            isSecondToken = true
            token = null
          }
          wait = Math.max(after, isOldToken ? 0 : PAUSE_MS)
        } catch (error) {
          if (!wasNotReceived(error) || Date.now() > deadline) throw error
        }
        await pause(wait, call.signal)
        call.signal.throwIfAborted()
      }
    },
  }
}
