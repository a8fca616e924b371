/** A changed mcp-config.json counts at once: no restart, no lost session, and whoever listens is told. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseAgentConfig } from '../../src/agent/config.ts'
import { watchConfig } from '../../src/agent/watch-config.ts'
import { changedLists } from '../../src/agent/catalog.ts'
import type { RunningAgent } from './helpers.ts'
import { cleanUp, codeFolder, connect, ERAS, startAgent, temporaryFolder, texts, until } from './helpers.ts'

const tool = (name: string, text = name) => ({ name, command: 'echo', args: [text] })
const document = (...names: string[]): string => JSON.stringify({ tools: names.map((name) => tool(name)) })

async function started(text: string): Promise<{ agent: RunningAgent; write: (text: string) => void; file: string }> {
  const code = codeFolder({ 'mcp-config.json': text })
  const file = join(code, 'mcp-config.json')
  const write = (next: string): void => {
    writeFileSync(`${file}.new`, next)
    renameSync(`${file}.new`, file)
  }
  return { agent: await startAgent(code), write, file }
}

describe('a changed configuration', () => {
  test.each(ERAS)('is served to a client that is connected, which is told what changed (%s)', async (era) => {
    const { agent, write } = await started(document('one'))
    const client = await connect(agent, era)
    const heard: string[] = []
    for (const kind of ['tools', 'resources', 'prompts'] as const)
      client.setNotificationHandler(`notifications/${kind}/list_changed`, () => void heard.push(kind))
    if (era === 'auto') await client.listen({ toolsListChanged: true, promptsListChanged: true })
    else await until(() => expect(agent.log()).toContain('listening'))
    const names = async () => (await client.listTools()).tools.map(({ name }) => name)
    expect(await names()).toEqual(['one'])
    const prompts = [{ name: 'hi', messages: [{ role: 'user', content: 'Hello' }] }]
    write(JSON.stringify({ tools: [tool('one'), tool('two')], prompts }))
    await until(() => expect(heard.toSorted()).toEqual(['prompts', 'tools']))
    expect(await names()).toEqual(['one', 'two'])
    expect(texts(await client.callTool({ name: 'two' }))).toEqual(['two\n'])
    // It had no prompts when the session began.
    expect((await client.listPrompts()).prompts).toMatchObject([{ name: 'hi' }])
  })

  test('that cannot be used changes nothing, is logged, and the next one is taken', async () => {
    const { agent, write } = await started(document('one'))
    const client = await connect(agent, 'legacy')
    write('{"tools": [{"name": "two"}]}')
    await until(() => expect(agent.log()).toContain('the one before stays'))
    expect(agent.log()).toContain('tools[0].command')
    write('{"tools": [')
    expect((await client.listTools()).tools).toMatchObject([{ name: 'one' }])
    write(document('three'))
    await until(async () => expect((await client.listTools()).tools).toMatchObject([{ name: 'three' }]))
  })

  test('that is gone for a moment changes nothing', async () => {
    const { agent, file } = await started(document('one'))
    const client = await connect(agent, 'legacy')
    rmSync(file)
    expect((await client.listTools()).tools).toMatchObject([{ name: 'one' }])
    writeFileSync(file, document('two'))
    await until(async () => expect((await client.listTools()).tools).toMatchObject([{ name: 'two' }]))
    expect(agent.log()).not.toContain('the one before stays')
  })

  test('lets a call that runs go on with the tool it began with', async () => {
    const go = join(temporaryFolder(), 'go')
    const wait = { name: 'wait', command: 'sh', args: ['-c', `while [ ! -e ${go} ]; do sleep 0.05; done; echo old`] }
    const { agent, write } = await started(JSON.stringify({ tools: [wait] }))
    const client = await connect(agent, 'legacy')
    const call = client.callTool({ name: 'wait' })
    write(document('other'))
    await until(() => expect(agent.log()).toContain('taken over'))
    writeFileSync(go, '')
    expect(texts(await call)).toEqual(['old\n'])
    await expect(client.callTool({ name: 'wait' })).rejects.toThrow('Unknown tool')
  })
})

test('a change of a command alone is no news for clients', () => {
  const config = (value: object) => {
    const parsed = parseAgentConfig(JSON.stringify(value), { codeDir: '/code' }).config
    if (parsed === undefined) throw new Error('the document is wrong')
    return parsed
  }
  const none = { tools: false, resources: false, prompts: false }
  expect(changedLists(config({ tools: [tool('a')] }), config({ tools: [tool('a', 'b')] }))).toEqual(none)
  expect(changedLists(config({ tools: [tool('a')] }), config({ tools: [{ ...tool('a'), access: 'admin' }] }))).toEqual({
    ...none,
    tools: true,
  })
})

test('a folder that cannot be watched is looked at', async () => {
  let stamp: string | null = 'a'
  let changes = 0
  const stop = watchConfig({ stamp: () => stamp, first: 'a', folder: '/no/such/folder' }, () => void changes++)
  cleanUp(stop)
  stamp = 'b'
  await until(() => expect(changes).toBe(1))
})
