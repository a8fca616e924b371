import { describe, expect, it } from 'vitest'
import { agentPrincipal, type Principal } from '../../../../src/core/principal.ts'
import { createAllAgentsView } from '../../../../src/features/mcp/aggregate/all-agents.ts'
import { grantedOnly, grantedPart } from '../../../../src/features/mcp/aggregate/granted.ts'
import { KINDS, type Kind } from '../../../../src/features/mcp/aggregate/lists.ts'

const OFFERED: Record<string, Partial<Record<Kind, string[]>>> = {
  a: { tools: ['add', 'secret', 'prompt:x'], prompts: ['hello', 'bye'], resources: ['r:1', 'r:2'] },
  b: { tools: ['add', 'other'], templates: ['note://{id}'] },
}
const GRANTED = new Set(['a add', 'a prompt:hello', 'a resource:r:2', 'b other'])
const person: Principal = { id: 'operator', roles: ['viewer'] }
const caller = agentPrincipal('caller')

const namesOf = (agent: string, kind: Kind): string[] => OFFERED[agent]?.[kind] ?? []
const all = {
  async list(agent: string, kind: Kind) {
    return { items: namesOf(agent, kind).map((name) => ({ [KINDS[kind].key]: name })), ttlMs: 1000, isPublic: true }
  },
  index: { learn: () => {}, drop: () => {}, mayRefresh: () => true, names: namesOf },
}
const access = {
  mayCall: (_principal: Principal, agent: string, wanted?: string) => GRANTED.has(`${agent} ${wanted ?? ''}`),
}

describe('what an agent is told at /mcp', () => {
  const { list, index } = grantedOnly(all, access, caller)

  it.each([
    ['a', 'tools', ['add']],
    ['a', 'prompts', ['hello']],
    ['a', 'resources', ['r:2']],
    ['b', 'tools', ['other']],
    ['b', 'templates', ['note://{id}']],
  ] as const)('%s, %s: %j', async (agent, kind, names) => {
    expect((await list(agent, kind)).items.map((item) => item[KINDS[kind].key])).toEqual(names)
    expect(index.names(agent, kind)).toEqual(names)
  })

  it('a list that lacks something is not kept: it may be granted in a moment', async () => {
    expect(await list('a', 'tools')).toMatchObject({ ttlMs: 0, isPublic: false })
    expect(await list('b', 'templates')).toMatchObject({ ttlMs: 1000, isPublic: true })
  })

  it("a name that it sees once is nobody else's", async () => {
    const options = { agents: ['a', 'b'], unknownUriCode: -1, prefix: 'collisions' } as const
    expect(await createAllAgentsView({ ...options, list, index }).find('tools', 'add')).toEqual({
      agent: 'a',
      name: 'add',
    })
    await expect(createAllAgentsView({ ...options, ...all }).find('tools', 'add')).rejects.toThrow()
  })

  it('of a virtual endpoint it gets the same part', () => {
    const tools = ['add', 'secret'].map((name) => ({ agent: 'a', name, as: `my-${name}`, description: null }))
    const prompts = ['hello', 'bye'].map((name) => ({ agent: 'a', name, as: name, description: null }))
    const endpoint = { tools, prompts, resources: [] } as unknown as Parameters<typeof grantedPart>[0]
    const part = grantedPart(endpoint, access, caller)
    expect([part.tools.map(({ as }) => as), part.prompts.map(({ as }) => as)]).toEqual([['my-add'], ['hello']])
    expect(grantedPart(endpoint, access, person)).toBe(endpoint)
  })

  it('an agent that may be called as a whole is shown as a whole, and people are told of everything', async () => {
    const whole = grantedOnly(all, { mayCall: (_who, agent) => agent === 'a' }, caller)
    expect((await whole.list('a', 'tools')).items).toHaveLength(3)
    expect((await whole.list('b', 'tools')).items).toEqual([])
    expect(grantedOnly(all, access, person)).toBe(all)
  })
})
