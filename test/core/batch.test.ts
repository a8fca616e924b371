import { expect, it } from 'vitest'
import { createBatch } from '../../src/core/batch.ts'
import { createMemoryStore, type DocumentSpec, type Store } from '../../src/core/store.ts'

interface Names {
  names: string[]
}

const spec: DocumentSpec<Names> = {
  name: 'names',
  version: 1,
  parse: (value) => value as Names,
  empty: () => ({ names: [] }),
}
const add =
  (name: string) =>
  ({ names }: Names): Names => ({ names: [...names, name] })

function counting(store: Store): { store: Store; writes: () => number } {
  let count = 0
  const update: Store['update'] = (...args) => {
    count += 1
    return store.update(...args)
  }
  return { store: { ...store, update }, writes: () => count }
}

it('writes changes of one moment together, in the order of the calls', async () => {
  const { store, writes } = counting(createMemoryStore())
  const change = createBatch(store, spec)
  await Promise.all(['a', 'b', 'c'].map((name) => change(add(name))))
  expect(await store.read(spec)).toEqual({ names: ['a', 'b', 'c'] })
  expect(writes()).toBe(1)
})

it('resolves a change only when it has been written, also one that came during a write', async () => {
  const { store, writes } = counting(createMemoryStore())
  const change = createBatch(store, spec)
  let during: Promise<void> | undefined
  const first = change((current) => {
    during ??= change(add('during'))
    return add('first')(current)
  })
  await first
  expect(await store.read(spec)).toEqual({ names: ['first'] })
  await during
  expect(await store.read(spec)).toEqual({ names: ['first', 'during'] })
  expect(writes()).toBe(2)
})

it('goes on after a write that failed', async () => {
  const memory = createMemoryStore()
  let broken = true
  const update: Store['update'] = (...args) =>
    broken ? Promise.reject(new Error('disk full')) : memory.update(...args)
  const change = createBatch({ ...memory, update }, spec)
  await expect(change(add('lost'))).rejects.toThrow('disk full')
  broken = false
  await change(add('kept'))
  expect(await memory.read(spec)).toEqual({ names: ['kept'] })
})
