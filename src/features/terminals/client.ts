/** The same from a command line: the router of the workspace is asked. */
import type { NewShare, ShareView, Terminals } from './service.ts'
import type { TtyView } from './protocol.ts'

export interface RouterCalls {
  get(path: string): Promise<unknown>
  post(path: string, body?: unknown): Promise<unknown>
  delete(path: string): Promise<unknown>
}

const at = (session: string): string => `/api/v1/terminals/${encodeURIComponent(session)}`

export const createTerminalsClient = (router: RouterCalls): Terminals => ({
  list: async () => (await router.get('/api/v1/terminals')) as TtyView[],
  open: async ({ agent, command, name }) =>
    (await router.post('/api/v1/terminals', {
      agent,
      ...(command === null ? {} : { command }),
      ...(name === null ? {} : { name }),
    })) as TtyView,
  end: async (session) => (await router.delete(at(session))) as TtyView,
  rename: async (session, name) => (await router.post(`${at(session)}/name`, { name })) as TtyView,
  record: async (session, on) =>
    (await router.post(`${at(session)}/recording`, { state: on ? 'on' : 'off' })) as TtyView,
  share: async (session, { role, seconds }) =>
    (await router.post(`${at(session)}/shares`, { role, expires: `${seconds}s` })) as NewShare,
  shares: async (session) => (await router.get(`${at(session)}/shares`)) as ShareView[],
  unshare: async (session, share) =>
    (await router.delete(
      `${at(session)}/shares${share === null ? '' : `?share=${encodeURIComponent(share)}`}`,
    )) as ShareView[],
})
