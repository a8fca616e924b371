import { describe, expect, test } from 'vitest'
import { checkArguments } from '../../src/agent/arguments.ts'
import type { ConfigIssue } from '../../src/agent/check.ts'
import { argumentVariable, formatIssue, parseAgentConfig } from '../../src/agent/config.ts'
import type { ToolSpec } from '../../src/agent/config.ts'
import { LIMITS } from '../../src/agent/limits.ts'

const parse = (value: unknown, hasFile: (name: string) => boolean = () => false) =>
  parseAgentConfig(typeof value === 'string' ? value : JSON.stringify(value), { codeDir: '/code', hasFile })

const tool = (fields: object): object => ({ tools: [{ name: 't', command: 'sh', ...fields }] })

function parsedTool(fields: object): ToolSpec {
  const { config, errors } = parse(tool(fields))
  expect(errors).toEqual([])
  const [first] = config?.tools ?? []
  if (first === undefined) throw new Error('no tool')
  return first
}

describe('parseAgentConfig() reads a tool', () => {
  test.each([
    ['/bin/tool', '/bin/tool'],
    ['tools/a.sh', '/code/tools/a.sh'],
    ['./a.sh', '/code/a.sh'],
    ['../a.sh', '/a.sh'],
    ['here.sh', '/code/here.sh'],
    ['node', 'node'],
  ])('whose command "%s" is run as "%s"', (command, expected) => {
    const { config } = parse(tool({ command, args: ['-x', 1, true] }), (name) => name === 'here.sh')
    expect(config?.tools[0]?.argv).toEqual([expected, '-x', '1', 'true'])
  })

  test.each([
    [undefined, undefined],
    ['workspace', undefined],
    ['', undefined],
    ['.', '/code'],
    ['sub/dir', '/code/sub/dir'],
    ['/srv', '/srv'],
  ])('whose cwd %j is %j', (cwd, expected) => {
    expect(parsedTool({ cwd }).cwd).toBe(expected)
  })

  test('with time limits: timeoutMs, else timeout, else the default', () => {
    expect(parsedTool({ timeoutMs: 5, timeout: 9 }).timeoutMs).toBe(5)
    expect(parsedTool({ timeout: 9 }).timeoutMs).toBe(9)
    expect(parsedTool({}).timeoutMs).toBe(LIMITS.defaultTimeoutMs)
  })

  test('whose field map becomes JSON Schema', () => {
    const { input } = parsedTool({
      inputSchema: {
        plain: 'string',
        none: {},
        n: { type: 'number', min: 1, max: 5, optional: true, description: 'how many' },
        alias: { type: 'number', minimum: 2, maximum: 3 },
        color: { enum: ['red', 'green'], nullable: true },
        tags: { type: 'string', isArray: true, minItems: 1, minLength: 2 },
        list: { type: 'array', items: { type: 'boolean' }, maxItems: 4 },
        deep: {
          type: 'object',
          properties: { x: 'number', y: { type: 'number', optional: true } },
          additionalProperties: 'string',
        },
        any: { type: 'object' },
        given: { type: 'string', default: 'a' },
      },
    })
    expect(input.json).toEqual({
      type: 'object',
      properties: {
        plain: { type: 'string' },
        none: { type: 'string' },
        n: { type: 'number', minimum: 1, maximum: 5, description: 'how many' },
        alias: { type: 'number', minimum: 2, maximum: 3 },
        color: { type: ['string', 'null'], enum: ['red', 'green', null] },
        tags: { type: 'array', minItems: 1, items: { type: 'string', minLength: 2 } },
        list: { type: 'array', maxItems: 4, items: { type: 'boolean' } },
        deep: {
          type: 'object',
          properties: { x: { type: 'number' }, y: { type: 'number' } },
          required: ['x'],
          additionalProperties: { type: 'string' },
        },
        any: { type: 'object' },
        given: { type: 'string', default: 'a' },
      },
      required: ['plain', 'none', 'alias', 'color', 'tags', 'list', 'deep', 'any'],
    })
  })

  test('with a real JSON Schema, shown as it is', () => {
    const schema = {
      type: 'object',
      properties: { q: { type: 'string', pattern: '^a' }, k: { type: ['integer', 'null'] } },
      required: ['q'],
    }
    const { input } = parsedTool({ inputSchema: schema })
    expect(input.json).toEqual(schema)
    expect(checkArguments(input, { q: 'a', k: null, more: 1 })).toEqual({ ok: true, value: { q: 'a', k: null } })
    expect(checkArguments(input, { k: 1.5 }).ok).toBe(false)
  })

  test('with a field map that looks like a JSON Schema but is none', () => {
    const { input } = parsedTool({ inputSchema: { type: 'object', properties: 'string' } })
    expect([...input.fields.keys()]).toEqual(['type', 'properties'])
  })

  test('without any field, whose arguments are all dropped', () => {
    expect(checkArguments(parsedTool({}).input, { a: 1 })).toEqual({ ok: true, value: {} })
  })
})

