/** Who may see and call which tool, and what a tool learns of its caller. */
import { describe, expect, test } from 'vitest'
import type { Invocation } from '../../src/agent/caller.ts'
import { parseAgentConfig } from '../../src/agent/config.ts'
import type { AgentMcpServer } from '../../src/agent/server.ts'
import { createAgentMcpServer } from '../../src/agent/server.ts'
import { createSpawnRunner } from '../../src/agent/spawn-runner.ts'
import { cleanUp, INITIALIZE, temporaryFolder } from './helpers.ts'

const DOCUMENT = {
  tools: [
    { name: 'open', command: 'cat' },
    { name: 'stated', command: 'cat', access: 'authenticated' },
    { name: 'between', command: 'cat', access: 'internal' },
    { name: 'secret', command: 'cat', access: 'admin' },
    { name: 'later', command: 'cat', async: true },
  ],
}

/** Stands for the router's signature: the header is the claims. Anything that is not JSON is forged. */
const verifyInvocation = async (request: Request): Promise<Invocation | null> => {
  const header = request.headers.get('x-ploinky-invocation')
  return header === null ? null : (JSON.parse(header) as Invocation)
}

function serve(hasKey = true): AgentMcpServer {
  const { config } = parseAgentConfig(JSON.stringify(DOCUMENT), { codeDir: '/' })
  if (config === undefined) throw new Error('the document is wrong')
  const { run } = createSpawnRunner({ cwd: temporaryFolder(), env: { PATH: process.env['PATH'] } })
  const server = createAgentMcpServer({
    config,
    run,
    agent: 'sample',
    log: () => undefined,
    ...(hasKey ? { verifyInvocation } : {}),
  })
  cleanUp(() => server.close())
  return server
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
}
const AGENT = { sub: 'agent:other', roles: [], tool: 'between', jti: 'x' }
const ADMIN = { sub: 'user:operator', roles: ['admin'] }

type Answer = { status: number; result?: Record<string, unknown>; error?: { code: number; message: string } }

async function ask(
  server: AgentMcpServer,
  method: string,
  options: { params?: object; as?: object | string; session?: string } = {},
): Promise<Answer> {
  // prettier-ignore
  const { params = {}, as, session } = options
  const name = 'name' in params ? params.name : 'taskId' in params ? params.taskId : undefined
  const isModern = session === undefined
  const response = await server.fetch(
    new Request('http://agent/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(as === undefined ? {} : { 'x-ploinky-invocation': typeof as === 'string' ? as : JSON.stringify(as) }),
        ...(isModern ? { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method } : { 'mcp-session-id': session }),
        ...(isModern && typeof name === 'string' ? { 'mcp-name': name } : {}),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: isModern ? { ...params, _meta: META } : params }),
    }),
  )
  const text = await response.text()
  const json = text.startsWith('{') ? text : (/^data: (\{.*)$/m.exec(text)?.[1] ?? '{}')
  return { status: response.status, ...(JSON.parse(json) as object) }
}

const names = async (server: AgentMcpServer, as?: object, session?: string): Promise<unknown[]> => {
  const options = { ...(as === undefined ? {} : { as }), ...(session === undefined ? {} : { session }) }
  const { result } = await ask(server, 'tools/list', options)
  return ((result?.['tools'] ?? []) as { name: string }[]).map((tool) => tool.name)
}

const callers: [string, object | undefined, string[]][] = [
  ['nobody in particular', undefined, ['open', 'stated', 'later']],
  ['another agent', AGENT, ['open', 'stated', 'between', 'later']],
  ['an administrator', ADMIN, ['open', 'stated', 'secret', 'later']],
  ['an agent that is one too', { sub: 'agent:boss', roles: ['admin'] }, ['open', 'stated', 'between', 'secret', 'later']],
  ['a user who calls itself agent', { sub: 'user:agent:x', roles: ['internal'] }, ['open', 'stated', 'later']],
] // prettier-ignore

describe('a tool', () => {
  test.each(callers)('is listed for %s, and called by no one else', async (_who, as, expected) => {
    const server = serve()
    expect(await names(server, as)).toEqual(expected)
    for (const { name } of DOCUMENT.tools) {
      const answer = await ask(server, 'tools/call', { params: { name, arguments: {} }, ...(as ? { as } : {}) })
      expect([name, answer.error?.message]).toEqual([
        name,
        expected.includes(name) ? undefined : `Unknown tool "${name}"`,
      ])
    }
  })

  test('without a key to verify with is open or closed, whatever a caller says of itself', async () => {
    const server = serve(false)
    expect(await names(server, { sub: 'agent:boss', roles: ['admin'] })).toEqual(['open', 'stated', 'later'])
  })

  test('is out of reach for whoever sends a forged invocation', async () => {
    expect(await ask(serve(), 'tools/list', { as: 'forged' })).toMatchObject({ status: 401, error: { code: -32000 } })
    const response = await serve().fetchTask(
      new Request('http://agent/task?taskId=x', { headers: { 'x-ploinky-invocation': 'forged' } }),
    )
    expect(response.status).toBe(401)
  })

  test('learns the verified claims, and no header that carries them', async () => {
    const { result } = await ask(serve(), 'tools/call', { params: { name: 'between', arguments: {} }, as: AGENT })
    const { metadata } = JSON.parse(((result?.['content'] ?? []) as { text: string }[])[0]?.text ?? '')
    expect(metadata.invocation).toEqual(AGENT)
    expect(metadata.requestInfo.headers).toEqual({})
  })

  test('that is asynchronous shows its task only to its caller', async () => {
    const server = serve()
    const { result } = await ask(server, 'tools/call', { params: { name: 'later', arguments: {} }, as: AGENT })
    const params = { taskId: result?.['taskId'] }
    expect((await ask(server, 'tasks/get', { params, as: AGENT })).result).toMatchObject(params)
    for (const as of [undefined, ADMIN, { ...AGENT, sub: 'agent:else' }])
      expect((await ask(server, 'tasks/get', { params, ...(as ? { as } : {}) })).error?.code).toBe(-32602)
    expect((await server.fetchTask(new Request(`http://agent/task?taskId=${String(params.taskId)}`))).status).toBe(404)
  })
})

test('a session belongs to the first caller that is known', async () => {
  const server = serve()
  const opened = await server.fetch(
    new Request('http://agent/mcp', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify(INITIALIZE),
    }),
  )
  await opened.text()
  const session = opened.headers.get('mcp-session-id') ?? ''
  expect(await names(server, AGENT, session)).toContain('between')
  expect(await names(server, undefined, session)).not.toContain('between')
  expect((await ask(server, 'tools/list', { session, as: ADMIN })).status).toBe(404)
})

test('a word for access that nobody knows is an error, so that it opens nothing', () => {
  const { errors, config } = parseAgentConfig(
    JSON.stringify({ tools: [{ name: 'x', command: 'x', access: 'privat' }] }),
    { codeDir: '/' },
  )
  expect(config).toBeUndefined()
  expect(errors).toMatchObject([{ path: 'tools[0].access', expected: 'one of: authenticated, internal, admin' }])
})
