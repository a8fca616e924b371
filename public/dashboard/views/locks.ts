/** Locks on the definitions of tools, read from the API. DOM-free. */
import { asRecord, listOf, textOr, textOrNull } from '../../shared/api.ts'
import { plainText } from '../../shared/format.ts'
import { words } from './agent-strings.ts'

export interface BlockedTool {
  readonly tool: string
  readonly why: 'new' | 'changed'
  readonly differences: readonly {
    readonly path: string
    readonly before: string | null
    readonly after: string | null
  }[]
}
export interface Lock {
  readonly agent: string
  readonly pinned: boolean
  readonly approved: number
  readonly blocked: readonly BlockedTool[]
}

const clean = (value: unknown): string => plainText(textOr(value, ''))

export function readLocks(body: unknown): Lock[] {
  return listOf(body).map((item) => {
    const { agent, pinned, approved, blocked } = asRecord(item)
    return {
      agent: textOr(agent, ''),
      pinned: pinned === true,
      approved: listOf(approved).length,
      blocked: listOf(blocked).map((entry) => {
        const { tool, why, differences } = asRecord(entry)
        return {
          tool: textOr(tool, ''),
          why: why === 'new' ? 'new' : 'changed',
          differences: listOf(differences).map((difference) => {
            const { path, before, after } = asRecord(difference)
            return {
              path: clean(path),
              before: textOrNull(before) && clean(before),
              after: textOrNull(after) && clean(after),
            }
          }),
        }
      }),
    }
  })
}

export function lockState(lock: Lock | undefined): string {
  if (lock === undefined) return words.unlocked
  return lock.pinned ? words.locked(lock.approved, lock.blocked.length) : words.lockedLater
}
