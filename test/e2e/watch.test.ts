/** What a person can watch: logs that go on, what happened and who asked for it, the last hour; by command and by address. */
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRouter, isHere, type TestRouter } from '../helpers/http-router.ts'
import { waitFor } from '../helpers/workspace.ts'

interface Entry {
  source: string
  at: string
  text: string
}
interface EventEntry {
  type: string
  subject: string
  principal: string | null
  outcome: string
  data: Record<string, unknown>
}
interface Page {
  events: EventEntry[]
  next: string | null
}

const DEADLINE_MS = 30_000

describe.skipIf(!isHere)('watching', () => {
  let router: TestRouter

  beforeAll(async () => {
    router = await createRouter()
  })
  afterAll(() => router?.[Symbol.asyncDispose]())

  const open = (path: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      request(
        { host: '127.0.0.1', port: router.port, path, headers: { authorization: `Bearer ${router.token}` } },
        resolve,
      )
        .once('error', reject)
        .end()
    })

  async function textOf(path: string): Promise<{ status: number; text: string }> {
    const answer = await open(path)
    let text = ''
    for await (const chunk of answer.setEncoding('utf8')) text += chunk
    return { status: answer.statusCode ?? 0, text }
  }
  const textOfCommand = async (args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await router.workspace.run(args)
    expect([code, stderr]).toEqual([0, ''])
    return stdout
  }
  const jsonOf = async <T>(path: string): Promise<T> => JSON.parse((await textOf(path)).text) as T
  const linesOf = (text: string): Entry[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Entry)

  /** Reads a stream until the text so far has what is waited for. */
  async function readUntil(answer: IncomingMessage, isThere: (text: string) => boolean): Promise<string> {
    const timer = setTimeout(() => answer.destroy(new Error('not in time')), DEADLINE_MS)
    let text = ''
    try {
      for await (const chunk of answer.setEncoding('utf8')) {
        text += chunk as string
        if (isThere(text)) return text
      }
    } finally {
      clearTimeout(timer)
    }
    throw new Error(`the stream ended early: ${text.slice(-500)}`)
  }

  it('reads several logs as one, by time', async () => {
    const { status, text } = await textOf('/api/v1/logs?source=demo,router&lines=100')
    expect(status).toBe(200)
    const lines = linesOf(text)
    expect(new Set(lines.map(({ source }) => source))).toEqual(new Set(['demo', 'router']))
    expect(lines.map(({ at }) => at)).toEqual(lines.map(({ at }) => at).toSorted())
    const shown = await textOfCommand(['logs', 'demo,router'])
    expect(shown).toMatch(/^demo \| .*Agent is listening/m)
    expect(shown).toMatch(/^router \| info router listens/m)
  })

  it('keeps to a time and a number of lines', async () => {
    const all = linesOf((await textOf('/api/v1/logs?source=router')).text)
    const [first] = all
    const until = linesOf((await textOf(`/api/v1/logs?source=router&until=${first?.at}`)).text)
    expect(until).toEqual([first])
    const since = linesOf((await textOf(`/api/v1/logs?source=router&since=${all.at(-1)?.at}`)).text)
    expect(since[0]).toEqual(all.at(-1))
    expect(linesOf((await textOf('/api/v1/logs?source=router&lines=1')).text)).toHaveLength(1)
  })

  it('refuses what it cannot read before the answer begins', async () => {
    expect((await textOf('/api/v1/logs?source=demp')).status).toBe(404)
    expect((await textOf('/api/v1/logs?source=demo&since=yesterday')).status).toBe(400)
    expect((await textOf('/api/v1/logs?lines=-5')).status).toBe(400)
    expect((await textOf('/api/v1/events/log?before=../x')).status).toBe(400)
    expect((await textOf('/api/v1/events/log?follow=true')).status).toBe(400)
    expect((await textOf('/api/v1/metrics?step=1')).status).toBe(400)
    expect((await router.ask({ target: '/api/v1/logs' })).status).toBe(401)
    expect((await router.ask({ target: '/api/v1/events/log' })).status).toBe(401)
    expect((await router.ask({ target: '/api/v1/metrics' })).status).toBe(401)
  })

  it('follows an agent over its restart, and reads it when it is stopped', async () => {
    const answer = await open('/api/v1/logs?source=demo&follow=true&lines=1')
    const counted = (text: string): number => text.split('Agent is listening').length - 1
    const read = readUntil(answer, (text) => counted(text) >= 2)
    const before = await router.operator({ method: 'POST', target: '/api/v1/agents/demo/restart' })
    expect(before.status).toBe(200)
    await read
    answer.destroy()
    await router.operator({ method: 'POST', target: '/api/v1/agents/demo/stop' })
    expect((await textOf('/api/v1/logs?source=demo')).text).toContain('Agent is listening')
    await router.operator({ method: 'POST', target: '/api/v1/agents/demo/start' })
    await router.isWell()
  })

  it('tells who did what, newest first, in pages', async () => {
    const refuse = (): Promise<unknown> =>
      router.ask({
        method: 'POST',
        target: '/auth/login',
        headers: [
          ['content-type', 'application/json'],
          ['origin', `http://127.0.0.1:${router.port}`],
        ],
        body: JSON.stringify({ token: 'not-the-token' }),
      })
    // What the agent that was restarted before still has to say may come between.
    const { events, next } = await waitFor('the refusal is the newest', async () => {
      await refuse()
      const page = await jsonOf<Page>('/api/v1/events/log?limit=2')
      return page.events[0]?.type === 'session.refused' ? page : undefined
    })
    expect(events[0]).toMatchObject({ type: 'session.refused', outcome: 'refused' })
    expect(JSON.stringify(events)).not.toContain('not-the-token')
    const older = await jsonOf<Page>(`/api/v1/events/log?limit=1000&before=${next}`)
    expect(older.events.some(({ type }) => type === 'router.started')).toBe(true)
    expect(older.next).toBeNull()
    const audit = await jsonOf<Page>('/api/v1/events/log?audit=true&agent=demo')
    expect(audit.events.find(({ type }) => type === 'command.done')).toMatchObject({
      ...{ principal: 'operator', subject: 'demo', outcome: 'ok' },
      data: { command: expect.stringMatching(/^agent (?:restart|stop|start)$/) },
    })
    expect(audit.events.find(({ type }) => type === 'agent.enabled')).toMatchObject({ principal: 'local' })
    expect(await textOfCommand(['events', '--audit', '--agent', 'demo'])).toContain('by operator')
  })

  it('knows what a program asked for over MCP', async () => {
    const client = new Client({ name: 'test', version: '1' })
    const requestInit = { headers: { authorization: `Bearer ${router.token}` } }
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${router.port}/mcp`), { requestInit }),
    )
    const name = (await client.listTools()).tools.find((tool) => /^ploinky.*restart$/.test(tool.name))?.name ?? ''
    const began = new Date().toISOString()
    await client.callTool({ name, arguments: { agent: 'demo' } })
    await client.callTool({ name, arguments: { agent: 'nobody' } })
    await client.close()
    const { events } = await jsonOf<Page>(`/api/v1/events/log?audit=true&since=${began}`)
    const asked = events.map(({ type, principal, data }) => [type, principal, data['command'], data['agent']])
    expect(asked).toContainEqual(['command.done', 'operator', 'agent restart', 'demo'])
    expect(asked).toContainEqual(['command.failed', 'operator', 'agent restart', 'nobody'])
  })

  it('counts requests and measures agents, and tells those who look', async () => {
    interface Report {
      agents: { agent: string; requests: (number | null)[]; p50Ms: (number | null)[] }[]
    }
    const answer = await open('/api/v1/events?metrics=true')
    const text = await readUntil(answer, (so) => /event: metrics\ndata: \{.*"demo":.*\n/.test(so))
    answer.destroy()
    const data = /event: metrics\ndata: (\{.*"demo":.*)\n/.exec(text)?.[1]
    const sample = JSON.parse(data ?? '') as { agents: Record<string, Record<string, number>> }
    expect(sample.agents['demo']).toMatchObject({ errors: 0, memoryBytes: expect.any(Number) })
    for (let i = 0; i < 20; i++) expect((await router.operator({ target: '/services/demo/' })).status).toBe(200)
    // They may fall into two slots.
    const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null)
    const reportOf = async () => (await jsonOf<Report>('/api/v1/metrics?agent=demo&step=10')).agents[0]
    const counted = async () => known((await reportOf())?.requests ?? []).reduce((a, b) => a + b, 0)
    await expect.poll(counted, { timeout: DEADLINE_MS, interval: 500 }).toBe(20)
    const report = await reportOf()
    expect(report?.requests).toHaveLength(360)
    expect(Math.max(...known(report?.p50Ms ?? []))).toBeGreaterThan(0)
    expect(await textOfCommand(['metrics'])).toMatch(/^demo .* 20 {2}/m)
  })

  it('tells ports and needs with the state', async () => {
    const { agents } = await jsonOf<{ agents: { ports: { host: number }[]; needs: string[] }[] }>('/api/v1/status')
    expect(agents[0]?.ports[0]?.host).toBeGreaterThan(0)
    expect(agents[0]?.needs).toEqual([])
  })
})
