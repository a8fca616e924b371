/** What a failed MCP call means, in the words of the error table. The SDK is not loaded for it: its errors are told by their shape. */
import { CODES } from '../../core/mcp.ts'
import { isPloinkyError, messageOf, PloinkyError } from '../../core/error.ts'

/** What was noticed beside the SDK, which often wraps it beyond recognition. */
export interface Seen {
  /** The router's own answer. */
  refusal: PloinkyError | null
  /** No answer at all. */
  network: unknown
}

/** Of revisions before 2026-07-28; since then it is an invalid parameter that names the address. */
const RESOURCE_NOT_FOUND = -32002
const METHOD_NOT_FOUND = -32601
const MAX_MESSAGE = 4096

const short = (text: string): string => (text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}...` : text)

/** Strips what the SDK puts in front of the agent's own words. */
const ownWords = (error: unknown): string => short(messageOf(error).replace(/^MCP error -?\d+: /, ''))

function statusOf(error: unknown): number | null {
  const status = (error as { data?: { status?: unknown } } | null)?.data?.status
  return typeof status === 'number' ? status : null
}

/** True when the agent answers HTTP, but not as a server of MCP does. */
export const isNoMcp = (error: unknown): boolean => isPloinkyError(error) && error.details['mcp'] === false

function ofCode(code: number, error: unknown, agent: string): PloinkyError {
  const details = { agent, rpcCode: code }
  const uri = (error as { data?: { uri?: unknown } }).data?.uri
  if (code === RESOURCE_NOT_FOUND || (code === CODES.invalidParams && typeof uri === 'string')) {
    return new PloinkyError('TOOL_NOT_FOUND', `Agent "${agent}" has no such resource: ${ownWords(error)}`, {
      details,
      hint: `Run: ploinky client list resources --agent ${agent}`,
    })
  }
  if (code === CODES.invalidParams) {
    return new PloinkyError('REQUEST_INVALID', `Agent "${agent}" refused the request: ${ownWords(error)}`, { details })
  }
  if (code === METHOD_NOT_FOUND) {
    return new PloinkyError('CAPABILITY_UNSUPPORTED', `Agent "${agent}" does not offer this: ${ownWords(error)}`, {
      details,
      hint: 'See what it offers: ploinky client status',
    })
  }
  return new PloinkyError('AGENT_FAILED', `Agent "${agent}" answered with an error: ${ownWords(error)}`, {
    details,
    hint: `Run: ploinky logs ${agent}`,
  })
}

/** A PloinkyError for anything that a call through the SDK threw. */
export function explain(error: unknown, agent: string, seen: Seen): PloinkyError {
  if (isPloinkyError(error)) return error
  if (seen.refusal !== null) return seen.refusal
  const code = (error as { code?: unknown } | null)?.code
  if (code === 'REQUEST_TIMEOUT') {
    return new PloinkyError('TIMEOUT', `Agent "${agent}" did not answer in time`, {
      hint: `Give it longer with --timeout SECONDS, or run: ploinky logs ${agent}`,
      cause: error,
    })
  }
  if (typeof code === 'number') return ofCode(code, error, agent)
  if (seen.network !== null) {
    return new PloinkyError('UPSTREAM_UNREACHABLE', 'The connection to the router was lost', {
      hint: 'Run: ploinky status',
      cause: seen.network,
    })
  }
  const status = statusOf(error)
  if (status !== null) {
    return new PloinkyError('AGENT_FAILED', `Agent "${agent}" serves no MCP: it answered with HTTP ${status}`, {
      hint: `Run: ploinky logs ${agent}`,
      details: { agent, mcp: false, httpStatus: status },
      cause: error,
    })
  }
  return new PloinkyError('AGENT_FAILED', `Agent "${agent}": ${ownWords(error)}`, {
    hint: `Run: ploinky logs ${agent}`,
    details: { agent },
    cause: error,
  })
}
