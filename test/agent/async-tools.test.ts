/** Asynchronous tools over the wire: the handle in both eras, the Tasks extension, the old addresses, restarts, process groups. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningAgent } from './helpers.ts'
import { codeFolder, connect, isAlive, post, startAgent, temporaryFolder, texts, until } from './helpers.ts'

const TASKS = 'io.modelcontextprotocol/tasks'
const sh = (script: string, ...args: string[]) => ({ command: 'sh', args: ['-c', script, ...args] })

const config = {
  maxParallelTasks: 4,
  tools: [
    { name: 'report', async: true, ...sh('cat; echo "$1" >&2; echo \'{"progress":2,"total":3,"message":"half"}\' >&2', 'sh', 'kept'), inputSchema: { text: 'string' } },
    { name: 'wait', async: true, ...sh('echo started; sleep 600 & echo "$$ $!" > "$PLOINKY_ARG_FILE"; wait'), inputSchema: { file: 'string' } },
    { name: 'stuck', async: true, timeout: 300, ...sh('trap "" TERM; sleep 600') },
    { name: 'broken', async: true, ...sh('echo quota >&2; exit 3') },
    { name: 'strict', async: 'required', ...sh('echo fine') },
    { name: 'quick', ...sh('echo now') },
  ],
} // prettier-ignore

let id = 0
/** A request of the modern era, whose client knows tasks unless told otherwise. */
async function modern(
  agent: { url: string },
  method: string,
  params: Record<string, unknown>,
  extensions: object = { [TASKS]: {} },
) {
  // prettier-ignore
  const name = params['taskId'] ?? params['name']
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': { extensions },
  }
  const response = await post(
    `${agent.url}/mcp`,
    { jsonrpc: '2.0', id: ++id, method, params: { ...params, _meta: meta } },
    {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    },
  )
  return (await response.json()) as { result?: Record<string, unknown>; error?: { code: number; data?: unknown } }
}

const start = async (agent: { url: string }, name: string, args: object = {}): Promise<string> => {
  const { result } = await modern(agent, 'tools/call', { name, arguments: args })
  expect(result).toMatchObject({ resultType: 'task', status: 'working', ttlMs: null })
  return String(result?.['taskId'])
}
const get = async (agent: { url: string }, taskId: string) => (await modern(agent, 'tasks/get', { taskId })).result
const until_ = (agent: { url: string }, taskId: string, status: string) =>
  until(async () => {
    const task = await get(agent, taskId)
    expect(task?.['status']).toBe(status)
    return task
  })
const processesIn = (file: string) =>
  until(() => {
    const found = readFileSync(file, 'utf8').trim().split(' ').map(Number)
    expect(found).toHaveLength(2)
    return found
  })

