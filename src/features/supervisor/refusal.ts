/** Why nothing is passed on to an agent. */
import { type ErrorCode, PloinkyError } from '../../core/error.ts'
import type { AgentState } from '../agents/index.ts'

/** With the time after which it is worth to come back. */
export function refusalOf(why: {
  name: string
  state: AgentState
  reason: string | null
  code: ErrorCode
  retryAfterSeconds: number
}): PloinkyError {
  const { name, state, reason, code, retryAfterSeconds } = why
  const because = reason === null ? '' : `: ${reason}`
  const hint =
    state === 'paused' ? `Unpause its container, or run: ploinky restart ${name}` : `Run: ploinky logs ${name}`
  return new PloinkyError(code, `Agent "${name}" is ${state}${because}`, {
    hint,
    details: { agent: name, state, reason, retryAfterSeconds },
  })
}
