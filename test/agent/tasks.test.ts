/** Tasks by themselves: their records, limits and ends, without MCP and without commands. */
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/agent/check.ts'
import { createMemoryTaskStore } from '../../src/agent/memory-task-store.ts'
import { createTail } from '../../src/agent/tail.ts'
import { extensionTask, isTaskId, parseTaskRecord, taskStatus } from '../../src/agent/task-record.ts'
import type { TaskScope, TasksOptions } from '../../src/agent/tasks.ts'
import { createTasks } from '../../src/agent/tasks.ts'
import { until } from './helpers.ts'

const OK = { content: [{ type: 'text', text: 'done' }] }

/** Work that ends when it is told to. */
function stoppable() {
  let finish: (result: JsonObject) => void = () => {}
  let scope: TaskScope | undefined
  return {
    work: (task: TaskScope): Promise<JsonObject> => {
      scope = task
      return new Promise((resolve, reject) => {
        finish = resolve
        task.signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
      })
    },
    finish: (result: JsonObject = OK) => finish(result),
    scope: () => scope,
  }
}

function make(options: Partial<TasksOptions> = {}) {
  const store = createMemoryTaskStore()
  const log: string[] = []
  const all = { store, log: (_level: string, message: string) => void log.push(message), ...options }
  return { store: all.store, log, tasks: createTasks(all), again: () => createTasks(all) }
}

describe('a task', () => {
  test('is stored before its handle is known, and its result after it', async () => {
    const { tasks, store } = make()
    const job = stoppable()
    const { id } = await tasks.create({ toolName: 'slow', work: job.work })
    expect(isTaskId(id)).toBe(true)
    expect(parseTaskRecord((await store.read(id)) ?? '', id)).toMatchObject({ toolName: 'slow' })
    await until(async () => expect((await tasks.get(id, undefined))?.state).toBe('running'))
    job.scope()?.output('one\n')
    job.scope()?.status('1 of 2')
    expect(await tasks.get(id, undefined)).toMatchObject({ logTail: 'one\n', logSeq: 4, statusMessage: '1 of 2' })
    job.finish()
    await until(async () => expect((await tasks.get(id, undefined))?.state).toBe('completed'))
    const record = parseTaskRecord((await store.read(id)) ?? '', id)
    expect(record).toMatchObject({ state: 'completed', result: OK, logTail: 'one\n' })
    expect(tasks.active()).toBe(0)
  })

  test('survives the process: what was running failed, what was done is kept', async () => {
    const { tasks, again } = make()
    const [done, lost] = [stoppable(), stoppable()]
    const first = await tasks.create({ toolName: 'a', work: done.work })
    const second = await tasks.create({ toolName: 'b', work: lost.work })
    await until(() => expect(done.scope()).toBeDefined())
    done.finish()
    await until(async () => expect((await tasks.get(first.id, undefined))?.state).toBe('completed'))
    // The first process is never heard of again.
    const later = again()
    expect(await later.get(first.id, undefined)).toMatchObject({ state: 'completed', result: OK })
    const record = await later.get(second.id, undefined)
    expect(record).toMatchObject({ state: 'failed', error: 'The agent was restarted while the task was running' })
    expect(record && extensionTask(record)).toMatchObject({
      status: 'failed',
      error: { code: -32603, message: 'The agent was restarted while the task was running' },
    })
  })

  test('that is running when the server stops is told as failed', async () => {
    const { tasks, again } = make()
    const { id } = await tasks.create({ toolName: 'a', work: stoppable().work })
    await tasks.close()
    expect(tasks.active()).toBe(0)
    expect(await again().get(id, undefined)).toMatchObject({ state: 'failed', error: expect.stringMatching(/stopped/) })
    await expect(tasks.create({ toolName: 'a', work: stoppable().work })).rejects.toThrow('stopping')
  })

  test('waits for its place, can be cancelled there, and keeps its order', async () => {
    const { tasks } = make()
    tasks.configure({ parallel: 1 })
    const jobs = [stoppable(), stoppable(), stoppable()]
    const ids: string[] = []
    for (const { work } of jobs) ids.push((await tasks.create({ toolName: 'x', work })).id)
    const stateOf = async (index: number) => (await tasks.get(ids[index] ?? '', undefined))?.state
    await until(async () => expect(await stateOf(0)).toBe('running'))
    expect([await stateOf(1), await stateOf(2)]).toEqual(['pending', 'pending'])
    expect(await tasks.cancel(ids[1] ?? '', undefined)).toBe(true)
    await until(async () => expect(await stateOf(1)).toBe('cancelled'))
    expect(jobs[1]?.scope()).toBeUndefined()
    tasks.configure({ parallel: 2 })
    await until(async () => expect(await stateOf(2)).toBe('running'))
    await tasks.close()
  })

  test('that is cancelled while it runs ends as cancelled, and once more changes nothing', async () => {
    const { tasks } = make()
    const job = stoppable()
    const { id } = await tasks.create({ toolName: 'x', work: job.work })
    await until(() => expect(job.scope()).toBeDefined())
    expect(await tasks.cancel(id, undefined)).toBe(true)
    await until(async () => expect((await tasks.get(id, undefined))?.state).toBe('cancelled'))
    expect(await tasks.cancel(id, undefined)).toBe(true)
    const record = await tasks.get(id, undefined)
    expect(record && extensionTask(record)).not.toHaveProperty('error')
    // Whoever polls the old address must not wait for ever.
    expect(record && taskStatus(record)).toMatchObject({ task: { status: 'failed', error: 'The task was cancelled' } })
    expect(await tasks.cancel('0'.repeat(32), undefined)).toBe(false)
  })

  test('of a tool that failed is completed for the protocol and failed for people', async () => {
    const { tasks } = make()
    const result = { content: [{ type: 'text', text: 'quota' }], isError: true }
    const { id } = await tasks.create({ toolName: 'x', work: async () => result })
    await until(async () => expect((await tasks.get(id, undefined))?.state).toBe('failed'))
    const record = await tasks.get(id, undefined)
    expect(record && extensionTask(record)).toMatchObject({ status: 'completed', result })
    expect(record && taskStatus(record)).toMatchObject({ task: { status: 'failed', error: 'quota', result } })
  })

  test('belongs to whoever made it, when that is known', async () => {
    const { tasks } = make()
    const { id } = await tasks.create({ toolName: 'x', owner: 'agent:a', work: stoppable().work })
    expect(await tasks.get(id, undefined)).toBeNull()
    expect(await tasks.get(id, 'agent:b')).toBeNull()
    expect(await tasks.cancel(id, 'agent:b')).toBe(false)
    expect(await tasks.get(id, 'agent:a')).toMatchObject({ id })
    await tasks.close()
  })

  test('without a record is none: the caller is told that it could not be stored', async () => {
    const store = { ...createMemoryTaskStore(), write: () => Promise.reject(new Error('disk full')) }
    const { tasks } = make({ store })
    const job = stoppable()
    await expect(tasks.create({ toolName: 'x', work: job.work })).rejects.toThrow('disk full')
    expect([job.scope(), tasks.active()]).toEqual([undefined, 0])
  })

  test('whose result cannot be stored keeps it as long as the agent lives', async () => {
    const store = createMemoryTaskStore()
    let isFull = false
    const write = (id: string, text: string) =>
      isFull ? Promise.reject(new Error('disk full')) : store.write(id, text)
    const { tasks, log } = make({ store: { ...store, write } })
    const job = stoppable()
    const { id } = await tasks.create({ toolName: 'x', work: job.work })
    await until(() => expect(job.scope()).toBeDefined())
    isFull = true
    job.finish()
    await until(async () => expect(await tasks.get(id, undefined)).toMatchObject({ state: 'completed', result: OK }))
    expect(log.join()).toContain('could not be written')
  })

  test('finds no place when too many wait', async () => {
    const { tasks } = make({ limits: { waitingTasks: 1 } })
    tasks.configure({ parallel: 1 })
    const job = stoppable()
    await tasks.create({ toolName: 'x', work: job.work })
    await until(() => expect(job.scope()).toBeDefined())
    await tasks.create({ toolName: 'x', work: stoppable().work })
    await expect(tasks.create({ toolName: 'x', work: stoppable().work })).rejects.toThrow('busy')
    await tasks.close()
  })
})

