/** What the commands on terminals do, where the terminals are. */
import type { EventBus } from '../../core/events.ts'
import type { TerminalManager } from './manager.ts'
import type { Terminals, ShareView } from './service.ts'
import type { createShares, Share } from './shares.ts'

/** Of a terminal that nobody looks at yet. */
const SIZE = { cols: 80, rows: 24 }

export function createTerminals(
  manager: TerminalManager,
  { shares, events }: { shares: ReturnType<typeof createShares>; events: EventBus },
): Terminals {
  const shareView = ({ share, session, role, expiresAt }: Share, agent: string): ShareView => ({
    ...{ share, session, agent, role, expiresAt: new Date(expiresAt).toISOString() },
  })
  return {
    list: async () => manager.sessions().map((session) => session.view()),
    open: async ({ agent, command, name }, principal) =>
      (await manager.open(agent, { ...SIZE, session: null, share: null, command, name }, principal)).view(),
    async end(words, principal) {
      const session = manager.find(words)
      const view = session.view()
      events.emit({ type: 'terminal.ended', subject: view.agent, principal, data: { session: view.id } })
      await session.end()
      return { ...view, exitCode: await session.closed }
    },
    async rename(words, name) {
      const session = manager.find(words)
      session.rename(name)
      return session.view()
    },
    async record(words, on, principal) {
      const session = manager.find(words)
      await session.record(on)
      const type = on ? 'terminal.recorded' : 'terminal.recording-ended'
      events.emit({ type, subject: session.agent, principal, data: { session: session.id } })
      return { ...session.view(), recording: on }
    },
    async share(words, { role, seconds }, principal) {
      const { id, agent } = manager.find(words)
      const { share, token } = shares.create(id, role, seconds)
      const view = shareView(share, agent)
      const data = { session: id, share: share.share, role, expiresAt: view.expiresAt }
      events.emit({ type: 'terminal.shared', subject: agent, principal, data })
      return { ...view, path: `/webtty/${agent}?session=${id}&share=${token}` }
    },
    async shares(words) {
      const { id, agent } = manager.find(words)
      return shares.of(id).map((share) => shareView(share, agent))
    },
    async unshare(words, share, principal) {
      const { id, agent } = manager.find(words)
      const gone = shares.remove(id, share)
      manager.dropShares(gone)
      if (gone.length > 0)
        events.emit({ type: 'terminal.unshared', subject: agent, principal, data: { session: id, count: gone.length } })
      return gone.map((each) => shareView(each, agent))
    },
  }
}
