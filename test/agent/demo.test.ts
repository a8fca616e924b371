import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningAgent } from './helpers.ts'
import { builtin, connect, ERAS, startAgent, texts } from './helpers.ts'

describe('the demo agent', () => {
  let agent: RunningAgent
  beforeAll(async () => {
    agent = await startAgent(`${builtin('demo')}code`, { AGENT_NAME: 'demo' })
  })

  describe.each(ERAS)('to a client of the %s era', (era) => {
    test('introduces itself and lists its tools, resource and prompt', async () => {
      const client = await connect(agent, era)
      expect(client.getServerVersion()?.name).toBe('demo')
      const { tools } = await client.listTools()
      expect(tools.map((tool) => tool.name)).toEqual(['echo', 'time', 'add', 'slow', 'fail'])
      expect(tools[0]?.inputSchema).toEqual({
        type: 'object',
        properties: { text: { type: 'string', description: 'What to say', maxLength: 100000 } },
        required: ['text'],
      })
      expect((await client.listResources()).resources.map((entry) => entry.uri)).toEqual(['demo://about'])
      expect((await client.listPrompts()).prompts.map((entry) => entry.name)).toEqual(['introduce'])
    })

    test.each([
      ['plain', 'hello'],
      ['unicode', 'Grüße, 世界, 👩‍👩‍👧 \u202eabc \u0001'],
      ['shell', '$(id) `id` "; rm -rf / #\n\\'],
      ['long', 'ä'.repeat(99_999)],
    ])('echoes %s text unchanged', async (_kind, text) => {
      const client = await connect(agent, era)
      const result = await client.callTool({ name: 'echo', arguments: { text } })
      expect(texts(result)).toEqual([text])
      expect(result['metadata']).toEqual({ agent: 'demo' })
    })

    test('adds numbers and tells the time', async () => {
      const client = await connect(agent, era)
      expect(texts(await client.callTool({ name: 'add', arguments: { a: 0.5, b: -2 } }))).toEqual(['-1.5\n'])
      const [now] = texts(await client.callTool({ name: 'time' }))
      expect(Math.abs(Date.now() - Date.parse(String(now).trim()))).toBeLessThan(60_000)
      const [local] = texts(await client.callTool({ name: 'time', arguments: { zone: 'Asia/Tokyo' } }))
      expect(local).toContain('GMT+9')
      const wrong = await client.callTool({ name: 'time', arguments: { zone: 'Mars/Olympus' } })
      expect(wrong).toMatchObject({
        isError: true,
        content: [{ text: 'unknown_zone: "Mars/Olympus" is not a time zone' }],
      })
    })

    test('reports rising progress and the last value', async () => {
      const client = await connect(agent, era)
      const seen: { progress: number; total?: number | undefined; message?: string | undefined }[] = []
      const result = await client.callTool(
        { name: 'slow', arguments: { seconds: 1 } },
        { onprogress: (report) => void seen.push(report) },
      )
      expect(texts(result)).toEqual(['Worked for 1 seconds\n'])
      expect(seen.length).toBeGreaterThan(1)
      expect(seen.map((report) => report.progress)).toEqual(
        seen.map((report) => report.progress).toSorted((a, b) => a - b),
      )
      expect(seen.at(-1)).toEqual({ progress: 10, total: 10, message: 'Step 10 of 10' })
    })

    test('shows the error of a failing tool as a result', async () => {
      const client = await connect(agent, era)
      const result = await client.callTool({ name: 'fail', arguments: { message: 'no luck' } })
      expect(result).toMatchObject({ isError: true, content: [{ type: 'text', text: 'demo_failure: no luck' }] })
    })

    test('refuses wrong arguments where a model can read it, and unknown names as protocol errors', async () => {
      const client = await connect(agent, era)
      const wrong = await client.callTool({ name: 'add', arguments: { a: '1' } })
      expect(wrong.isError).toBe(true)
      expect(texts(wrong)[0]).toBe(
        'Invalid arguments: "a" must be a number, found "1"; "b" is missing (expected a number)',
      )
      await expect(client.callTool({ name: 'nothing' })).rejects.toMatchObject({ code: -32602 })
      await expect(client.readResource({ uri: 'demo://nothing' })).rejects.toMatchObject({ code: -32602 })
      await expect(client.getPrompt({ name: 'nothing' })).rejects.toMatchObject({ code: -32602 })
    })

    test('reads its resource and fills in its prompt', async () => {
      const client = await connect(agent, era)
      const { contents } = await client.readResource({ uri: 'demo://about' })
      const [about] = contents
      expect(about).toMatchObject({ uri: 'demo://about', mimeType: 'application/json' })
      expect(JSON.parse(about !== undefined && 'text' in about ? about.text : '')).toMatchObject({ agent: 'demo' })
      const prompt = await client.getPrompt({ name: 'introduce', arguments: { audience: '{{audience}} & friends' } })
      expect(prompt.messages[0]).toMatchObject({ role: 'user', content: { type: 'text' } })
      expect(JSON.stringify(prompt)).toContain('to {{audience}} & friends. Call')
      await expect(client.getPrompt({ name: 'introduce' })).rejects.toThrow('Missing argument "audience"')
    })
  })
})
