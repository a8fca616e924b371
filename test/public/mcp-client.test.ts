/** The client of pages with servers that know only sessions: a real agent that is made to refuse what came later. */
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createAgentClient } from '../../public/mcp-client/main.ts'
import { builtin, type RunningAgent, startAgent } from '../agent/helpers.ts'

describe('an agent of the era of sessions', () => {
  let agent: RunningAgent
  const sent: { method: string; session: string | null }[] = []
  beforeAll(async () => {
    agent = await startAgent(join(builtin('demo'), 'code'))
  })
  afterEach(() => {
    vi.unstubAllGlobals()
    sent.length = 0
  })

  /** Refuses `server/discover`, as servers did that had never heard of it; everything else is the agent's own. */
  function older(forget: { session: boolean }) {
    const real = globalThis.fetch
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      const message = (typeof init.body === 'string' ? JSON.parse(init.body) : {}) as { method?: string; id?: number }
      const headers = new Headers(init.headers)
      sent.push({ method: message.method ?? String(init.method), session: headers.get('mcp-session-id') })
      if (message.method === 'server/discover') {
        const error = { code: -32601, message: 'Method not found' }
        return Response.json({ jsonrpc: '2.0', id: message.id, error }, { status: 400 })
      }
      if (forget.session && headers.has('mcp-session-id')) {
        forget.session = false
        headers.set('mcp-session-id', 'long-forgotten')
      }
      return await real(url, { ...init, headers })
    })
  }

  test('is spoken to with a session, which ends with the client', async () => {
    older({ session: false })
    const client = createAgentClient(`${agent.url}/mcp`)
    expect((await client.connect()).protocolVersion).toBe('2025-11-25')
    const steps: number[] = []
    const onProgress = ({ progress }: { progress: number }) => void steps.push(progress)
    expect(await client.callTool('slow', { seconds: 0.3 }, { onProgress })).toMatchObject({
      content: [{ text: 'Worked for 0.3 seconds\n' }],
    })
    expect(steps.length).toBeGreaterThan(0)
    const abort = new AbortController()
    const call = client.callTool('slow', { seconds: 60 }, { signal: abort.signal, onProgress: () => abort.abort() })
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    await vi.waitFor(() => expect(sent.map(({ method }) => method)).toContain('notifications/cancelled'))
    await client.close()
    expect(sent.at(-1)).toMatchObject({ method: 'DELETE', session: expect.stringMatching(/./) as string })
  })

  test('one that forgot the session is asked for a new one, and the call is made once more', async () => {
    const forget = { session: false }
    older(forget)
    const client = createAgentClient(agent.url)
    await client.listTools()
    forget.session = true
    expect(await client.callTool('echo', { text: 'still' })).toMatchObject({ content: [{ text: 'still' }] })
    expect(sent.filter(({ method }) => method === 'initialize')).toHaveLength(2)
    await client.close()
  })
})
