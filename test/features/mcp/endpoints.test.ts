import { expect, test } from 'vitest'
import { commands } from '../../../src/commands.ts'
import { createMemoryStore } from '../../../src/core/store.ts'
import { createEndpoints, type EndpointWords } from '../../../src/features/mcp/endpoints.ts'
import { ownTools } from '../../../src/features/mcp/own/tools.ts'

const words = (given: Partial<EndpointWords>): EndpointWords => ({
  ...{ tools: [], prompts: [], resources: [], descriptions: [], replace: false },
  ...given,
})

test('an endpoint is what was chosen, under the names that were given', async () => {
  const endpoints = createEndpoints(createMemoryStore())
  await endpoints.create(
    'e',
    words({ tools: ['a/b/c=x', 'a/y'], resources: ['a/note://1'], descriptions: ['x=Says = it'] }),
  )
  expect(await endpoints.get('e')).toMatchObject({
    tools: [
      { agent: 'a', name: 'b/c', as: 'x', description: 'Says = it' },
      { agent: 'a', name: 'y', as: 'y', description: null },
    ],
    resources: [{ agent: 'a', uri: 'note://1' }],
  })
  await expect(endpoints.create('e', words({ tools: ['a/y'] }))).rejects.toMatchObject({ code: 'CONFLICT' })
  await endpoints.create('e', words({ tools: ['a/z'], replace: true }))
  expect((await endpoints.get('e')).tools).toHaveLength(1)
  await endpoints.remove('e')
  await expect(endpoints.get('e')).rejects.toMatchObject({ code: 'ROUTE_NOT_FOUND' })
  await expect(endpoints.remove('e')).rejects.toMatchObject({ code: 'ROUTE_NOT_FOUND' })
})

test.each([
  [{}, 'An endpoint of nothing'],
  [{ tools: ['noslash'] }, 'Not a tool of an agent'],
  [{ tools: ['../x/y'] }, 'Invalid agent name'],
  [{ tools: ['a/b=with space'] }, 'Not a name for a tool'],
  [{ tools: ['a/b', 'c/b'] }, 'Two tools would be called "b"'],
  [{ tools: ['a/b'], descriptions: ['c=x'] }, 'A description for "c"'],
  [{ tools: ['a/b'], descriptions: ['x'] }, 'Not a description'],
])('%o is refused', async (given, message) => {
  await expect(createEndpoints(createMemoryStore()).create('e', words(given))).rejects.toThrow(message)
})

test('our own tools: what the API has, but for values of secrets', () => {
  const names = ownTools(commands).map(({ name }) => name)
  expect(names).toEqual(
    expect.arrayContaining(['status', 'start', 'stop', 'restart', 'logs', 'enable', 'disable', 'list_agents']),
  )
  expect(names).not.toEqual(expect.arrayContaining(['var']))
  expect(names.filter((name) => /^(?:var|vars|expose|shell|exec|token|destroy)$/.test(name))).toEqual([])
  expect(new Set(names).size).toBe(names.length)
  const stop = ownTools(commands).find(({ name }) => name === 'stop')?.definition
  expect(stop).toMatchObject({
    annotations: { readOnlyHint: false, destructiveHint: true },
    inputSchema: { required: ['agent'] },
  })
})
