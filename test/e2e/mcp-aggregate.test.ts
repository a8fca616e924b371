/** `/mcp`: all agents at one address, for official clients of both eras; and `/mcp/<name>`, a part of them. */
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { connect, type ConnectOptions, defineMcpAgents, report, textOf } from '../helpers/mcp-agents.ts'
import { createWorkspace, isContainerEngine, type Workspace } from '../helpers/workspace.ts'

interface Unavailable {
  agent: string
  code: string
}
const ERAS = ['modern', 'legacy'] as const

let workspace: Workspace
const open: Client[] = []

beforeAll(async () => {
  workspace = await createWorkspace()
  await workspace.json(['init'])
  await defineMcpAgents(workspace, { red: 'both', blue: 'both', old: 'legacy', fresh: 'modern', down: 'both' })
  for (const name of isContainerEngine ? ['demo', 'shell'] : ['demo']) await workspace.json(['start', name])
  for (const name of ['red', 'blue', 'old', 'fresh']) await workspace.json(['start', name])
  await workspace.json(['stop', 'down'])
}, 300_000)
afterAll(async () => {
  await Promise.all(open.map((client) => client.close()))
  await workspace[Symbol.asyncDispose]()
})

async function client(options: ConnectOptions, path = '/mcp'): Promise<Client> {
  const made = await connect(workspace, path, options)
  open.push(made)
  return made
}

const names = async (from: Client): Promise<string[]> => (await from.listTools()).tools.map(({ name }) => name)

describe.each(ERAS)('a client of the %s era', (era) => {
  it('sees the tools of every agent under its name, all pages of them, and hears which agent is down', async () => {
    const { tools, _meta } = await (await client({ era })).listTools()
    const found = tools.map(({ name }) => name)
    expect(found).toEqual(
      expect.arrayContaining(['demo__echo', 'red__echo', 'blue__echo', 'old__only_old', 'fresh__only_fresh']),
    )
    expect(found).toEqual(expect.arrayContaining(['ploinky__status', 'ploinky__start']))
    if (isContainerEngine) expect(found).toContain('shell__run')
    // Nothing of an item is lost, known or not.
    expect(tools.find(({ name }) => name === 'red__hang')).toMatchObject({ _meta: { 'x/unknown': 'red' } })
    const missing = (_meta?.['ploinky/unavailable'] ?? []) as Unavailable[]
    expect(missing).toEqual([expect.objectContaining({ agent: 'down', code: 'AGENT_NOT_RUNNING' })])
  })

  it('calls reach the agent that the name says', async () => {
    const caller = await client({ era })
    for (const agent of ['red', 'blue', 'old', 'fresh'])
      expect(textOf(await caller.callTool({ name: `${agent}__echo`, arguments: { text: 'hi' } }))).toBe(`${agent}: hi`)
    expect(textOf(await caller.callTool({ name: 'demo__echo', arguments: { text: 'hi' } }))).toBe('hi')
    if (isContainerEngine)
      expect(textOf(await caller.callTool({ name: 'shell__run', arguments: { command: 'echo from $0' } }))).toContain(
        'from',
      )
    const status = JSON.parse(textOf(await caller.callTool({ name: 'ploinky__status', arguments: {} }))) as {
      agents: object[]
    }
    expect(status.agents).toContainEqual(expect.objectContaining({ name: 'red', state: 'ready' }))
    await expect(caller.callTool({ name: 'nobody__echo', arguments: {} })).rejects.toMatchObject({ code: -32602 })
    await expect(caller.callTool({ name: 'down__echo', arguments: {} })).rejects.toThrow('Agent "down" is not running')
  })

  it('resources keep their addresses where one agent has them, and are reachable where two do', async () => {
    const reader = await client({ era })
    const uris = (await reader.listResources()).resources.map(({ uri }) => uri)
    expect(uris).toEqual(
      expect.arrayContaining([
        'demo://about',
        'note://red/own',
        'ploinky:red/note://shared',
        'ploinky:blue/note://shared',
      ]),
    )
    expect(uris).not.toContain('note://shared')
    const read = async (uri: string) => (await reader.readResource({ uri })).contents[0]
    expect(await read('note://blue/own')).toMatchObject({ text: 'blue note://blue/own' })
    expect(await read('ploinky:red/note://shared')).toMatchObject({ text: 'red note://shared' })
    // From a template.
    expect(await read('note://old/page/7')).toMatchObject({ text: 'old note://old/page/7' })
    await expect(read('note://shared')).rejects.toThrow('More than one agent has the resource')
    await expect(read('no-such:thing')).rejects.toThrow('Unknown resource "no-such:thing"')
  })

  it('prompts and completions', async () => {
    const caller = await client({ era })
    expect((await caller.listPrompts()).prompts.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['demo__introduce', 'red__greet', 'old__greet']),
    )
    const { messages } = await caller.getPrompt({ name: 'blue__greet', arguments: { who: 'you' } })
    expect(messages[0]?.content).toMatchObject({ text: 'blue greets you' })
    const argument = { name: 'who', value: 'x' }
    const complete = async (ref: { type: 'ref/prompt'; name: string } | { type: 'ref/resource'; uri: string }) =>
      (await caller.complete({ ref, argument })).completion.values
    expect(await complete({ type: 'ref/prompt', name: 'red__greet' })).toEqual(['red-greet'])
    expect(await complete({ type: 'ref/resource', uri: 'note://blue/page/{page}' })).toEqual([
      'blue-note://blue/page/{page}',
    ])
  })

  it('progress comes through', async () => {
    const caller = await client({ era })
    const seen: number[] = []
    await caller.callTool(
      { name: 'demo__slow', arguments: { seconds: 0.2 } },
      { onprogress: ({ progress }) => seen.push(progress) },
    )
    expect(seen.at(-1)).toBe(10)
  })

  it('two agents ask at the same moment, under the same id: each gets its own answer', async () => {
    let asking = 0
    let release = (): void => {}
    const both = new Promise<void>((resolve) => (release = resolve))
    const elicit = async (message: string): Promise<string> => {
      // Neither is answered before both have asked.
      if ((asking += 1) === 2) release()
      await both
      return message.split(' ')[0] ?? ''
    }
    const caller = await client({ era, elicit })
    const ask = (agent: string) => caller.callTool({ name: `${agent}__ask`, arguments: {} })
    const [red, blue] = await Promise.all([ask('red'), ask('blue')])
    expect([textOf(red), textOf(blue)]).toEqual([
      expect.stringMatching(/^red heard red/),
      expect.stringMatching(/^blue heard blue/),
    ])
  })

  it('cancelling reaches the agent', async () => {
    const caller = await client({ era })
    const before = (await report(caller, 'red__report')).cancelled.length
    const cancelled = new AbortController()
    const call = caller.callTool(
      { name: 'red__hang', arguments: {} },
      { signal: cancelled.signal, onprogress: () => cancelled.abort() },
    )
    await expect(call).rejects.toThrow()
    await eventually(async () => expect((await report(caller, 'red__report')).cancelled.length).toBe(before + 1))
  })
})

