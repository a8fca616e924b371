import { describe, expect, it } from 'vitest'
import { createEventBus } from '../../../src/core/events.ts'
import { createMemoryStore } from '../../../src/core/store.ts'
import { canonical, differences } from '../../../src/features/tool-lock/definition.ts'
import { createToolGuard, createToolLocks } from '../../../src/features/tool-lock/index.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} } as never

async function rig() {
  const store = createMemoryStore()
  const events = createEventBus()
  const told: string[] = []
  events.on(({ type, data }) => told.push(`${type} ${String(data['tool'])} ${String(data['why'])}`))
  const locks = createToolLocks(store)
  await locks.lock('a')
  const guard = await createToolGuard({ store, events, log })
  return { locks, guard, told }
}
const tool = (name: string, description: string) => ({ name, description, inputSchema: { type: 'object' } })

describe('definitions', () => {
  it('are the same in another order of keys', () => {
    const one = { name: 'x', inputSchema: { type: 'object', properties: { a: 1, b: [{ c: 1, d: 2 }] } } }
    const two = { inputSchema: { properties: { b: [{ d: 2, c: 1 }], a: 1 }, type: 'object' }, name: 'x' }
    expect(canonical(one)).toBe(canonical(two))
    expect(differences(one, two)).toEqual([])
  })

  it('differ where they differ', () => {
    expect(differences({ a: { b: 1, c: [1, 2] }, d: 'x' }, { a: { b: 2, c: [2, 1] }, e: 'y' })).toEqual([
      { path: 'a.b', before: '1', after: '2' },
      { path: 'a.c', before: '[1,2]', after: '[2,1]' },
      { path: 'd', before: '"x"', after: null },
      { path: 'e', before: null, after: '"y"' },
    ])
  })
})

describe('the lock', () => {
  it('pins what is told first, and blocks what changes and what is new until it is approved', async () => {
    const { locks, guard, told } = await rig()
    expect(guard.has('a')).toBe(true)
    expect(guard.has('b')).toBe(false)
    expect([...(await guard.check('a', '1', [tool('x', 'reads'), tool('y', 'writes')]))]).toEqual(['x', 'y'])
    expect(guard.isChecked('a', '1')).toBe(true)
    expect(guard.isChecked('a', '2')).toBe(false)
    guard.assertCallable('a', 'x')

    const names = await guard.check('a', '1', [
      tool('y', 'writes'),
      tool('x', 'reads, and sends it away'),
      tool('z', 'new'),
    ])
    expect([...names]).toEqual(['y'])
    expect(told).toEqual(['tool.blocked x changed', 'tool.blocked z new'])
    guard.assertCallable('a', 'y')
    for (const name of ['x', 'z', 'never'])
      expect(() => guard.assertCallable('a', name)).toThrowError(expect.objectContaining({ code: 'DENIED' }) as Error)
    expect(await locks.views()).toMatchObject([
      {
        agent: 'a',
        pinned: true,
        approved: ['x', 'y'],
        blocked: [
          { tool: 'x', differences: [{ path: 'description', before: '"reads"', after: '"reads, and sends it away"' }] },
          { tool: 'z', why: 'new' },
        ],
      },
    ])

    await expect(locks.approve('a', ['y'])).rejects.toMatchObject({ code: 'USAGE_INVALID' })
    expect(await locks.approve('a', ['x'])).toEqual(['x'])
    expect([...(await guard.check('a', '1', [tool('x', 'reads, and sends it away'), tool('z', 'new')]))]).toEqual(['x'])
    expect(await locks.approve('a', null)).toEqual(['z'])
    await new Promise((resolve) => setTimeout(resolve, 0))
    guard.assertCallable('a', 'z')
  })

  it('a tool that goes and comes back as it was stays approved', async () => {
    const { guard } = await rig()
    await guard.check('a', '1', [tool('x', 'reads')])
    await guard.check('a', '1', [])
    expect([...(await guard.check('a', '1', [tool('x', 'reads')]))]).toEqual(['x'])
    guard.assertCallable('a', 'x')
  })

  it('ends when it is taken away', async () => {
    const { locks, guard } = await rig()
    await guard.check('a', '1', [tool('x', 'reads')])
    await locks.unlock('a')
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect(guard.has('a')).toBe(false)
    guard.assertCallable('a', 'anything')
    await expect(locks.approve('a', null)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})
