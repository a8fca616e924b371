/** Headers that repeat what the body says, for those who do not read bodies: both must say the same. */
import { decodeHeader } from '../../core/mcp.ts'
import type { IncomingMessage } from '../../platform/index.ts'
import type { Asked } from './message.ts'

/** Why the headers do not belong to the body; null when they do, or say nothing. */
export function headerMismatch({ headers }: IncomingMessage, asked: Asked): string | null {
  const [method, name] = [headers['mcp-method'], headers['mcp-name']]
  if (method !== undefined && String(method) !== asked.method) return 'Mcp-Method is not the method of the body'
  if (name === undefined) return null
  const named = 'name' in asked ? asked.name : null
  return named !== null && decodeHeader(String(name)) === named ? null : 'Mcp-Name is not what the body asks for'
}