describe('news', () => {
  it('an agent whose tools change is asked again, and a client that listens hears of it', async () => {
    const listening = await client({ era: 'modern' })
    let heard = 0
    const subscription = await listening.listen({
      toolsListChanged: true,
      resourceSubscriptions: ['note://blue/own', 'ploinky:red/note://shared', 'no-such:thing'],
    })
    listening.setNotificationHandler('notifications/tools/list_changed', () => void (heard += 1))
    const updated: string[] = []
    listening.setNotificationHandler('notifications/resources/updated', ({ params }) => void updated.push(params.uri))
    expect(subscription.honoredFilter.resourceSubscriptions).toEqual(
      expect.arrayContaining(['note://blue/own', 'ploinky:red/note://shared']),
    )
    expect(subscription.honoredFilter.resourceSubscriptions).not.toContain('no-such:thing')

    // Kept for a minute as the agent says, for everybody.
    const other = await client({ era: 'modern' })
    await names(other)
    const { lists } = await report(other, 'red__report')
    await names(await client({ era: 'modern' }))
    expect((await report(other, 'red__report')).lists).toBe(lists)

    await other.callTool({ name: 'red__grow', arguments: {} })
    await eventually(() => expect(heard).toBeGreaterThan(0))
    expect(await names(other)).toContain('red__extra_0')
    await other.callTool({ name: 'blue__touch', arguments: { text: 'note://blue/own' } })
    await other.callTool({ name: 'red__touch', arguments: { text: 'note://shared' } })
    await other.callTool({ name: 'red__touch', arguments: { text: 'note://nobody' } })
    await eventually(() => expect([...updated].sort()).toEqual(['note://blue/own', 'ploinky:red/note://shared']))
    await subscription.close()
  })

  it('a session hears the same', async () => {
    const session = await client({ era: 'legacy' })
    let heard = 0
    const updated: string[] = []
    session.setNotificationHandler('notifications/tools/list_changed', () => void (heard += 1))
    session.setNotificationHandler('notifications/resources/updated', ({ params }) => void updated.push(params.uri))
    await names(session)
    await session.subscribeResource({ uri: 'ploinky:blue/note://shared' })
    await eventually(async () => {
      await session.callTool({ name: 'blue__touch', arguments: { text: 'note://shared' } })
      expect(updated).toContain('ploinky:blue/note://shared')
    })
    await session.callTool({ name: 'blue__grow', arguments: {} })
    await eventually(() => expect(heard).toBeGreaterThan(0))
    await session.unsubscribeResource({ uri: 'ploinky:blue/note://shared' })
  })

  it('agents that stop and start are news too; sessions go on', async () => {
    const [listening, session] = [await client({ era: 'modern' }), await client({ era: 'legacy' })]
    let heard = 0
    listening.setNotificationHandler('notifications/tools/list_changed', () => void (heard += 1))
    await listening.listen({ toolsListChanged: true })
    expect(await names(session)).toContain('blue__echo')
    await workspace.json(['stop', 'blue'])
    await eventually(() => expect(heard).toBeGreaterThan(0))
    expect(await names(listening)).not.toContain('blue__echo')
    expect(await names(session)).not.toContain('blue__echo')
    await workspace.json(['start', 'blue'])
    await eventually(async () => expect(await names(session)).toContain('blue__echo'))
    // The new instance knows nothing of the session that the old one had.
    expect(textOf(await session.callTool({ name: 'blue__echo', arguments: { text: 'again' } }))).toBe('blue: again')
  })
})

