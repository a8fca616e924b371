/** What may be called, as people write it. */
import { PloinkyError } from '../../core/error.ts'
import { isName } from '../../core/id.ts'

export interface CallTarget {
  readonly agent: string
  readonly tool: string | null
}

/** NAME_INVALID for what names no agent. */
export function parseTarget(text: string): CallTarget {
  const slash = text.indexOf('/')
  const agent = slash < 0 ? text : text.slice(0, slash)
  const tool = slash < 0 ? null : text.slice(slash + 1)
  if (isName(agent) && tool !== '' && !/[\0-\x1f\x7f]/.test(tool ?? '')) return { agent, tool }
  throw new PloinkyError('NAME_INVALID', `Not an agent, or an agent and a tool: ${JSON.stringify(text.slice(0, 80))}`, {
    hint: 'Write it as agent, agent/tool, agent/prompt:name or agent/resource:uri',
  })
}
