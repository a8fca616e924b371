/** Calls that take longer than their clients wait, of agents that know no tasks. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTasked } from '../../../src/features/mcp/tasked/index.ts'
import type { UpstreamAnswer, UpstreamCall } from '../../../src/features/mcp/upstream.ts'
import { createFileSystem } from '../../../src/platform/files.ts'
import { lastResult, TASKS_EXTENSION, TASKS_META } from '../../helpers/mcp-tasks.ts'
import { openRawExchange } from '../../../src/platform/raw-exchange.ts'

type Json = Record<string, unknown>
type Agent = (message: Json, call: UpstreamCall) => UpstreamAnswer | Promise<UpstreamAnswer>

const log = { debug() {}, info() {}, warn() {}, error() {} } as never
const NO_TASKS = { ...TASKS_META, 'io.modelcontextprotocol/clientCapabilities': {} }
const DONE = { content: [{ type: 'text', text: 'done' }] }

function jsonAnswer(message: Json, status = 200): UpstreamAnswer {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message })))
  }
  return { status, headers: new Map([['content-type', 'application/json']]), body: body() }
}

/** An answer whose end is decided by the test; broken off with the call. */
function openAnswer(signal: AbortSignal, events: string[] = []) {
  let finish: (message: Json) => void = () => {}
  const last = new Promise<Json>((resolve, reject) => {
    finish = resolve
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
  })
  last.catch(() => {})
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const event of events) yield Buffer.from(`event: message\ndata: ${event}\n\n`)
    yield Buffer.from(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...(await last) })}\n\n`)
  }
  const headers = new Map([['content-type', 'text/event-stream']])
  return { answer: { status: 200, headers, body: body() }, finish: (message: Json) => finish(message) }
}

let folder: string
let count = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ploinky-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
const newFolder = (): string => join(folder, String((count += 1)))

function rig(agent: Agent, { afterMs = 30, dir = newFolder() }: { afterMs?: number; dir?: string } = {}) {
  const calls: UpstreamCall[] = []
  const tasked = createTasked({
    ...{ fs: createFileSystem(), log, tasksDir: (name) => join(dir, name) },
    fetch: async (_agent, call) => {
      calls.push(call)
      return await agent(JSON.parse(Buffer.from(call.body ?? '{}').toString()) as Json, call)
    },
  })
  async function send(message: Json, { user = 'ann', headers = {} }: { user?: string; headers?: Json } = {}) {
    const params = message['params'] as Json
    const name = params['taskId'] ?? params['name']
    const sent = {
      ...{ 'content-type': 'application/json', 'mcp-protocol-version': '2026-07-28' },
      ...{ 'mcp-method': String(message['method']), ...(name === undefined ? {} : { 'mcp-name': String(name) }) },
      ...(headers as Record<string, string>),
    }
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }))
    const { incoming, outgoing, answer } = openRawExchange({ method: 'POST', path: '/mcp', headers: sent, body })
    tasked.serve(
      {
        ...{ agent: 'a', incoming, outgoing, endpoint: { kind: 'agent', agent: 'a' } },
        ...{ principal: { id: user, roles: ['admin'] }, requestId: 'r', bodyLimit: 100_000, relay: () => {} },
        fail: (error) => outgoing.writeHead(500).end((error as { code?: string }).code ?? 'INTERNAL'),
      },
      afterMs,
    )
    const { status, headers: got, body: stream } = await answer
    let text = ''
    for await (const chunk of stream) text += Buffer.from(chunk).toString()
    return { status, type: got.get('content-type'), text, outgoing }
  }
  const call = (params: Json = {}) => ({ method: 'tools/call', params: { name: 'slow', _meta: TASKS_META, ...params } })
  const task = (method: string, taskId: unknown, more: Json = {}) => ({
    method: `tasks/${method}`,
    params: { taskId, _meta: TASKS_META, ...more },
  })
  const resultOf = async (message: Json, options = {}): Promise<Json> => {
    const { text } = await send(message, options)
    return lastResult(text) ?? {}
  }
  const until = async (id: unknown, status: string): Promise<Json> => {
    for (let tries = 0; tries < 200; tries += 1) {
      const found = await resultOf(task('get', id))
      if (found['status'] === status) return found
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new Error(`the task is not ${status}: ${JSON.stringify(await resultOf(task('get', id)))}`)
  }
  return { tasked, calls, send, call, task, resultOf, until }
}

describe('a call', () => {
  it('that is quick is answered as the agent answers it, byte for byte', async () => {
    const { send, call } = rig(() => jsonAnswer({ id: 1, result: { ...DONE, big: 1e21 } }))
    expect((await send(call())).text).toBe(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { ...DONE, big: 1e21 } }))
  })

  it('that fails is told as the agent tells it', async () => {
    const { send, call } = rig(() => jsonAnswer({ id: 1, error: { code: -32602, message: 'no such tool' } }, 400))
    expect(await send(call())).toMatchObject({ status: 400, text: expect.stringContaining('no such tool') as string })
  })

  it('that takes longer is a task: it goes on, tells its progress, and its result is kept', async () => {
    const progress = { method: 'notifications/progress', params: { progress: 1, total: 3, message: 'one' } }
    let open: ReturnType<typeof openAnswer> | undefined
    const { call, resultOf, until, task } = rig((message, { signal }) => {
      if (message['method'] !== 'tools/call') return jsonAnswer({ id: 1, error: { code: -32601, message: 'no' } })
      const late = openAnswer(signal)
      open = late
      async function* body(): AsyncGenerator<Uint8Array> {
        await new Promise((resolve) => setTimeout(resolve, 60))
        yield Buffer.from(`data: ${JSON.stringify(progress)}\n\n`)
        yield* late.answer.body
      }
      // A server that says nothing before it has something to say.
      return new Promise((resolve) => setTimeout(() => resolve({ ...late.answer, body: body() }), 50))
    })
    const handle = await resultOf(call())
    expect(handle).toMatchObject({ resultType: 'task', status: 'working' })
    await expect.poll(async () => (await resultOf(task('get', handle['taskId'])))['statusMessage']).toBe('1 of 3: one')
    open?.finish({ id: 1, result: { resultType: 'complete', ...DONE } })
    expect(await until(handle['taskId'], 'completed')).toMatchObject({ resultType: 'complete', result: DONE })
  })

  it('whose answer streams already ends the stream with the task', async () => {
    const note = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } })
    let open: ReturnType<typeof openAnswer> | undefined
    const { send, call, until } = rig((_message, { signal }) => (open = openAnswer(signal, [note])).answer)
    const { type, text } = await send(call())
    expect(type).toBe('text/event-stream')
    const events = text.trim().split('\n\n')
    expect(events[0]).toBe(`event: message\ndata: ${note}`)
    const { result } = JSON.parse(events[1]?.replace('event: message\ndata: ', '') ?? '') as { result: Json }
    expect(result).toMatchObject({ resultType: 'task', status: 'working' })
    open?.finish({ id: 1, error: { code: -32050, message: 'broke' } })
    expect(await until(result['taskId'], 'failed')).toMatchObject({ error: { code: -32050, message: 'broke' } })
  })

  it('of a client that does not know tasks takes as long as it takes', async () => {
    let open: ReturnType<typeof openAnswer> | undefined
    const { send, call } = rig((_message, { signal }) => (open = openAnswer(signal)).answer)
    const answer = send(call({ _meta: NO_TASKS }))
    await new Promise((resolve) => setTimeout(resolve, 120))
    open?.finish({ id: 1, result: DONE })
    expect((await answer).text).toContain('"done"')
  })

  it('ends with its client as long as it is none, and not after that', async () => {
    const signals: AbortSignal[] = []
    const agent: Agent = (_message, { signal }) => {
      signals.push(signal)
      return openAnswer(signal).answer
    }
    const slow = rig(agent, { afterMs: 60_000 })
    const { incoming, outgoing } = openRawExchange({
      ...{ method: 'POST', path: '/mcp', body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, ...slow.call() })) },
      headers: { 'mcp-protocol-version': '2026-07-28' },
    })
    slow.tasked.serve(
      {
        ...{ agent: 'a', incoming, outgoing, endpoint: { kind: 'agent', agent: 'a' }, requestId: 'r' },
        ...{ principal: { id: 'ann', roles: [] }, bodyLimit: 100_000, relay: () => {}, fail: () => {} },
      },
      60_000,
    )
    await expect.poll(() => signals.length).toBe(1)
    outgoing.destroy()
    await expect.poll(() => signals[0]?.aborted).toBe(true)
    const { call, resultOf, task, until } = rig(agent)
    const { taskId } = await resultOf(call())
    expect(signals[1]?.aborted).toBe(false)
    expect(await resultOf(task('cancel', taskId))).toEqual({ resultType: 'complete' })
    expect(signals[1]?.aborted).toBe(true)
    await until(taskId, 'cancelled')
  })
})

describe('a task', () => {
  const asks = (message: Json): UpstreamAnswer => {
    const { inputResponses, requestState } = message['params'] as Json
    if (inputResponses === undefined) {
      const inputRequests = { x: { method: 'elicitation/create' }, y: { method: 'elicitation/create' } }
      return jsonAnswer({ id: 1, result: { resultType: 'input_required', inputRequests, requestState: 'S' } })
    }
    return jsonAnswer({ id: 1, result: { ...DONE, structuredContent: { inputResponses, requestState } } })
  }

  it('asks its client, takes the answers one by one, and calls again with all of them', async () => {
    const { call, resultOf, until, task, calls } = rig(async (message) => {
      await new Promise((resolve) => setTimeout(resolve, 60))
      return asks(message)
    })
    const { taskId } = await resultOf(call({ arguments: { a: 1 } }))
    expect(Object.keys((await until(taskId, 'input_required'))['inputRequests'] as Json)).toEqual(['x', 'y'])
    const update = (inputResponses: Json) => resultOf(task('update', taskId, { inputResponses }))
    expect(await update({ y: { action: 'accept' }, z: 1 })).toEqual({ resultType: 'complete' })
    expect((await until(taskId, 'input_required'))['inputRequests']).toEqual({ x: { method: 'elicitation/create' } })
    await update({ x: { action: 'decline' } })
    const { result } = await until(taskId, 'completed')
    expect((result as Json)['structuredContent']).toEqual({
      ...{ inputResponses: { x: { action: 'decline' }, y: { action: 'accept' } }, requestState: 'S' },
    })
    const again = JSON.parse(Buffer.from(calls[1]?.body ?? '').toString()) as { params: Json }
    expect(again.params).toMatchObject({ name: 'slow', arguments: { a: 1 }, _meta: TASKS_META })
  })

  it('is of who began it, and nobody else can look at it, answer it or end it', async () => {
    const { call, send, resultOf, task } = rig((message, { signal }) =>
      message['method'] === 'tools/call'
        ? openAnswer(signal).answer
        : jsonAnswer({ id: 1, error: { code: -32601, message: 'unknown method' } }),
    )
    const { taskId } = await resultOf(call(), { user: 'ann' })
    for (const method of ['get', 'update', 'cancel'])
      expect((await send(task(method, taskId), { user: 'bob' })).text).toContain('Task not found')
    expect(await resultOf(task('get', taskId), { user: 'ann' })).toMatchObject({ status: 'working' })
  })

  it('outlives the router with its result; one that was running is told as failed', async () => {
    const dir = newFolder()
    let open: ReturnType<typeof openAnswer> | undefined
    const first = rig((_message, { signal }) => (open = openAnswer(signal)).answer, { dir })
    const done = await first.resultOf(first.call())
    open?.finish({ id: 1, result: DONE })
    await first.until(done['taskId'], 'completed')
    const lost = await first.resultOf(first.call())
    const second = rig(() => jsonAnswer({ id: 1, error: { code: -32601, message: 'no' } }), { dir })
    expect(await second.resultOf(second.task('get', done['taskId']))).toMatchObject({
      status: 'completed',
      result: DONE,
    })
    expect(await second.resultOf(second.task('get', lost['taskId']))).toMatchObject({
      status: 'failed',
      error: { message: 'The router was restarted while the task was running' },
    })
    await first.tasked.close()
  })

  it('is asked for with headers that say the same, by who declares the extension', async () => {
    const { send, task } = rig(() => jsonAnswer({ id: 1, result: {} }))
    const id = '0'.repeat(32)
    expect(await send(task('get', id), { headers: { 'mcp-name': 'else' } })).toMatchObject({ status: 400 })
    expect((await send(task('get', id), { headers: { 'mcp-method': 'tasks/cancel' } })).text).toContain('-32020')
    expect((await send({ method: 'tasks/get', params: { taskId: id, _meta: NO_TASKS } })).text).toContain('-32021')
  })
})

it('the agent is told of as one with tasks, and all else passes', async () => {
  const { send, resultOf } = rig((message) =>
    message['method'] === 'server/discover'
      ? jsonAnswer({ id: 1, result: { capabilities: { tools: {}, extensions: { 'x/y': { a: 1 } } }, ttlMs: 5 } })
      : jsonAnswer({ id: 1, result: { tools: [{ name: 'slow' }] } }),
  )
  expect(await resultOf({ method: 'server/discover', params: { _meta: TASKS_META } })).toEqual({
    ...{ capabilities: { tools: {}, extensions: { 'x/y': { a: 1 }, [TASKS_EXTENSION]: {} } }, ttlMs: 5 },
  })
  expect((await send({ method: 'tools/list', params: { _meta: TASKS_META } })).text).toContain('"slow"')
})