describe('an asynchronous tool', () => {
  let agent: RunningAgent
  let code: string
  const notes = temporaryFolder()
  beforeAll(async () => {
    code = codeFolder({ 'mcp-config.json': JSON.stringify(config) })
    agent = await startAgent(code)
  })

  test('answers a client that knows tasks with one, which holds the result in the end', async () => {
    const taskId = await start(agent, 'report', { text: 'hello' })
    const task = await until_(agent, taskId, 'completed')
    expect(task).toMatchObject({ resultType: 'complete', taskId })
    expect(JSON.stringify(Object.keys(task ?? {}))).not.toMatch(/requestState|ttl"|pollInterval"/)
    const [out, err] = texts(task?.['result'] as { content?: unknown })
    expect(JSON.parse(out ?? '')).toMatchObject({ tool: 'report', taskId, input: { text: 'hello' } })
    // Its arguments reached it as well.
    expect(err).toBe('stderr:\nkept')
  })

  test('answers everybody else with a text and the id, and tells its state at its old address', async () => {
    const client = await connect(agent, 'legacy')
    const result = await client.callTool({ name: 'report', arguments: { text: 'x' } })
    const taskId = /^Task 'report' queued with id ([0-9a-f]{32})$/.exec(texts(result)[0] ?? '')?.[1]
    expect(result['metadata']).toMatchObject({ agent: 'sample', taskId, toolName: 'report', status: 'pending' })
    expect(result._meta?.['io.ploinky/task']).toMatchObject({ taskId })
    const task = await until(async () => {
      const response = await fetch(`${agent.url}/getTaskStatus?taskId=${taskId}`)
      const body = (await response.json()) as { task: Record<string, unknown> }
      expect([response.status, body.task['status']]).toEqual([200, 'completed'])
      return body.task
    })
    expect(Object.keys(task)).toEqual(['id', 'toolName', 'status', 'createdAt', 'updatedAt', 'error', 'result', 'logTail', 'logSeq', 'logTruncated']) // prettier-ignore
    expect(task['logTail']).toContain('kept')
    expect(texts(await client.callTool({ name: 'strict' }))[0]).toMatch(/^Task 'strict' queued/)
  })

  test('is stopped with its children when its task is cancelled', async () => {
    const file = join(notes, 'cancelled')
    const taskId = await start(agent, 'wait', { file })
    const ids = await processesIn(file)
    expect(ids.every(isAlive)).toBe(true)
    const { result } = await modern(agent, 'tasks/cancel', { taskId })
    expect(Object.keys(result ?? {}).toSorted()).toEqual(['_meta', 'resultType'])
    await until_(agent, taskId, 'cancelled')
    await until(() => expect(ids.filter(isAlive)).toEqual([]))
    expect((await modern(agent, 'tasks/cancel', { taskId })).result).toMatchObject({ resultType: 'complete' })
  })

  test('can be cancelled without MCP', async () => {
    const file = join(notes, 'posted')
    const taskId = await start(agent, 'wait', { file })
    const ids = await processesIn(file)
    expect((await fetch(`${agent.url}/task/cancel?taskId=${taskId}`)).status).toBe(405)
    expect((await fetch(`${agent.url}/task/cancel?taskId=${taskId}`, { method: 'POST' })).status).toBe(200)
    await until_(agent, taskId, 'cancelled')
    await until(() => expect(ids.filter(isAlive)).toEqual([]))
  })

  test('does not end with the client that called it', async () => {
    const file = join(notes, 'left')
    const client = await connect(agent, 'legacy')
    await client.callTool({ name: 'wait', arguments: { file } })
    const ids = await processesIn(file)
    await client.close()
    expect(ids.every(isAlive)).toBe(true)
    for (const each of ids) process.kill(each, 'SIGKILL')
  })

  test('is killed at its time limit, and a failure is a result', async () => {
    const task = await until_(agent, await start(agent, 'stuck'), 'completed')
    expect(task?.['result']).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/300 ms/) }] })
    const broken = await until_(agent, await start(agent, 'broken'), 'completed')
    expect(broken?.['result']).toMatchObject({ isError: true, content: [{ text: 'quota' }] })
  })

  test('keeps the rules of the extension', async () => {
    const taskId = await start(agent, 'broken')
    const refusal = { code: -32021, data: { requiredCapabilities: { extensions: { [TASKS]: {} } } } }
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel'])
      expect((await modern(agent, method, { taskId, inputResponses: {} }, {})).error).toMatchObject(refusal)
    expect((await modern(agent, 'tools/call', { name: 'strict', arguments: {} }, {})).error).toMatchObject(refusal)
    const listen = { notifications: { taskIds: [taskId] } }
    expect((await modern(agent, 'subscriptions/listen', listen, {})).error).toMatchObject(refusal)
    const plain = await modern(agent, 'tools/call', { name: 'broken', arguments: {} }, {})
    expect(plain.result).toMatchObject({ resultType: 'complete', content: [{ type: 'text' }] })
    expect(plain.result).not.toHaveProperty('taskId')
    expect((await modern(agent, 'tools/call', { name: 'quick', arguments: {}, task: { ttl: 1 } })).result).toMatchObject({ resultType: 'complete' }) // prettier-ignore
    for (const wrong of ['0'.repeat(32), '../../etc/passwd', ''])
      expect((await modern(agent, 'tasks/get', { taskId: wrong })).error?.code).toBe(-32602)
    for (const gone of ['tasks/list', 'tasks/result'])
      expect((await modern(agent, gone, { taskId })).error?.code).toBe(-32601)
    const { result } = await modern(agent, 'server/discover', {})
    expect(result?.['capabilities']).toMatchObject({ extensions: { [TASKS]: {} } })
    expect(result?.['capabilities']).not.toHaveProperty('tasks')
    expect((await modern(agent, 'tasks/update', { taskId, inputResponses: {} })).result).toMatchObject({ resultType: 'complete' }) // prettier-ignore
  })

  test.each(['', '?taskId=', `?taskId=${'0'.repeat(32)}`, '?taskId=../../etc/passwd'])(
    'is not found at "%s"',
    async (query) => {
      // prettier-ignore
      const response = await fetch(`${agent.url}/getTaskStatus${query}`)
      expect(response.status).toBe(query === '' ? 400 : 404)
      expect(await response.json()).toHaveProperty('error.code')
    },
  )
})

