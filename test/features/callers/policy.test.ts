import { describe, expect, it } from 'vitest'
import type { AgentRecord, Granted } from '../../../src/config/documents.ts'
import { createEventBus } from '../../../src/core/events.ts'
import { agentPrincipal, callingAgent } from '../../../src/core/principal.ts'
import { createMemoryStore } from '../../../src/core/store.ts'
import { createCallPolicy, createGrants } from '../../../src/features/callers/index.ts'
import { parseTarget } from '../../../src/features/callers/target.ts'

const record = (calls: AgentRecord['calls'], agent = 'planner'): AgentRecord => ({
  ...{
    repo: 'r',
    agent,
    enabledAt: 'now',
    runtime: null,
    wanted: true,
    mode: { kind: 'isolated' },
    profile: null,
    calls,
  },
})
const policyOf = (agents: Record<string, AgentRecord>, grants: Record<string, Granted> = {}) =>
  createCallPolicy({ agents: () => agents, grants: () => grants })
const a = agentPrincipal('a')

describe('who may call what', () => {
  it('people may, agents as their manifest says, and everybody else may not', () => {
    const policy = policyOf({ a: record([{ agent: 'b', tools: ['add'] }]) })
    expect(policy.mayCall({ id: 'operator', roles: ['admin'] }, 'b', 'anything')).toBe(true)
    expect([policy.maySee(a, 'b'), policy.mayCall(a, 'b', 'add'), policy.mayCall(a, 'b', 'sub')]).toEqual([
      ...[true, true, false],
    ])
    expect([policy.mayCall(a, 'b'), policy.maySee(a, 'c'), policy.maySee(a, 'a')]).toEqual([false, false, false])
    for (const name of ['nobody', 'constructor', '__proto__', ''])
      expect(policy.maySee(agentPrincipal(name), 'b')).toBe(false)
  })

  it('a whole agent is everything of it', () => {
    const policy = policyOf({ a: record([{ agent: 'b', tools: null }]) })
    expect([policy.mayCall(a, 'b'), policy.mayCall(a, 'b', 'resource:x:y')]).toEqual([true, true])
  })

  it('a grant is for that very definition', () => {
    const grants = { a: { definition: 'r/planner', calls: [{ agent: 'b', tools: ['add'] }] } }
    expect(policyOf({ a: record(undefined) }, grants).mayCall(a, 'b', 'add')).toBe(true)
    expect(policyOf({ a: record(undefined, 'other') }, grants).mayCall(a, 'b', 'add')).toBe(false)
  })

  it('an agent has no roles, whatever it is called', () => {
    expect(agentPrincipal('operator')).toEqual({ id: 'agent:operator', roles: [] })
    expect(callingAgent({ id: 'operator', roles: ['admin'] })).toBeNull()
  })
})

describe('grants of the workspace', () => {
  const caller = { name: 'a', repo: 'r', agent: 'planner', calls: [{ agent: 'x', tools: null }] }

  it('add up, are told of, and are taken back one by one', async () => {
    const events = createEventBus()
    const seen: string[] = []
    events.on(({ type, subject }) => seen.push(`${type} ${subject}`))
    const grants = createGrants({ store: createMemoryStore(), events })
    await grants.add(caller, [parseTarget('b/sub'), parseTarget('b/add')])
    await grants.add(caller, [parseTarget('b/add'), parseTarget('c')])
    expect(await grants.list([caller])).toEqual([
      { caller: 'a', agent: 'x', tools: null, from: 'manifest' },
      { caller: 'a', agent: 'b', tools: ['add', 'sub'], from: 'workspace' },
      { caller: 'a', agent: 'c', tools: null, from: 'workspace' },
    ])
    expect(await grants.list([{ ...caller, agent: 'another', calls: [] }])).toEqual([])
    expect(await grants.remove(caller, [parseTarget('b/sub')])).toBe(true)
    expect(await grants.remove(caller, [parseTarget('b/sub')])).toBe(false)
    // It would stay callable: the agent as a whole holds it.
    await expect(grants.remove(caller, [parseTarget('c/add')])).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await grants.remove(caller, [parseTarget('b'), parseTarget('c')])).toBe(true)
    expect(await grants.list([{ ...caller, calls: [] }])).toEqual([])
    expect(seen).toEqual(['call.granted a', 'call.granted a', 'call.revoked a', 'call.revoked a'])
  })

  it.each(['', '/add', 'b/', '../b', 'b/\u0007'])('%j names nothing', (text) => {
    expect(() => parseTarget(text)).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }) as Error)
  })

  it('a tool may have slashes and colons', () => {
    expect(parseTarget('b/resource:file:///x')).toEqual({ agent: 'b', tool: 'resource:file:///x' })
  })
})
