import { describe, expect, test } from 'vitest'
import { createAllAgentsView } from '../../../../src/features/mcp/aggregate/all-agents.ts'
import type { PrefixMode } from '../../../../src/features/mcp/exchange.ts'
import { createChosenView } from '../../../../src/features/mcp/aggregate/chosen.ts'
import { type Index, KINDS, type Kind } from '../../../../src/features/mcp/aggregate/lists.ts'
import { matchesTemplate } from '../../../../src/features/mcp/aggregate/uri-match.ts'

type Offers = Record<string, Partial<Record<Kind, readonly string[]>>>

function base(offers: Offers) {
  const asked: string[] = []
  const known = new Map<string, readonly string[]>()
  const index: Index = {
    learn: (agent, kind, items) =>
      known.set(
        `${agent} ${kind}`,
        items.map((item) => String(item[KINDS[kind].key])),
      ),
    names: (agent, kind) => known.get(`${agent} ${kind}`) ?? null,
    drop: () => known.clear(),
    mayRefresh: () => true,
  }
  const items = (agent: string, kind: Kind) =>
    (offers[agent]?.[kind] ?? []).map((name) => ({ [KINDS[kind].key]: name }))
  return {
    ...{ agents: Object.keys(offers), index, unknownUriCode: -32002, asked },
    list: async (agent: string, kind: Kind) => {
      asked.push(`${agent} ${kind}`)
      index.learn(agent, kind, items(agent, kind))
      return { items: items(agent, kind), ttlMs: 0, isPublic: false }
    },
    lists: (kind: Kind) => new Map(Object.keys(offers).map((agent) => [agent, items(agent, kind)])),
  }
}

function all(offers: Offers, prefix: PrefixMode) {
  const given = base(offers)
  const view = createAllAgentsView({ ...given, prefix })
  const shown = (kind: Kind): string[] =>
    view.show(kind, given.lists(kind)).items.map((item) => String(item[KINDS[kind].key]))
  return { ...given, view, shown }
}

describe('all agents', () => {
  const offers = { a: { tools: ['x', 'y'] }, b: { tools: ['x', 'a__y'] } }

  test('every name has its prefix, and no agent is asked to find whose it is', async () => {
    const { view, shown, asked } = all(offers, 'always')
    expect(shown('tools')).toEqual(['a__x', 'a__y', 'b__x', 'b__a__y'])
    expect(await view.find('tools', 'b__a__y')).toEqual({ agent: 'b', name: 'a__y' })
    await expect(view.find('tools', 'x')).rejects.toThrow('Unknown tool "x"')
    expect(asked).toEqual([])
  })

  test('or only where it is needed; with it every name is found as well', async () => {
    const { view, shown } = all(offers, 'collisions')
    expect(shown('tools')).toEqual(['a__x', 'y', 'b__x', 'b__a__y'])
    expect(await view.find('tools', 'y')).toEqual({ agent: 'a', name: 'y' })
    expect(await view.find('tools', 'a__y')).toEqual({ agent: 'a', name: 'y' })
    await expect(view.find('tools', 'x')).rejects.toMatchObject({ error: { data: { choices: ['a__x', 'b__x'] } } })
  })

  test('the name of an agent that begins like another one: what would be taken for the other is left out and told', async () => {
    const { view, lists } = all({ a: { tools: ['b__c', 'd'] }, a__b: { tools: ['c'] } }, 'always')
    const { items, problems } = view.show('tools', lists('tools'))
    expect(items.map(({ name }) => name)).toEqual(['a__d', 'a__b__c'])
    expect(problems).toEqual([expect.objectContaining({ agent: 'a', code: 'CONFLICT' })])
    expect(await view.find('tools', 'a__b__c')).toEqual({ agent: 'a__b', name: 'c' })
  })

  test('a resource is found by its address, a template, or other addresses like it', async () => {
    const { view, shown } = all(
      {
        a: { resources: ['note://1', 'same:x'], templates: ['note://{id}/page'] },
        b: { resources: ['same:x', 'ploinky:a/odd'], templates: [] },
      },
      'always',
    )
    expect(shown('resources')).toEqual(['note://1', 'ploinky:a/same:x', 'ploinky:b/same:x', 'ploinky:b/ploinky:a/odd'])
    expect(await view.findUri('resources', 'note://9/page')).toEqual({ agent: 'a', name: 'note://9/page' })
    expect(await view.findUri('resources', 'note://linked/from/a/result')).toMatchObject({ agent: 'a' })
    expect(await view.findUri('resources', 'ploinky:b/same:x')).toEqual({ agent: 'b', name: 'same:x' })
    await expect(view.findUri('resources', 'same:x')).rejects.toThrow('More than one agent')
    await expect(view.findUri('resources', 'other:x')).rejects.toMatchObject({
      error: { code: -32002, data: { uri: 'other:x' } },
    })
  })
})

test('a virtual endpoint knows what was chosen and nothing else', async () => {
  const given = base({ a: { tools: ['x', 'y'], resources: ['r:1', 'r:2'] }, b: { tools: ['x'], resources: ['r:3'] } })
  const endpoint = {
    tools: [
      { agent: 'a', name: 'x', as: 'first', description: 'Says' },
      { agent: 'gone', name: 'z', as: 'z', description: null },
    ],
    prompts: [],
    resources: [{ agent: 'a', uri: 'r:1' }],
    createdAt: '',
  }
  const view = createChosenView({ ...given, endpoint })
  expect([...view.agents('tools'), ...view.agents('resources'), ...view.agents('prompts')]).toEqual(['a', 'a'])
  expect(view.show('tools', given.lists('tools')).items).toEqual([{ name: 'first', description: 'Says' }])
  expect(await view.find('tools', 'first')).toEqual({ agent: 'a', name: 'x' })
  await expect(view.find('tools', 'x')).rejects.toThrow('Unknown tool')
  expect(view.show('resources', given.lists('resources')).items).toEqual([{ uri: 'r:1' }])
  await expect(view.findUri('resources', 'r:2')).rejects.toThrow('Unknown resource')
  await expect(view.findUri('resources', 'ploinky:b/r:3')).rejects.toThrow('Unknown resource')
})

test.each([
  ['note://{id}', 'note://7', true],
  ['note://{id}', 'note://7/8', false],
  ['note://{+path}', 'note://7/8', true],
  ['note://{id}/page/{page}', 'note://a/page/2', true],
  ['note://{id}/page/{page}', 'note://a/leaf/2', false],
  ['note://{a}{b}/end', 'note://xy/end', true],
  ['note://fixed', 'note://fixed', true],
  [`n${'{+a}a'.repeat(500)}`, `n${'a'.repeat(5000)}!`, false],
])('%s fits %s: %s', (template, uri, fits) => {
  expect(matchesTemplate(template, uri)).toBe(fits)
})