describe('parseAgentConfig() reports', () => {
  const paths = (issues: ConfigIssue[]): string[] => issues.map((issue) => issue.path)

  test.each<[string, unknown, string]>([
    ['no JSON', '{"tools": [}', ''],
    ['an empty file', '', ''],
    ['an array', '[]', ''],
    ['tools that are no list', { tools: {} }, 'tools'],
    ['a tool that is no object', { tools: ['x'] }, 'tools[0]'],
    ['a tool without a name', { tools: [{ command: 'sh' }] }, 'tools[0].name'],
    ['a name with a space', { tools: [{ name: 'a b', command: 'sh' }] }, 'tools[0].name'],
    ['a name that is too long', { tools: [{ name: 'a'.repeat(129), command: 'sh' }] }, 'tools[0].name'],
    [
      'two tools of one name',
      {
        tools: [
          { name: 'a', command: 'sh' },
          { name: 'a', command: 'sh' },
        ],
      },
      'tools[1].name',
    ],
    ['a tool without a command', { tools: [{ name: 'a' }] }, 'tools[0].command'],
    ['a blank command', tool({ command: '  ' }), 'tools[0].command'],
    ['a command with a zero byte', tool({ command: 'a\0b' }), 'tools[0].command'],
    ['arguments that are no list', tool({ args: 'x' }), 'tools[0].args'],
    ['an argument that is no text', tool({ args: [{}] }), 'tools[0].args'],
    ['a wrong variable name', tool({ env: { 'A-B': '1' } }), 'tools[0].env.A-B'],
    ['a variable that is no text', tool({ env: { A: [] } }), 'tools[0].env.A'],
    ['a time limit in quotes', tool({ timeoutMs: '10' }), 'tools[0].timeoutMs'],
    ['a time limit of nothing', tool({ timeoutMs: 0 }), 'tools[0].timeoutMs'],
    ['fields that are no map', tool({ inputSchema: [] }), 'tools[0].inputSchema'],
    ['an unknown type', tool({ inputSchema: { a: 'text' } }), 'tools[0].inputSchema.a'],
    ['an unknown type in an object', tool({ inputSchema: { a: { type: 'date' } } }), 'tools[0].inputSchema.a.type'],
    ['an empty enum', tool({ inputSchema: { a: { enum: [] } } }), 'tools[0].inputSchema.a.enum'],
    ['a strange field name', tool({ inputSchema: { 'a b': 5 } }), 'tools[0].inputSchema["a b"]'],
    [
      'a resource with both addresses',
      { resources: [{ name: 'r', command: 'sh', uri: 'a:b', template: 'a:{b}' }] },
      'resources[0]',
    ],
    ['a resource without an address', { resources: [{ name: 'r', command: 'sh' }] }, 'resources[0]'],
    ['an address that is none', { resources: [{ name: 'r', command: 'sh', uri: 'nothing' }] }, 'resources[0].uri'],
    [
      'a template that cannot match',
      { resources: [{ name: 'r', command: 'sh', template: 'a:{b}{c}' }] },
      'resources[0].template',
    ],
    ['a prompt without messages', { prompts: [{ name: 'p' }] }, 'prompts[0].messages'],
    [
      'an unknown role',
      { prompts: [{ name: 'p', messages: [{ role: 'system', content: 'x' }] }] },
      'prompts[0].messages[0].role',
    ],
    [
      'a message without text',
      { prompts: [{ name: 'p', messages: [{ role: 'user' }] }] },
      'prompts[0].messages[0].content',
    ],
  ])('%s', (_what, document, path) => {
    const { config, errors } = parse(document)
    expect(config).toBeUndefined()
    expect(paths(errors)).toContain(path)
    for (const issue of errors) {
      expect(Object.values(issue).every((text) => typeof text === 'string')).toBe(true)
      expect(issue.hint).not.toBe('')
    }
  })

  test('everything that is wrong in one pass', () => {
    const { errors } = parse({ tools: [{ name: 'a' }, { command: 'sh' }], prompts: 5 })
    expect(paths(errors)).toEqual(['tools[0].command', 'tools[1].name', 'prompts'])
  })

  test('unknown fields as warnings, with the nearest known one', () => {
    const { config, warnings } = parse({
      tool: [],
      ...tool({ comand: 'x', inputSchema: { a: { type: 'string', optionl: true } } }),
    })
    expect(config).toBeDefined()
    expect(paths(warnings)).toEqual(['tool', 'tools[0].comand', 'tools[0].inputSchema.a.optionl'])
    expect(warnings.map((issue) => issue.hint)).toEqual([
      'Did you mean "tools"?',
      'Did you mean "command"?',
      'Did you mean "optional"?',
    ])
    expect(warnings.map(formatIssue)[0]).toContain('tool: found an unknown field, expected one of: tools,')
  })

  test('two arguments that share a variable, as a warning', () => {
    const { config, warnings } = parse(tool({ inputSchema: { 'a-b': 'string', a_b: 'string' } }))
    expect(config).toBeDefined()
    expect(paths(warnings).toSorted()).toEqual(['tools[0].inputSchema.a_b'])
    expect(argumentVariable('a-b')).toBe(argumentVariable('a_b'))
  })

  test('what is too large or too deep, without working on it', () => {
    expect(paths(parse(JSON.stringify({ tools: [], x: 'y'.repeat(LIMITS.configBytes) })).errors)).toEqual([''])
    const many = Array.from({ length: LIMITS.tools + 1 }, (_, index) => ({ name: `t${index}`, command: 'sh' }))
    expect(paths(parse({ tools: many }).errors)).toEqual(['tools'])
    const wide = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`f${index}`, 'string']))
    expect(parse(tool({ inputSchema: wide })).errors).toHaveLength(1)
    let deep: object = { type: 'string' }
    for (let level = 0; level < 100; level++) deep = { type: 'object', properties: { x: deep } }
    expect(parse(tool({ inputSchema: { deep } })).errors).toHaveLength(1)
    expect(parse(tool({ inputSchema: { type: 'object', properties: { deep } } })).errors).toHaveLength(1)
    expect(parse('['.repeat(200_000)).errors).toHaveLength(1)
  })

  test('names of the prototype as ordinary unknown names', () => {
    const { config, errors } = parse(
      '{"tools":[{"name":"constructor","command":"sh","inputSchema":{"__proto__":"string"}}]}',
    )
    expect(errors).toEqual([])
    const input = config?.tools[0]?.input
    expect([...(input?.fields.keys() ?? [])]).toEqual(['__proto__'])
  })
})
