/** Whose cursor it is. Pure. */
import type { TtyPeer } from '../../src/features/terminals/protocol.ts'
import { strings } from './strings.ts'

/** Name of somebody else who typed last; null: oneself did, or nobody. */
export function otherTypist(peers: readonly TtyPeer[] | undefined, self: string): string | null {
  const active = peers?.find((peer) => peer.active)
  if (active === undefined || active.id === self) return null
  return active.name === '' ? strings.unnamed : active.name
}
