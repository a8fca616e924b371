/** Headers of the modern era that repeat what the body says: intermediaries decide by them, so they must say the same. */
import { isObject } from '../../../core/json.ts'
import { CODES, META, NAMED_BY, decodeHeader } from '../../../core/mcp.ts'
import type { IncomingMessage } from '../../../platform/index.ts'
import { headerOf } from './http.ts'
import { isModern, isVersion, textOf, type Message, type RpcError } from './message.ts'
import type { ParamHeader } from './param-headers.ts'

const mismatch = (message: string): RpcError => ({ code: CODES.headerMismatch, message: `Header mismatch: ${message}` })

export type Era = 'legacy' | 'modern'

/** Which era a posted message is of; an error where it contradicts itself. The body decides, the header must agree. */
export function eraOf(message: Message, incoming: IncomingMessage): Era | RpcError {
  const header = headerOf(incoming, 'mcp-protocol-version')?.trim()
  const named = message.meta[META.version]
  const claimed = textOf(named)
  if (named === undefined || (message.method === 'initialize' && (claimed === null || !isModern(claimed)))) {
    if (header === undefined || !isModern(header)) return 'legacy'
    if (message.kind === 'response')
      return { code: CODES.invalidRequest, message: `Revision ${header} has no requests of servers` }
    if (message.method === 'initialize') return mismatch(`"initialize" does not belong to revision ${header}`)
    // Notifications carry no version of their own: the header alone tells.
    if (message.kind === 'notification') return 'modern'
    return { code: CODES.invalidParams, message: `Revision ${header} needs "${META.version}" in the request's _meta` }
  }
  if (claimed === null) return { code: CODES.invalidParams, message: `"${META.version}" in _meta must be text` }
  if (header !== undefined && header !== claimed)
    return mismatch(`MCP-Protocol-Version is "${header}", _meta says "${claimed}"`)
  return isVersion(claimed) && !isModern(claimed) ? 'legacy' : 'modern'
}

/** What is wrong with the envelope of a modern request. */
export function envelopeProblem({ meta }: Message): RpcError | null {
  const invalid = (key: string): RpcError => ({
    code: CODES.invalidParams,
    message: `Invalid _meta: "${key}" must be an object`,
  })
  if (!isObject(meta[META.capabilities])) return invalid(META.capabilities)
  if (meta[META.client] !== undefined && !isObject(meta[META.client])) return invalid(META.client)
  return null
}

/** What is wrong with the headers of a modern message; only a request must have them. */
export function headerProblem(message: Message, incoming: IncomingMessage): RpcError | null {
  if (message.kind === 'request' && headerOf(incoming, 'mcp-protocol-version') === undefined)
    return mismatch('MCP-Protocol-Version is missing')
  return repetitionProblem(message, incoming)
}

/** What is wrong with the headers that repeat the method, and the name of what it is about. */
export function repetitionProblem(
  { kind, method, params }: Pick<Message, 'kind' | 'method' | 'params'>,
  incoming: IncomingMessage,
): RpcError | null {
  const isRequest = kind === 'request'
  const named = headerOf(incoming, 'mcp-method')?.trim()
  if (named === undefined ? isRequest : named !== method)
    return mismatch(
      named === undefined ? 'Mcp-Method is missing' : `Mcp-Method is "${named}", the body says "${method}"`,
    )
  const member = Object.hasOwn(NAMED_BY, method) ? NAMED_BY[method] : undefined
  const value = member === undefined ? null : textOf(params[member])
  if (!isRequest || value === null) return null
  const header = headerOf(incoming, 'mcp-name')
  if (header === undefined) return mismatch(`Mcp-Name is missing, params.${member} is ${JSON.stringify(value)}`)
  const decoded = decodeHeader(header)
  if (decoded === null) return mismatch('Mcp-Name is not well encoded')
  return decoded === value ? null : mismatch(`Mcp-Name does not say what params.${member} says`)
}

/** What is wrong with the headers that repeat arguments of a tool. */
export function paramProblem(
  declared: readonly ParamHeader[],
  { params }: Message,
  incoming: IncomingMessage,
): RpcError | null {
  for (const { path, name, isNumber } of declared) {
    const value = valueAt(params['arguments'], path)
    const text = headerText(value)
    if (text === null) continue
    const header = `Mcp-Param-${name}`
    const given = headerOf(incoming, header.toLowerCase())
    if (given === undefined) return mismatch(`${header} is missing, the body has a value for it`)
    const decoded = decodeHeader(given)
    if (decoded === null) return mismatch(`${header} is not well encoded`)
    const isSame =
      isNumber && typeof value === 'number' && /^-?\d+(?:\.\d+)?$/.test(decoded)
        ? Number(decoded) === value
        : decoded === text
    if (!isSame) return mismatch(`${header} does not say what the body says`)
  }
  return null
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  let value = root
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}

/** How a client writes a value into a header; null: it does not. */
function headerText(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'number' || (Number.isInteger(value) && !Number.isSafeInteger(value))) return null
  return String(value)
}
