/** Whether a program on standard streams serves, over the fake runtime: every way in which it may not, and what is left of it. */
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createFakeRuntime, createFakeWorld, type FakeProcess, type FakeProgram } from '../../../runtimes/fake/index.ts'
import { silentLogger } from '../../../src/core/log.ts'
import { mustSpeak, problemOfProgram } from '../../../src/features/agents/stdio-ready.ts'
import { testPlatform } from '../../helpers/runtime-engines.ts'
import { specFor } from '../../helpers/runtime-spec.ts'

async function using(server: FakeProgram, argv = ['server']) {
  const world = createFakeWorld()
  world.images.add('image')
  const runtime = createFakeRuntime({ world, programs: { server } })
  const adapter = runtime.create({ platform: testPlatform, log: silentLogger, stateDir: '/nonexistent' })
  const { workload } = await adapter.apply(specFor('ready-test', { agent: 'one', image: 'image' }))
  const program = { adapter, agent: 'one', container: workload.name, argv, timeoutMs: 2000 }
  const running = (): number => world.instances.get(workload.name)?.executions.size ?? 0
  return { program, running, [Symbol.asyncDispose]: () => adapter[Symbol.asyncDispose]() }
}

const answering = (answer: object): FakeProgram => {
  return async ({ stdin, out }: FakeProcess): Promise<number> => {
    await out('listening\n')
    for await (const _line of stdin) await out(`${JSON.stringify({ jsonrpc: '2.0', id: 1, ...answer })}\n`)
    return 0
  }
}
const forever = ({ ended }: FakeProcess): Promise<number> =>
  new Promise((resolve) => ended.addEventListener('abort', () => resolve(0)))

test('an answer is all that is asked for; the program is ended', async () => {
  await using at = await using(answering({ result: { protocolVersion: '2025-06-18' } }))
  expect(await problemOfProgram(at.program)).toBeNull()
  expect(at.running()).toBe(0)
})

test('a refusal is an answer: servers of another era know no such greeting', async () => {
  await using at = await using(answering({ error: { code: -32601, message: 'no such method' } }))
  expect(await problemOfProgram(at.program)).toBeNull()
})

test('a program that ends says why', async () => {
  await using at = await using(async ({ err }) => {
    await err('Traceback:\n  File "x.py"\nKeyError: TOKEN\n')
    return 3
  })
  expect(await problemOfProgram(at.program)).toBe('it ended with exit code 3: KeyError: TOKEN')
})

test('a program that is not there', async () => {
  await using at = await using(() => 0, ['missing'])
  expect(await problemOfProgram(at.program)).toMatch(/^it cannot be run in the container \(exit code 127\)/)
})

test('a program that is silent is given its time, and ended', async () => {
  await using at = await using(async (process) => {
    await process.err('waiting for a database\n')
    return await forever(process)
  })
  expect(await problemOfProgram({ ...at.program, timeoutMs: 1000 })).toBe(
    'it did not answer within 1 s: waiting for a database',
  )
  expect(at.running()).toBe(0)
})

test('a program that prints other things for ever', async () => {
  await using at = await using(async ({ out, ended }) => {
    for (; !ended.aborted; await turn()) await out('{"jsonrpc":"2.0","method":"ready"}\n'.repeat(1000))
    return 0
  })
  expect(await problemOfProgram(at.program)).toBe('it prints what is no MCP on its standard output')
  expect(at.running()).toBe(0)
})

test('who gives up meanwhile leaves no program', async () => {
  await using at = await using(forever)
  const over = new AbortController()
  const asked = problemOfProgram({ ...at.program, signal: over.signal })
  over.abort(new Error('interrupted'))
  await expect(asked).rejects.toThrow('interrupted')
  expect(at.running()).toBe(0)
})

test('the error has a next step that can be pasted', async () => {
  await using at = await using(() => 1, ['server', '--name', "it's mine", '/code/x.py'])
  const error = await mustSpeak(at.program).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({
    code: 'AGENT_FAILED',
    message: 'The MCP server of agent "one" does not serve: it ended with exit code 1',
    hint: String.raw`Try it by hand: ploinky exec one -- server --name 'it'\''s mine' /code/x.py`,
  })
})
