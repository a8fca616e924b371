import { expect, test } from 'vitest'
import type { Principal } from '../../../../src/core/principal.ts'
import type { AgentAccess } from '../../../../src/features/mcp/access.ts'
import { RpcFailure } from '../../../../src/features/mcp/aggregate/failure.ts'
import { createLists, readPages } from '../../../../src/features/mcp/aggregate/lists.ts'

/** An agent of the modern era whose list says how long it may be kept. */
function agent(hints: { ttlMs: number; cacheScope: string }) {
  let [count, instance, now, isKept] = [0, 'one', 0, true]
  const access: AgentAccess = {
    ...{ maySee: () => true, mayCall: () => true },
    ...{
      visible: () => ['a'],
      obstacle: () => null,
      isRelayed: () => false,
      tells: () => true,
      keeps: () => isKept,
      instance: () => instance,
    },
    onChange: () => () => {},
    async fetch() {
      count += 1
      const message = { jsonrpc: '2.0', id: 1, result: { tools: [{ name: `v${count}` }], ...hints } }
      async function* body(): AsyncGenerator<Uint8Array> {
        yield new TextEncoder().encode(JSON.stringify(message))
      }
      return { status: 200, headers: new Map([['content-type', 'application/json']]), body: body() }
    },
  }
  const lists = createLists(access, () => now)
  const ask = async (id: string, capabilities: object = {}): Promise<unknown> => {
    const principal: Principal = { id, roles: ['operator'] }
    const meta = { 'io.modelcontextprotocol/clientCapabilities': capabilities }
    const caller = { principal, requestId: '1', signal: new AbortController().signal, meta }
    return (await lists.modern('a', 'tools', caller)).items[0]?.['name']
  }
  return {
    lists,
    ask,
    pass: (ms: number) => (now += ms),
    restart: () => (instance = 'two'),
    lock: () => (isKept = false),
  }
}

test('a public list is kept for everybody, as long as its agent says', async () => {
  const { ask, pass } = agent({ ttlMs: 1000, cacheScope: 'public' })
  expect([await ask('ann'), await ask('ann'), await ask('bob')]).toEqual(['v1', 'v1', 'v1'])
  pass(1000)
  expect(await ask('bob')).toBe('v2')
})

test('a private one only for who asked, saying the same of its client', async () => {
  const { ask } = agent({ ttlMs: 1000, cacheScope: 'private' })
  expect([await ask('ann'), await ask('ann'), await ask('bob'), await ask('ann', { sampling: {} })]).toEqual([
    'v1',
    'v1',
    'v2',
    'v3',
  ])
})

test('one that may not be kept is not', async () => {
  const { ask } = agent({ ttlMs: 0, cacheScope: 'public' })
  expect([await ask('ann'), await ask('ann')]).toEqual(['v1', 'v2'])
})

test('what is kept goes when the agent tells of a change, or is another instance', async () => {
  const { lists, ask, restart } = agent({ ttlMs: 1000, cacheScope: 'public' })
  expect(await ask('ann')).toBe('v1')
  lists.drop('b')
  expect(await ask('ann')).toBe('v1')
  lists.drop('a')
  expect(await ask('ann')).toBe('v2')
  restart()
  expect(await ask('ann')).toBe('v3')
})

test('of an agent whose tools are locked nothing is kept, or used that was', async () => {
  const { ask, lock } = agent({ ttlMs: 1000, cacheScope: 'public' })
  expect(await ask('ann')).toBe('v1')
  lock()
  expect([await ask('ann'), await ask('ann')]).toEqual(['v2', 'v3'])
})

test('an answer that was on its way when the list changed is not kept', async () => {
  const { lists, ask } = agent({ ttlMs: 1000, cacheScope: 'public' })
  const early = ask('ann')
  lists.drop('a')
  expect([await early, await ask('ann')]).toEqual(['v1', 'v2'])
})

test('pages are followed to the last; the shortest life and the narrowest scope of them count', async () => {
  const pages: Record<string, object> = {
    first: { tools: [{ name: 'a' }], nextCursor: 'second', ttlMs: 5000, cacheScope: 'public' },
    second: { tools: [{ name: 'b' }, 'no object', { title: 'no name' }], ttlMs: 10, cacheScope: 'private' },
  }
  const listing = await readPages(
    'tools',
    async (_method, { cursor = 'first' }) => (pages[String(cursor)] ?? {}) as Record<string, unknown>,
  )
  expect(listing).toEqual({ items: [{ name: 'a' }, { name: 'b' }], ttlMs: 10, isPublic: false })
})

test('a cursor that comes again ends the list; an agent without the method has none', async () => {
  let asked = 0
  await readPages('tools', async () => ({ tools: [], nextCursor: String((asked += 1) % 2) }))
  expect(asked).toBeLessThan(5)
  const none = async (): Promise<never> => {
    throw new RpcFailure(200, { code: -32601, message: 'no' })
  }
  expect((await readPages('prompts', none)).items).toEqual([])
})
