import { describe, expect, it } from 'vitest'
import {
  isCrashLooping,
  actionsFor,
  AGENT_STATES,
  commandFor,
  commandIn,
  countStates,
  localPath,
  matches,
  readActivity,
  readStatus,
  shortImage,
} from '../../public/dashboard/model.ts'
import { errorOf } from '../../public/shared/api.ts'

const NOW = Date.parse('2026-01-01T12:00:00Z')

describe('reading the status', () => {
  it('takes what the API promises', () => {
    const status = readStatus(
      {
        workspace: { name: 'w', root: '/w', id: 'x' },
        router: { version: '1.2.3', port: 8088, uptimeSeconds: 60, pid: 7 },
        profile: 'dev',
        agents: [
          { name: 'b', state: 'ready', static: false, lastError: null },
          { name: 'c', state: 'failed', lastError: { code: 'AGENT_FAILED', message: 'no', hint: 'ploinky logs c' } },
          { name: 'z', state: 'ready', static: true },
        ],
      },
      NOW,
    )
    expect(status.router).toEqual({ version: '1.2.3', port: 8088, pid: 7, startedAt: NOW - 60_000 })
    expect(status.agents.map(({ name }) => name)).toEqual(['z', 'b', 'c'])
    expect(status.agents[2]?.lastError).toEqual({ code: 'AGENT_FAILED', message: 'no', hint: 'ploinky logs c' })
  })
  it.each([
    null,
    [],
    'x',
    {},
    { agents: {} },
    { agents: [null, 3, { name: 5, state: 'exploded', mcpUrl: {} }], router: 1 },
  ])('survives %j', (body) => {
    const status = readStatus(body, NOW)
    expect(status.agents.every(({ state, mcpUrl }) => state === 'unknown' && mcpUrl === null)).toBe(true)
  })
})

it('links only to paths of this router', () => {
  expect(localPath('/services/demo/')).toBe('/services/demo/')
  for (const bad of [
    '//evil',
    '/\\evil',
    'javascript:1',
    'https://evil/',
    'services/demo',
    '/a"onx=1',
    '/a b',
    '/?next=x',
    '',
    null,
    7,
  ]) {
    expect([bad, localPath(bad)]).toEqual([bad, null])
  }
})

it('offers what makes sense in each state', () => {
  expect(Object.fromEntries(AGENT_STATES.map((state) => [state, actionsFor(state).join()]))).toEqual({
    ready: 'restart,stop',
    starting: 'restart,stop',
    unready: 'restart,stop',
    paused: 'restart,stop',
    lost: 'restart,stop',
    failed: 'restart',
    stopped: 'start',
    disabled: '',
    unknown: 'restart,stop',
  })
})

it('shows commands that a shell reads back as meant', () => {
  expect(commandFor('stop', 'demo')).toBe('ploinky stop demo')
  expect(commandFor('stop', "a'; rm -rf /")).toBe(`ploinky stop 'a'\\''; rm -rf /'`)
  expect(commandIn('ploinky doctor')).toBe('ploinky doctor')
  expect(commandIn('See the log: ploinky logs demo')).toBe('ploinky logs demo')
  expect(commandIn('Repair the file, then try again')).toBeNull()
  expect(commandIn('ploinky start x\nrm -rf /')).toBeNull()
})

it('filters by every word, in any field', () => {
  const [agent] = readStatus(
    { agents: [{ name: 'demo', state: 'ready', image: 'node:24', about: 'Tools' }] },
    NOW,
  ).agents
  if (agent === undefined) throw new Error('no agent')
  expect(['', 'DEMO', 'node ready', 'tools 24'].map((text) => matches(agent, text, 'Ready'))).toEqual([
    true,
    true,
    true,
    true,
  ])
  expect(matches(agent, 'demo failed', 'Ready')).toBe(false)
})

it('counts states in a fixed order', () => {
  const agents = ['failed', 'ready', 'ready'].map((state, index) => ({ name: `a${index}`, state }))
  expect(countStates(readStatus({ agents }, NOW).agents)).toEqual([
    { state: 'ready', count: 2 },
    { state: 'failed', count: 1 },
  ])
})

it('names images as people do', () => {
  expect(['docker.io/library/node:24', 'docker.io/acme/x', 'ghcr.io/acme/x:1'].map(shortImage)).toEqual([
    'node:24',
    'acme/x',
    'ghcr.io/acme/x:1',
  ])
})

it('reads events, and nothing else', () => {
  const event = {
    seq: 3,
    type: 'agent.health_failed',
    at: '2026-01-01T00:00:00Z',
    subject: 'demo\u202e',
    principal: 'ada',
  }
  expect(readActivity(JSON.stringify(event))).toMatchObject({
    subject: 'demo',
    what: 'health failed',
    who: 'ada',
    tone: 'bad',
  })
  expect(readActivity('{"type":"routing.changed","subject":"router"}')?.what).toBe('routing changed')
  expect(readActivity('{"type":"router.started","subject":"router"}')?.what).toBe('started')
  expect(['', '{', 'null', '[]', '{"type":7}'].map(readActivity)).toEqual([null, null, null, null, null])
})

it('keeps what did not change as the same object', () => {
  const known = new Map()
  const body = (state: string, uptimeSeconds = 5) => ({
    router: { uptimeSeconds },
    agents: [
      { name: 'a', state },
      { name: 'b', state: 'ready', calls: [{ agent: 'a', tools: ['x', 5] }], needs: ['a'] },
    ],
  })
  const first = readStatus(body('ready'), NOW, { known })
  const same = readStatus(body('ready', 7), NOW + 2000, { before: first, known })
  expect(same).toBe(first)
  const other = readStatus(body('failed'), NOW, { before: first, known })
  expect(other.agents[0]).not.toBe(first.agents[0])
  expect(other.agents[1]).toBe(first.agents[1])
  expect(other.agents[1]).toMatchObject({ needs: ['a'], calls: [{ agent: 'a', tools: ['x'] }] })
})

it('tells a crash loop by restarts that do not help', () => {
  const agentOf = (state: string, restarts: number) =>
    readStatus({ agents: [{ name: 'a', state, supervision: { restarts } }] }, NOW).agents.some(isCrashLooping)
  expect([agentOf('failed', 3), agentOf('failed', 1), agentOf('ready', 9)]).toEqual([true, false, false])
})

it('reads the error shape, and makes a message of any other', () => {
  const body = { error: { code: 'DENIED', message: 'No', details: { suggestion: 'ploinky token' } } }
  expect(errorOf(403, body)).toMatchObject({ code: 'DENIED', message: 'No', hint: 'ploinky token', status: 403 })
  expect(errorOf(502, '<html>')).toMatchObject({
    code: 'HTTP_502',
    message: 'The router answered with status 502',
    hint: null,
  })
})
