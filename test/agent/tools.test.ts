import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningAgent } from './helpers.ts'
import { codeFolder, connect, ERAS, isAlive, startAgent, temporaryFolder, texts, until } from './helpers.ts'

const notes = temporaryFolder()

/** Writes its own process id and that of a child that ignores SIGTERM, then waits for ever. */
const STUBBORN = `#!/bin/sh
sh -c 'trap "" TERM; while :; do sleep 1; done' &
echo "$$ $!" > "$PLOINKY_ARG_FILE"
wait
`

const node = (program: string) => ({ command: 'node', args: ['-e', program] })

const config = {
  tools: [
    { name: 'dump', command: 'bin/dump.mjs', env: { MODE: 'quick', TOOL_NAME: 'mine' }, inputSchema: { 'file-name': 'string', n: 'number', on: 'boolean', list: { type: 'array', items: 'string' }, extra: { type: 'object', optional: true } } }, // prettier-ignore
    { name: 'named', command: 'bare.sh' },
    { name: 'where', command: 'pwd', cwd: 'bin' },
    { name: 'silent', command: 'true' },
    { name: 'noisy', ...node('console.log("out"); console.error("one\\ntwo")') },
    { name: 'code', command: 'sh', args: ['-c', 'exit 7'] },
    { name: 'complaint', command: 'sh', args: ['-c', 'echo lost; echo "went wrong" >&2; exit 1'] },
    { name: 'declared', command: 'sh', args: ['-c', `echo '{"ok":false,"error":"quota","message":"Nothing left"}'; echo noise >&2; exit 2`] },
    { name: 'verbose', ...node('process.stderr.write("é".repeat(9000)); process.exitCode = 1') },
    { name: 'missing', command: './no/such/program' },
    { name: 'forbidden', command: './data.txt' },
    { name: 'nowhere', command: 'true', cwd: 'no/such/folder' },
    { name: 'killed', command: 'sh', args: ['-c', 'kill -9 $$'] },
    { name: 'late', command: 'bin/stubborn.sh', timeoutMs: 700, inputSchema: { file: 'string' } },
    { name: 'forever', command: 'bin/stubborn.sh', inputSchema: { file: 'string' } },
    { name: 'flood', ...node('const b = Buffer.alloc(1 << 20, "x€"); for (let i = 0; i < 50; i++) process.stdout.write(b)') },
    { name: 'errorFlood', ...node('for (let i = 0; i < 100000; i++) process.stderr.write("a line of noise " + i + "\\n")') },
    { name: 'reports', ...node('for (let i = 1; i <= 20000; i++) process.stderr.write(JSON.stringify({ progress: i, total: 20000 }) + "\\n"); console.error("done")') },
    { name: 'logs', ...node('console.error(JSON.stringify({ level: "warning", message: "hot" })); console.log("ok")') },
    { name: 'daemon', command: 'sh', args: ['-c', 'sleep 300 & echo $!'] },
  ],
  resources: [
    { name: 'note', template: 'note://{id}/{part}', command: 'bin/dump.mjs' },
    { name: 'broken', uri: 'broken://it', command: 'sh', args: ['-c', 'echo no >&2; exit 3'] },
    { name: 'huge', uri: 'huge://it', ...node('process.stdout.write("x".repeat(2000000))') },
  ],
} // prettier-ignore

const files = {
  'mcp-config.json': JSON.stringify(config),
  'bin/dump.mjs': `#!/usr/bin/env node
import { text } from 'node:stream/consumers'
const stdin = await text(process.stdin)
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(PLOINKY_ARG_|TOOL_NAME|MODE)/.test(name)))
console.log(JSON.stringify({ stdin, env }))
`,
  'bin/stubborn.sh': STUBBORN,
  'bare.sh': '#!/bin/sh\necho bare\n',
  'data.txt': 'not a program',
}

/** The process ids that the stubborn tool left. */
async function processesOf(file: string): Promise<number[]> {
  const ids = await until(() => {
    const found = readFileSync(file, 'utf8').trim().split(' ').map(Number)
    expect(found).toHaveLength(2)
    return found
  })
  return ids
}

const allGone = (ids: number[]): Promise<void> => until(() => expect(ids.filter(isAlive)).toEqual([]))