describe('sessions', () => {
  it('belong to their endpoint, end with all that was behind them, and are gone then', async () => {
    const session = await client({ era: 'legacy' })
    const before = (await report(session, 'red__report')).ended
    const id = (session.transport as { sessionId?: string }).sessionId ?? ''
    const ask = (path: string) =>
      workspace.fetch(path, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-session-id': id,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
      })
    expect((await ask('/mcp')).status).toBe(200)
    await workspace.json(['mcp', 'endpoint', 'create', 'other', '--tools', 'red/echo'])
    expect((await ask('/mcp/other')).status).toBe(404)
    await (session.transport as unknown as { terminateSession(): Promise<void> }).terminateSession()
    expect((await ask('/mcp')).status).toBe(404)
    const watcher = await client({ era: 'legacy' })
    await eventually(async () => expect((await report(watcher, 'red__report')).ended).toBeGreaterThan(before))
  })
})

describe('a virtual endpoint', () => {
  it('serves what was chosen, under other names and descriptions, in both eras; unknown ones are 404', async () => {
    await workspace.json([
      ...['mcp', 'endpoint', 'create', 'talk', '--tools', 'red/echo=say,blue/echo=repeat,red/gone'],
      ...['--prompts', 'red/greet', '--resources', 'blue/*', '--description', 'say=Says it; repeat=Says it; again'],
    ])
    for (const era of ERAS) {
      const caller = await client({ era }, '/mcp/talk')
      const { tools, _meta } = await caller.listTools()
      expect(tools.map(({ name, description }) => [name, description])).toEqual([
        ['say', 'Says it'],
        ['repeat', 'Says it; again'],
      ])
      expect(_meta?.['ploinky/unavailable']).toEqual([expect.objectContaining({ agent: 'red', code: 'NOT_FOUND' })])
      expect(textOf(await caller.callTool({ name: 'repeat', arguments: { text: 'x' } }))).toBe('blue: x')
      await expect(caller.callTool({ name: 'red__echo', arguments: {} })).rejects.toMatchObject({ code: -32602 })
      expect((await caller.listPrompts()).prompts.map(({ name }) => name)).toEqual(['greet'])
      expect((await caller.listResources()).resources.map(({ uri }) => uri).sort()).toEqual([
        'note://blue/own',
        'note://shared',
      ])
      await expect(caller.readResource({ uri: 'note://red/own' })).rejects.toThrow('Unknown resource')
    }
    expect((await workspace.fetch('/mcp/nothing', { method: 'POST' })).status).toBe(404)
    await workspace.json(['mcp', 'endpoint', 'remove', 'talk'])
    await eventually(async () => expect((await workspace.fetch('/mcp/talk', { method: 'POST' })).status).toBe(404))
  })
})

describe('names without prefix', () => {
  it('where only one agent has them, when the workspace says so', async () => {
    await workspace.json(['config', 'mcpPrefix', 'collisions'])
    await workspace.json(['restart', 'router'])
    for (const era of ERAS) {
      const caller = await client({ era })
      const found = await names(caller)
      expect(found).toEqual(expect.arrayContaining(['only_red', 'red__echo', 'blue__echo', 'status']))
      expect(textOf(await caller.callTool({ name: 'only_blue', arguments: {} }))).toBe('blue')
      expect(textOf(await caller.callTool({ name: 'red__only_red', arguments: {} }))).toBe('red')
      await expect(caller.callTool({ name: 'hang', arguments: {} })).rejects.toThrow('More than one agent')
    }
  })
})