describe('finished tasks', () => {
  test('are kept for a while, and not too many or too large ones', async () => {
    let now = Date.parse('2026-01-01')
    const limits = { finishedTasks: 3, finishedTaskBytes: 20_000, taskRetentionMs: 1000 }
    const { tasks, store } = make({ now: () => now, limits })
    const finish = async (text = '') => {
      const { id } = await tasks.create({ toolName: 'x', work: async () => ({ content: [{ type: 'text', text }] }) })
      await until(() => expect(tasks.active()).toBe(0))
      now++
      return id
    }
    const ids = [await finish(), await finish(), await finish(), await finish()]
    expect((await store.list()).toSorted()).toEqual(ids.slice(1).toSorted())
    const large = await finish('x'.repeat(19_500))
    expect(await store.list()).toEqual([large])
    const record = await tasks.get(large, undefined)
    expect(record && extensionTask(record, 1000)).toMatchObject({ ttlMs: 1000 })
    now += 1001
    expect(await tasks.get(large, undefined)).toBeNull()
    expect(await store.list()).toEqual([])
  })

  test('whose records are rubbish are nobody’s', async () => {
    const store = createMemoryTaskStore()
    const [id] = ['a'.repeat(32)]
    for (const text of ['', '{', '[]', '{"version":2}', JSON.stringify({ version: 1, id: 'other' })]) {
      await store.write(id ?? '', text)
      const { tasks } = make({ store })
      expect(await tasks.get(id ?? '', undefined)).toBeNull()
    }
    expect(['../x', 'A'.repeat(32), '', 7, '0'.repeat(33)].some(isTaskId)).toBe(false)
  })
})

test('the end of a log is cut at whole characters and counts what came', () => {
  const tail = createTail(() => 10)
  for (let index = 0; index < 5000; index++) tail.push('€')
  expect(tail.read()).toEqual({ logTail: '€€€', logSeq: 5000, logTruncated: true })
  const short = createTail(() => 10)
  short.push('abc')
  expect(short.read()).toEqual({ logTail: 'abc', logSeq: 3, logTruncated: false })
  const none = createTail(() => 0)
  none.push('abc')
  expect(none.read()).toEqual({ logTail: '', logSeq: 3, logTruncated: true })
})
