/** The router's commands about terminals, as this page uses them. */
import type { TtyView } from '../../src/features/terminals/protocol.ts'
import { asRecord, call, listOf, numberOr, routerUrl, textOr } from '../shared/api.ts'
import { plainText } from '../shared/format.ts'
import { readView } from './frames.ts'

export interface AgentChoice {
  readonly name: string
  readonly about: string
  readonly isRunning: boolean
}

export interface Recording {
  readonly id: string
  readonly name: string
  readonly command: string
  readonly startedAt: string
  readonly bytes: number
}

export interface SharedLink {
  readonly address: string
  readonly expiresAt: string
}

const RUNNING = new Set(['ready', 'starting', 'unready', 'paused'])
const text = (value: unknown): string => plainText(textOr(value, ''))
const path = (...parts: string[]): string => `api/v1/${parts.map(encodeURIComponent).join('/')}`

export async function listAgents(): Promise<AgentChoice[]> {
  const { agents } = asRecord(await call('GET', 'api/v1/status'))
  return listOf(agents)
    .map(asRecord)
    .filter((agent) => textOr(agent['state'], '') !== 'disabled')
    .map((agent) => ({
      name: textOr(agent['name'], ''),
      about: text(agent['about']),
      isRunning: RUNNING.has(textOr(agent['state'], '')),
    }))
}

export const startAgent = (agent: string): Promise<unknown> => call('POST', path('agents', agent, 'start'))

export const listSessions = async (): Promise<TtyView[]> => listOf(await call('GET', 'api/v1/terminals')).map(readView)

export const endSession = (id: string): Promise<unknown> => call('DELETE', path('terminals', id))
export const renameSession = (id: string, name: string): Promise<unknown> =>
  call('POST', path('terminals', id, 'name'), { name })

/** `minutes`: how long the link works. */
export async function shareSession(id: string, role: 'viewer' | 'editor', minutes: number): Promise<SharedLink> {
  const link = asRecord(await call('POST', path('terminals', id, 'shares'), { role, expires: `${minutes}m` }))
  return { address: routerUrl(textOr(link['path'], '')), expiresAt: textOr(link['expiresAt'], '') }
}

export const listRecordings = async (): Promise<Recording[]> =>
  listOf(await call('GET', 'api/v1/recordings'))
    .map(asRecord)
    .map((one) => ({
      id: textOr(one['recording'], ''),
      name: text(one['title']),
      command: text(one['command']),
      startedAt: textOr(one['startedAt'], ''),
      bytes: numberOr(one['bytes'], 0),
    }))

export const recordingUrl = (id: string): string => routerUrl(`recordings/${encodeURIComponent(id)}.cast`)
export const removeRecording = (id: string): Promise<unknown> => call('DELETE', path('recordings', id))