describe('a tool', () => {
  let agent: RunningAgent
  beforeAll(async () => {
    const code = codeFolder(files)
    agent = await startAgent(code, { PLOINKY_ARG_STALE: 'from outside' })
  })

  test('gets its input as one JSON line and as variables, without what nobody declared', async () => {
    const client = await connect(agent, 'legacy')
    const input = { 'file-name': '$(touch x) "\'\n', n: 1.5, on: false, list: ['a', 'b'] }
    const result = await client.callTool({ name: 'dump', arguments: { ...input, unknown: 'dropped' } })
    const { stdin, env } = JSON.parse(texts(result)[0] ?? '')
    expect(stdin.endsWith('\n') && stdin.split('\n').length === 2).toBe(true)
    const payload = JSON.parse(stdin)
    expect(payload).toMatchObject({ tool: 'dump', input, metadata: { agent: 'sample' } })
    expect(Object.keys(payload.input)).toEqual(Object.keys(input))
    expect(payload.metadata.sessionId).toMatch(/^[\w-]{36}$/)
    expect(env).toEqual({
      MODE: 'quick',
      TOOL_NAME: 'mine',
      PLOINKY_ARG_FILE_NAME: '$(touch x) "\'\n',
      PLOINKY_ARG_N: '1.5',
      PLOINKY_ARG_ON: 'false',
      PLOINKY_ARG_LIST: '["a","b"]',
    })
  })

  test('gets arguments that are too large for a variable on standard input', async () => {
    const client = await connect(agent, 'auto')
    const text = 'x'.repeat(3_000_000)
    const result = await client.callTool({
      name: 'dump',
      arguments: { 'file-name': '', n: 0, on: true, list: [], extra: { text } },
    })
    // The answer is larger than the cap, so its beginning has to do.
    expect(texts(result)[0]?.startsWith('{"stdin":"{\\"tool\\":\\"dump\\"')).toBe(true)
    expect(texts(result)[1]).toMatch(/^\(output cut/)
  })

  test('never sees credentials of the request', async () => {
    const sent = {
      authorization: 'Bearer private',
      cookie: 'a=private',
      'x-ploinky-token': 'private',
      'x-ploinky-user': 'ada',
    }
    const body = {
      jsonrpc: '2.0', id: 1, method: 'tools/call',
      params: {
        name: 'dump', arguments: { 'file-name': '', n: 0, on: true, list: [] },
        _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
      },
    } // prettier-ignore
    const response = await fetch(`${agent.url}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json', accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'dump', ...sent,
      },
      body: JSON.stringify(body),
    }) // prettier-ignore
    const text = await response.text()
    expect(text).toContain('ada')
    expect(text).not.toContain('private')
  })

  test('is found in the code directory before PATH, and runs where it says', async () => {
    const client = await connect(agent, 'auto')
    expect(texts(await client.callTool({ name: 'named' }))).toEqual(['bare\n'])
    expect(texts(await client.callTool({ name: 'where' }))[0]).toMatch(/\/bin\n$/)
  })

  test.each([
    ['silent', ['(no output)'], undefined],
    ['noisy', ['out\n', 'stderr:\none\ntwo'], undefined],
    ['code', ['command exited with code 7'], true],
    ['complaint', ['went wrong'], true],
    ['declared', ['quota: Nothing left'], true],
    ['killed', ['command exited with code 137'], true],
    ['missing', [expect.stringMatching(/^Cannot start ".*\/no\/such\/program": no such program$/)], true],
    ['forbidden', [expect.stringMatching(/^Cannot start ".*data\.txt": it is not executable$/)], true],
    ['nowhere', [expect.stringMatching(/^Working directory ".*folder" does not exist$/)], true],
    ['verbose', [`${'é'.repeat(4093)}...`], true],
  ])('that ends like "%s" answers what it should', async (name, expected, isError) => {
    const client = await connect(agent, 'auto')
    const result = await client.callTool({ name })
    expect(texts(result)).toEqual(expected)
    expect(result.isError).toBe(isError)
  })

  test('that takes too long is stopped with its children', async () => {
    const client = await connect(agent, 'auto')
    const file = join(notes, 'late')
    const result = await client.callTool({ name: 'late', arguments: { file } })
    expect(texts(result)).toEqual(['The command was stopped after 700 ms (its time limit)'])
    await allGone(await processesOf(file))
  })

  test.each(ERAS)('that is cancelled by a client of the %s era is stopped with its children', async (era) => {
    const client = await connect(agent, era)
    const file = join(notes, `cancel-${era}`)
    const abort = new AbortController()
    const call = client.callTool({ name: 'forever', arguments: { file } }, { signal: abort.signal })
    const ended = expect(call).rejects.toThrow()
    const ids = await processesOf(file)
    expect(ids.every(isAlive)).toBe(true)
    abort.abort('enough')
    await ended
    await allGone(ids)
  })

  test('is stopped when its session is deleted', async () => {
    const client = await connect(agent, 'legacy')
    const file = join(notes, 'deleted')
    const ended = expect(client.callTool({ name: 'forever', arguments: { file } })).rejects.toThrow()
    const ids = await processesOf(file)
    const { transport } = client
    if (transport !== undefined && 'terminateSession' in transport)
      await (transport.terminateSession as () => Promise<void>)()
    await allGone(ids)
    await client.close()
    await ended
  })

  test('that floods standard output keeps the agent small and its answer readable', async () => {
    const client = await connect(agent, 'auto')
    const before = residentMegabytes(agent)
    const [text, note] = texts(await client.callTool({ name: 'flood' }))
    const bytes = Buffer.byteLength(text ?? '')
    expect(bytes).toBeLessThanOrEqual(1024 * 1024)
    expect(bytes).toBeGreaterThan(1024 * 1024 - 4)
    expect(text?.includes('\ufffd')).toBe(false)
    expect(note).toMatch(/^\(output cut/)
    await client.callTool({ name: 'flood' })
    await client.callTool({ name: 'flood' })
    // 150 MB went by; what stays is what the collector has not looked at yet.
    expect(residentMegabytes(agent) - before).toBeLessThan(75)
  })

  test('that floods standard error is cut there', async () => {
    const client = await connect(agent, 'auto')
    const [first, second, third] = texts(await client.callTool({ name: 'errorFlood' }))
    expect(first).toBe('(no output)')
    expect(Buffer.byteLength(second ?? '')).toBeLessThan(65 * 1024)
    expect(third).toMatch(/^\(output cut/)
  })

  test.each(ERAS)(
    'that reports progress in a tight loop reaches a client of the %s era thinned out, last value included',
    async (era) => {
      const client = await connect(agent, era)
      const seen: number[] = []
      const result = await client.callTool(
        { name: 'reports' },
        { onprogress: ({ progress }) => void seen.push(progress) },
      )
      expect(texts(result)).toEqual(['(no output)', 'stderr:\ndone'])
      expect(seen.at(-1)).toBe(20000)
      expect(seen.length).toBeLessThan(2000)
    },
  )

  test('may log to the client', async () => {
    const client = await connect(agent, 'legacy')
    const seen: unknown[] = []
    client.setNotificationHandler('notifications/message', (message) => void seen.push(message.params))
    await client.callTool({ name: 'logs' })
    await until(() => expect(seen).toEqual([{ level: 'warning', data: 'hot', logger: 'sample' }]))
  })

  test('may leave a process behind without keeping its caller waiting', async () => {
    const client = await connect(agent, 'auto')
    const [text] = texts(await client.callTool({ name: 'daemon' }))
    const pid = Number(text)
    expect(isAlive(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
  })

  test('runs many times at once', async () => {
    const client = await connect(agent, 'auto')
    const results = await Promise.all(Array.from({ length: 60 }, () => client.callTool({ name: 'named' })))
    expect(results.map((result) => texts(result)[0])).toEqual(Array.from({ length: 60 }, () => 'bare\n'))
  })
})

describe('a resource', () => {
  let agent: RunningAgent
  beforeAll(async () => {
    agent = await startAgent(codeFolder(files))
  })

  test('with a template is read with its variables', async () => {
    const client = await connect(agent, 'auto')
    expect((await client.listResourceTemplates()).resourceTemplates).toMatchObject([
      { name: 'note', uriTemplate: 'note://{id}/{part}' },
    ])
    const { contents } = await client.readResource({ uri: 'note://a%20b/2' })
    const [content] = contents
    const { stdin, env } = JSON.parse(content !== undefined && 'text' in content ? content.text : '')
    expect(JSON.parse(stdin)).toMatchObject({
      resource: 'note',
      uri: 'note://a%20b/2',
      params: { id: 'a b', part: '2' },
    })
    expect(env).toMatchObject({ PLOINKY_ARG_ID: 'a b', PLOINKY_ARG_URI: 'note://a%20b/2' })
    await expect(client.readResource({ uri: 'note://a/b/c' })).rejects.toMatchObject({ code: -32602 })
  })

  test('that fails or is too large is an error and never half an answer', async () => {
    const client = await connect(agent, 'auto')
    await expect(client.readResource({ uri: 'broken://it' })).rejects.toThrow('no')
    await expect(client.readResource({ uri: 'huge://it' })).rejects.toThrow('The resource is larger than 1048576 bytes')
  })
})

function residentMegabytes(agent: RunningAgent): number {
  const status = readFileSync(`/proc/${agent.process.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}