describe('tasks of an agent', () => {
  test('outlive it: killed, they failed for that reason; finished, they keep their result', async () => {
    const code = codeFolder({ 'mcp-config.json': JSON.stringify(config) })
    const work = temporaryFolder()
    const env = { PLOINKY_TASKS_DIR: join(work, 'tasks') }
    const first = await startAgent(code, env)
    const done = await start(first, 'report', { text: 'x' })
    await until_(first, done, 'completed')
    const file = join(work, 'pids')
    const lost = await start(first, 'wait', { file })
    const ids = await processesIn(file)
    const ended = once(first.process, 'exit')
    first.process.kill('SIGKILL')
    await ended
    for (const each of ids) process.kill(each, 'SIGKILL')
    // A torn or foreign file beside the records changes nothing.
    writeFileSync(join(work, 'tasks', `${'b'.repeat(32)}.json`), '{"version":1,')
    writeFileSync(join(work, 'tasks', 'notes.txt'), 'mine')
    const second = await startAgent(code, env)
    expect(await get(second, done)).toMatchObject({ status: 'completed' })
    expect(await get(second, lost)).toMatchObject({ status: 'failed', error: { code: -32603, message: expect.stringMatching(/restarted/) } }) // prettier-ignore

    const asked = join(work, 'asked')
    const stopped = await start(second, 'wait', { file: asked })
    const others = await processesIn(asked)
    expect(await second.stop()).toBe(0)
    await until(() => expect(others.filter(isAlive)).toEqual([]))
    const third = await startAgent(code, env)
    expect(await get(third, stopped)).toMatchObject({ status: 'failed', error: { message: expect.stringMatching(/stopped/) } }) // prettier-ignore
    expect(readdirSync(join(work, 'tasks')).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('are kept in its working folder, and an agent without tasks has no folder for them', async () => {
    const root = temporaryFolder()
    const folder = join(root, 'agents/sample')
    writeFileSync(join(root, 'x'), '')
    const { mkdirSync } = await import('node:fs')
    mkdirSync(folder, { recursive: true })
    const code = codeFolder({ 'mcp-config.json': JSON.stringify(config) })
    const agent = await startAgent(code, { PLOINKY_WORKSPACE_ROOT: root })
    expect(readdirSync(folder)).toEqual([])
    const taskId = await start(agent, 'report', { text: 'x' })
    expect(readdirSync(join(folder, '.tasksQueue'))).toContain(`${taskId}.json`)
  })

  test('keep as much of their output as the configuration says', async () => {
    const loud = { name: 'loud', async: true, ...sh('i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "line $i"; done') }
    const code = codeFolder({ 'mcp-config.json': JSON.stringify({ taskLogTailBytes: 100, tools: [loud] }) })
    const agent = await startAgent(code)
    const taskId = await start(agent, 'loud')
    await until_(agent, taskId, 'completed')
    const { task } = (await (await fetch(`${agent.url}/task?taskId=${taskId}`)).json()) as { task: { logTail: string } }
    expect(task).toMatchObject({ logTruncated: true, logSeq: 18_893 })
    expect(task.logTail.length).toBe(100)
    expect(task.logTail.endsWith('line 2000\n')).toBe(true)
  })
})

describe('a slow call', () => {
  const slow = {
    taskAfterMs: 200,
    tools: [
      { name: 'slow', ...sh('echo "$$" > "$PLOINKY_ARG_FILE"; while [ ! -e "$PLOINKY_ARG_FILE.go" ]; do sleep 0.05; done; echo late'), inputSchema: { file: 'string' } },
      { name: 'quick', ...sh('echo now') },
    ],
  } // prettier-ignore

  test('becomes a task for a client that knows them, and is the same process all along', async () => {
    const agent = await startAgent(codeFolder({ 'mcp-config.json': JSON.stringify(slow) }))
    const file = join(temporaryFolder(), 'x')
    const taskId = await start(agent, 'slow', { file })
    expect(await get(agent, taskId)).toMatchObject({ status: 'working' })
    const pid = Number(readFileSync(file, 'utf8'))
    expect(isAlive(pid)).toBe(true)
    writeFileSync(`${file}.go`, '')
    const task = await until_(agent, taskId, 'completed')
    expect(texts(task?.['result'] as { content?: unknown })).toEqual(['late\n'])
    expect((await modern(agent, 'tools/call', { name: 'quick', arguments: {} })).result).toMatchObject({ resultType: 'complete' }) // prettier-ignore
  })

  test('can be cancelled as one', async () => {
    const agent = await startAgent(codeFolder({ 'mcp-config.json': JSON.stringify(slow) }))
    const file = join(temporaryFolder(), 'x')
    const taskId = await start(agent, 'slow', { file })
    const pid = Number(readFileSync(file, 'utf8'))
    await modern(agent, 'tasks/cancel', { taskId })
    await until_(agent, taskId, 'cancelled')
    await until(() => expect(isAlive(pid)).toBe(false))
  })
})
