import { beforeAll, describe, expect, test } from 'vitest'
import { parseAgentConfig } from '../../src/agent/config.ts'
import type { Era, RunningAgent } from './helpers.ts'
import { codeFolder, connect, ERAS, startAgent, texts } from './helpers.ts'

const print = (text: string) => ({ command: 'printf', args: ['%s', text] })
const WEATHER = { city: 'string', degrees: { type: 'number', min: -90 }, note: { type: 'string', optional: true } }

const config = {
  tools: [
    { name: 'good', ...print('{"city":"Iași","degrees":3.5,"more":[1]}'), outputSchema: WEATHER },
    { name: 'absent', ...print('{"city":"Iași","degrees":3.5,"note":null}'), outputSchema: WEATHER },
    { name: 'wrong', ...print('{"city":7,"degrees":-100}'), outputSchema: WEATHER },
    { name: 'text', ...print('sunny'), outputSchema: WEATHER },
    { name: 'list', ...print('[1]'), outputSchema: WEATHER },
    { name: 'failed', command: 'sh', args: ['-c', 'echo no >&2; exit 1'], outputSchema: WEATHER },
    { name: 'cut', command: 'sh', args: ['-c', `printf '{"city":"'; head -c 2000000 /dev/zero | tr '\\0' x`], outputSchema: WEATHER },
    { name: 'schema', ...print('{"n":1}'), outputSchema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } },
    { name: 'any', ...print('{"a":{"b":1}}'), structuredOutput: true },
    { name: 'anyText', ...print('plain'), structuredOutput: true },
    { name: 'silent', ...print('{"a":1}') },
  ],
} // prettier-ignore

describe('structured output', () => {
  let agent: RunningAgent
  beforeAll(async () => {
    agent = await startAgent(codeFolder({ 'mcp-config.json': JSON.stringify(config) }))
  })

  test.each(ERAS)('is listed and given beside the text (%s)', async (era: Era) => {
    const client = await connect(agent, era)
    const { tools } = await client.listTools()
    expect(tools.find(({ name }) => name === 'good')?.outputSchema).toMatchObject({
      type: 'object',
      properties: { city: { type: 'string' }, degrees: { type: 'number', minimum: -90 } },
      required: ['city', 'degrees'],
    })
    expect(tools.find(({ name }) => name === 'any')?.outputSchema).toBeUndefined()
    // The client knows the schemas now and checks the results against them itself.
    const result = await client.callTool({ name: 'good' })
    expect(result.structuredContent).toEqual({ city: 'Iași', degrees: 3.5, more: [1] })
    expect(texts(result)).toEqual(['{"city":"Iași","degrees":3.5,"more":[1]}'])
    expect((await client.callTool({ name: 'absent' })).structuredContent).toEqual({ city: 'Iași', degrees: 3.5 })
    expect((await client.callTool({ name: 'schema' })).structuredContent).toEqual({ n: 1 })
    expect((await client.callTool({ name: 'any' })).structuredContent).toEqual({ a: { b: 1 } })
  })

  test.each([
    [
      'wrong',
      'The output does not match "outputSchema": "city" must be a string, found 7; "degrees" must be at least -90, found -100',
    ],
    ['text', 'The output does not match "outputSchema": it is not JSON'],
    ['list', 'The output does not match "outputSchema": expected an object, found an array of 1'],
    ['cut', 'The output does not match "outputSchema": it is not JSON: it was cut after 1048576 bytes'],
    ['failed', 'no'],
  ])('of the tool "%s" is an error that says what is wrong', async (name, message) => {
    const client = await connect(agent, 'auto')
    await client.listTools()
    const result = await client.callTool({ name })
    expect([result.isError, texts(result), result.structuredContent]).toEqual([true, [message], undefined])
  })

  test('is absent where it was not asked for', async () => {
    const client = await connect(agent, 'auto')
    expect((await client.callTool({ name: 'anyText' })).structuredContent).toBeUndefined()
    expect((await client.callTool({ name: 'silent' })).structuredContent).toBeUndefined()
  })

  test('is checked in the configuration like input', () => {
    const parse = (tool: object) =>
      parseAgentConfig(JSON.stringify({ tools: [{ name: 'x', command: 'x', ...tool }] }), { codeDir: '/code' })
    expect(parse({ outputSchema: { a: 'nonsense' } }).errors[0]?.path).toBe('tools[0].outputSchema.a')
    expect(parse({ outputSchema: {}, structuredOutput: false }).warnings[0]?.path).toBe('tools[0].structuredOutput')
    expect(parse({ structuredOutput: 'yes' }).errors[0]?.path).toBe('tools[0].structuredOutput')
  })
})
