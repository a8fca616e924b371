/** Links to one session for people without a sign-in. Their tokens are kept as hashes, in memory: they end with the session. */
import { PloinkyError } from '../../core/error.ts'
import { typedId } from '../../core/id.ts'
import type { Hashing } from '../../platform/index.ts'
import type { TtyRole } from './protocol.ts'

export interface Share {
  readonly share: string
  readonly session: string
  readonly role: Exclude<TtyRole, 'owner'>
  /** ms since 1970 */
  readonly expiresAt: number
}

const MAX_SHARES = 100

export function createShares(hash: Pick<Hashing, 'randomToken' | 'sha256Hex'>, now: () => number = Date.now) {
  const byHash = new Map<string, Share>()
  const isOpen = ({ expiresAt }: Share): boolean => expiresAt > now()
  const removeWhere = (gone: (share: Share) => boolean): Share[] => {
    const removed: Share[] = []
    for (const [key, share] of byHash) {
      if (!gone(share)) continue
      byHash.delete(key)
      removed.push(share)
    }
    return removed
  }
  return {
    create(session: string, role: Share['role'], seconds: number): { share: Share; token: string } {
      removeWhere((share) => !isOpen(share))
      const ofSession = [...byHash.values()].filter((share) => share.session === session)
      if (ofSession.length >= MAX_SHARES)
        throw new PloinkyError('RATE_LIMITED', `A terminal has at most ${MAX_SHARES} links`, {
          hint: `Run: ploinky terminal unshare ${session}`,
        })
      const token = hash.randomToken(32)
      const share = { share: typedId(hash), session, role, expiresAt: now() + seconds * 1000 }
      byHash.set(hash.sha256Hex(token), share)
      return { share, token }
    },
    /** UNAUTHENTICATED when it is unknown or expired, whatever the reason. */
    check(token: string): Share {
      const share = byHash.get(hash.sha256Hex(token))
      if (share !== undefined && isOpen(share)) return share
      throw new PloinkyError('UNAUTHENTICATED', 'This link has expired, or was taken back', {
        hint: 'Ask for a new one, or sign in: ploinky open',
      })
    },
    of: (session: string): Share[] =>
      [...byHash.values()].filter((share) => share.session === session && isOpen(share)),
    /** Those that have ended since the last call, taken out. */
    expired: (): Share[] => removeWhere((share) => !isOpen(share)),
    /** All of a session, or the one that is named. */
    remove: (session: string, share: string | null): Share[] =>
      removeWhere((each) => each.session === session && (share === null || each.share === share)),
  }
}
