/** Which era of the protocol an agent speaks: asked once for each instance of it. */
import { FIRST_MODERN } from '../../../core/mcp.ts'
import { isObject } from '../../../core/json.ts'
import type { AgentAccess } from '../access.ts'
import { type Caller, envelope, readAnswer, sendModern, withDeadline } from './call.ts'

export type Era = 'modern' | 'legacy'

export interface Eras {
  /** Agents of both eras are `modern`. Throws when the agent cannot be asked. */
  of(agent: string, caller: Pick<Caller, 'principal' | 'requestId' | 'signal'>): Promise<Era>
}

export function createEras(access: AgentAccess): Eras {
  const known = new Map<string, { instance: string; era: Promise<Era> }>()

  async function ask(agent: string, caller: Caller): Promise<Era> {
    const message = await withDeadline(agent, caller.signal, async (signal) => {
      const answer = await sendModern(access, agent, { method: 'server/discover', caller: { ...caller, signal } })
      try {
        return await readAnswer(agent, answer, { id: 1 })
      } catch (error) {
        // A refusal without a message is an answer too; one that is not there yet is none.
        if (signal.aborted || answer.status >= 500) throw error
        return null
      }
    })
    const result = message?.['result']
    const versions = isObject(result) ? result['supportedVersions'] : undefined
    return Array.isArray(versions) && versions.includes(FIRST_MODERN) ? 'modern' : 'legacy'
  }

  return {
    of(agent, { principal, requestId }) {
      const instance = access.instance(agent)
      const last = known.get(agent)
      if (last?.instance === instance) return last.era
      const obstacle = access.obstacle(agent)
      if (obstacle !== null) return Promise.reject(obstacle)
      // Whoever asked first may leave: the answer is for all.
      const signal = new AbortController().signal
      const era = ask(agent, {
        principal,
        requestId,
        signal,
        meta: envelope({ info: { name: 'ploinky', version: '1' } }),
      })
      known.set(agent, { instance, era })
      era.catch(() => known.delete(agent))
      return era
    },
  }
}
