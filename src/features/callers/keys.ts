/**
 * Keys of agents. Each follows from one secret of the workspace and from who the agent is and when it was enabled: an agent that
 * comes later under the same name has others, and nothing has to be kept or asked for while a request waits.
 */
import type { AgentRecord } from '../../config/documents.ts'
import type { Hashing } from '../../platform/index.ts'
import type { SecretStore } from '../secrets/index.ts'

const SECRET_NAME = 'PLOINKY_AGENT_KEYS'
const SECRET_BYTES = 32
const PREFIX = 'pa1'

export type Identity = Pick<AgentRecord, 'repo' | 'agent' | 'enabledAt'>

export interface AgentKeys {
  /** What the agent shows where no socket says who it is. */
  readonly credential: string
  /** Signs the invocations that are sent to it; the text itself is the key of the HMAC. */
  readonly invocation: string
}

export interface KeyRing {
  keysOf(name: string, record: Identity): AgentKeys
}

export function createKeyRing(secret: string, hash: Hashing): KeyRing {
  /** Requests ask with the same record again and again. */
  const known = new WeakMap<Identity, AgentKeys>()
  return {
    keysOf(name, record) {
      const found = known.get(record)
      if (found !== undefined) return found
      const identity = JSON.stringify([name, record.repo, record.agent, record.enabledAt])
      const derive = (purpose: string): string => hash.hmacSha256(secret, `ploinky/agent/${purpose}/v1\n${identity}`)
      const keys = { credential: `${PREFIX}.${name}.${derive('credential')}`, invocation: derive('invocation') }
      known.set(record, keys)
      return keys
    },
  }
}

/** Name of the agent that a credential claims to be of; null: it is no credential of an agent. */
export function claimedAgent(credential: string): string | null {
  if (!credential.startsWith(`${PREFIX}.`)) return null
  const end = credential.lastIndexOf('.')
  return end > PREFIX.length ? credential.slice(PREFIX.length + 1, end) : null
}

/** The secret that all keys follow from; made at first use. */
export async function agentSecret(secrets: SecretStore, hash: Hashing): Promise<string> {
  return (await secrets.ensure(SECRET_NAME, () => hash.randomToken(SECRET_BYTES))).reveal()
}
