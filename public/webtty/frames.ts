/** Reads the router's messages. A router of another version may send what this page does not know: that is left out. */
import type { TtyPeer, TtyRole, TtyServerMessage, TtyView } from '../../src/features/terminals/protocol.ts'
import { asRecord, listOf, numberOr, textOr, textOrNull } from '../shared/api.ts'
import { plainText } from '../shared/format.ts'

const MAX_PEERS = 200

export function readMessage(text: string): TtyServerMessage | null {
  let message: Record<string, unknown>
  try {
    message = asRecord(JSON.parse(text))
  } catch {
    return null
  }
  const number = (name: string): number => Math.max(0, numberOr(message[name], 0))
  switch (message['type']) {
    case 'attached':
      return {
        type: 'attached',
        session: readView(message['session']),
        self: textOr(message['self'], ''),
        role: readRole(message['role']),
        snapshotBytes: number('snapshotBytes'),
      }
    case 'snapshot':
      return { type: 'snapshot', bytes: number('bytes'), cols: number('cols'), rows: number('rows') }
    case 'output':
      return { type: 'output', data: textOr(message['data'], '') }
    case 'session':
      return { type: 'session', session: readView(message['session']) }
    case 'size':
      return { type: 'size', cols: number('cols'), rows: number('rows') }
    case 'pong':
      return { type: 'pong', at: number('at') }
    case 'exit':
      return { type: 'exit', code: numberOr(message['code'], 0), seconds: number('seconds') }
    case 'error':
      return {
        type: 'error',
        code: plainText(textOr(message['code'], 'INTERNAL')),
        message: plainText(textOr(message['message'], '')),
        hint: textOrNull(message['hint']),
      }
    default:
      return null
  }
}

/** Names and titles in it are other people's or a program's: plain text from here on. */
export function readView(value: unknown): TtyView {
  const view = asRecord(value)
  const text = (name: string): string => plainText(textOr(view[name], '')).slice(0, 200)
  return {
    id: textOr(view['id'], ''),
    agent: text('agent'),
    name: text('name'),
    command: text('command'),
    cols: numberOr(view['cols'], 80),
    rows: numberOr(view['rows'], 24),
    title: text('title'),
    startedAt: text('startedAt'),
    lastActiveAt: text('lastActiveAt'),
    exitCode: typeof view['exitCode'] === 'number' ? view['exitCode'] : null,
    recording: view['recording'] === true,
    peers: listOf(view['peers']).slice(0, MAX_PEERS).map(readPeer),
  }
}

function readPeer(value: unknown): TtyPeer {
  const peer = asRecord(value)
  return {
    id: textOr(peer['id'], ''),
    name: plainText(textOr(peer['name'], '')).slice(0, 80),
    role: readRole(peer['role']),
    active: peer['active'] === true,
  }
}

/** The least, when it is none of ours. */
const readRole = (value: unknown): TtyRole => (value === 'owner' || value === 'editor' ? value : 'viewer')
