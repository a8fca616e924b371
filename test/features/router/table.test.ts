/** The route table: what it answers, and that a broken file takes nothing down. */
import { expect, it } from 'vitest'
import { agentsDocument, routingDocument, type RouteEntry } from '../../../src/config/documents.ts'
import { silentLogger } from '../../../src/core/log.ts'
import { createMemoryStore, stateInvalid } from '../../../src/core/store.ts'
import { createRouteTable } from '../../../src/features/router/table.ts'

const entry = (hostPort: number): RouteEntry => ({
  ...{ container: 'c', runtime: 'host', hostIp: '127.0.0.1', hostPort, containerPort: 7000 },
  ...{ mcp: 'container', mcpPath: '/mcp', files: null },
})
const record = {
  repo: 'r',
  agent: 'a',
  enabledAt: '',
  runtime: null,
  wanted: false,
  mode: { kind: 'isolated' },
  profile: null,
} as const

async function setup() {
  const memory = createMemoryStore()
  let broken = false
  const store: typeof memory = {
    ...memory,
    read: async (spec) => {
      if (broken) throw stateInvalid(spec.name, 'torn')
      return memory.read(spec)
    },
  }
  const gone: number[] = []
  const table = await createRouteTable({
    store,
    log: silentLogger,
    onGone: ({ hostPort }) => gone.push(hostPort),
    onChange: () => {},
  })
  return { memory, table, gone, setBroken: (value: boolean) => (broken = value) }
}

it('tells running, stopped and unknown agents apart, whatever they are called', async () => {
  const { memory, table } = await setup()
  const names = ['constructor', 'toString', 'hasOwnProperty', 'demo']
  for (const name of names) expect(table.find(name)).toBeNull()
  await memory.update(agentsDocument, (now) => ({
    ...now,
    agents: Object.fromEntries(names.map((name) => [name, record])),
  }))
  await memory.update(routingDocument, (now) => ({ ...now, routes: { constructor: entry(1) } }))
  await table.reload()
  expect(names.map((name) => table.find(name))).toEqual([entry(1), 'stopped', 'stopped', 'stopped'])
  expect(table.find('__proto__')).toBeNull()
  table.close()
})

it('keeps the last good routes while the file is broken, and lets go of those that moved', async () => {
  const { memory, table, gone, setBroken } = await setup()
  await memory.update(routingDocument, (now) => ({ ...now, routes: { demo: entry(1), other: entry(2) } }))
  await table.reload()
  setBroken(true)
  await table.reload()
  expect(table.find('demo')).toEqual(entry(1))
  expect(gone).toEqual([])
  setBroken(false)
  await memory.update(routingDocument, (now) => ({ ...now, routes: { demo: entry(3), other: entry(2) } }))
  await table.reload()
  expect([table.find('demo'), gone]).toEqual([entry(3), [1]])
  table.close()
})

it('a change that was written before it was asked to look is seen, also when it was looking already', async () => {
  const memory = createMemoryStore()
  let slow = async (): Promise<void> => {}
  let reads = 0
  const store: typeof memory = {
    ...memory,
    read: async (spec) => {
      reads += 1
      const value = await memory.read(spec)
      await slow()
      return value
    },
  }
  const table = await createRouteTable({ store, log: silentLogger, onGone: () => {}, onChange: () => {} })
  let finish = (): void => {}
  const held = new Promise<void>((resolve) => (finish = resolve))
  slow = () => held
  reads = 0
  const before = table.reload()
  while (reads < 2) await new Promise((resolve) => setImmediate(resolve))
  await memory.update(routingDocument, (now) => ({ ...now, routes: { demo: entry(1) } }))
  const asked = [table.reload(), table.reload(), table.reload()]
  finish()
  await before
  await Promise.all(asked)
  expect(table.find('demo')).toEqual(entry(1))
  table.close()
})
