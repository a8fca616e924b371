/** Malformed manifests: each is refused with the file, the key path and the line, and none costs more than a moment. */
import { describe, expect, it } from 'vitest'
import { parseManifest } from '../../src/config/manifest/index.ts'
import { isPloinkyError, type PloinkyError, toErrorBody } from '../../src/core/error.ts'

const FILE = '/repo/agent/manifest.json'

function refusal(source: string, profile = 'dev'): PloinkyError {
  try {
    parseManifest(source, { file: FILE, profile })
  } catch (error) {
    if (isPloinkyError(error)) return error
    throw error
  }
  throw new Error(`accepted: ${source.slice(0, 200)}`)
}

/** `{"a": ...}` with one key a line; the first key stands in line 2. */
const lines = (...members: string[]): string => `{\n${members.join(',\n')}\n}`

describe('what is no manifest at all', () => {
  it.each([
    '',
    ' \n',
    'null',
    '[]',
    '"text"',
    '5',
    'true',
    '{',
    '{"container": "a"',
    '\u0000',
    '{"a":1}{"b":2}',
    'PK\u0003\u0004',
  ])('%j', (source) => {
    const error = refusal(source)
    expect(error.code).toBe('MANIFEST_INVALID')
    expect(error.message).toContain(FILE)
    expect(error.message).toMatch(/line \d+/)
    expect(toErrorBody(error).error.details.suggestion).toContain(FILE)
  })

  it('names line and column of a syntax error', () => {
    const error = refusal('{\n  "container": "a",\n  "env": [,]\n}')
    expect(error.details).toMatchObject({ file: FILE, line: 3, column: 11 })
  })

  it('refuses what is too large or too deep before it looks closer', () => {
    expect(refusal(`{"about": "${'x'.repeat(1024 * 1024)}"}`).message).toContain('larger than 1048576 bytes')
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = `${open.repeat(100_000)}1${close.repeat(100_000)}`
      for (const source of [deep, `{"env":${deep}}`, `{"container":${deep}}`, `{"x":${deep}}`, open.repeat(100_000)]) {
        expect(refusal(source).message).toContain('nested deeper than 32 levels')
      }
    }
  })
})

describe('a wrong value', () => {
  const cases: [member: string, path: string, message: string][] = [
    ['"container": 5', 'container', 'expected text, found 5'],
    ['"container": ""', 'container', 'expected an image reference, found ""'],
    ['"image": "-v=/:/host"', 'image', 'expected an image reference, found "-v=/:/host"'],
    ['"container": "a b"', 'container', 'expected an image reference, found "a b"'],
    ['"container": "a\\u0000b"', 'container', 'control characters are not allowed'],
    ['"agent": ["node"]', 'agent', 'expected text, found a list'],
    ['"agent": "a\\u0000b"', 'agent', 'control characters are not allowed'],
    ['"agent": "a\\u001b[2Jb"', 'agent', 'control characters are not allowed'],
    ['"start": "sh -c \'oops"', 'start', 'a quote is not closed'],
    ['"commands": {"run": "a\\u0000"}', 'commands.run', 'control characters are not allowed'],
    ['"commands": {"cli": 7}', 'commands.cli', 'expected text, found 7'],
    ['"commands": "x"', 'commands', 'expected an object, found "x"'],
    ['"entrypoint": {}', 'entrypoint', 'expected text or a list, found an object'],
    ['"entrypoint": ["a", 5]', 'entrypoint[1]', 'expected text, found 5'],
    ['"entrypoint": ["a", "\\u0000"]', 'entrypoint[1]', 'control characters are not allowed'],
    ['"workdir": "code"', 'workdir', 'expected an absolute path, found "code"'],
    ['"workdir": "/a\\nb"', 'workdir', 'expected an absolute path, found "/a\\nb"'],
    ['"env": "A=1"', 'env', 'expected a list or an object, found "A=1"'],
    ['"env": ["A B=1"]', 'env[0]', 'not a variable name: "A B"'],
    ['"env": ["=x"]', 'env[0]', 'not a variable name: ""'],
    ['"env": ["A", null]', 'env[1]', 'expected "NAME", "NAME=default" or an object, found null'],
    ['"env": [{}]', 'env[0].name', 'expected the name of a variable'],
    ['"env": {"A-B": "x"}', 'env.A-B', 'not a variable name: "A-B"'],
    ['"env": {"A": {"default": {}}}', 'env.A.default', 'expected text, a number or true or false'],
    ['"env": {"A": "x\\u0000y"}', 'env.A', 'a value cannot hold a NUL character'],
    ['"env": [{"name": "A", "varName": "(a+)+$*"}]', 'env[0]', 'not a variable name: "(a+)+$*"'],
    ['"env": [{"name": "A*", "varName": "B"}]', 'env[0]', 'a pattern cannot be the name of one variable'],
    ['"ports": {}', 'ports', 'expected text or a number or a list, found an object'],
    ['"ports": [80, {}]', 'ports[1]', 'expected text or a number, found an object'],
    ['"readiness": []', 'readiness', 'expected an object, found a list'],
    ['"readiness": {"protocol": "htpp"}', 'readiness.protocol', 'did you mean "http"?'],
    ['"readiness": {"port": 0}', 'readiness.port', 'found 0'],
    ['"readiness": {"path": "/a\\r\\nX: y"}', 'readiness.path', 'expected a path such as "/health"'],
    ['"readiness": {"path": "health"}', 'readiness.path', 'expected a path such as "/health"'],
    ['"readiness": {"timeoutSeconds": 1e9}', 'readiness.timeoutSeconds', 'found 1000000000'],
    ['"hardwareLimits": {"memory": "lots"}', 'hardwareLimits.memory', 'expected a size of at least 6m'],
    ['"hardwareLimits": {"memory": -5}', 'hardwareLimits.memory', 'expected a size of at least 6m'],
    ['"hardwareLimits": {"memory": "999999999999t"}', 'hardwareLimits.memory', 'expected a size of at least 6m'],
    ['"hardwareLimits": {"cpus": "0x10"}', 'hardwareLimits.cpus', 'expected a number of processors'],
    ['"hardwareLimits": {"pidsLimit": 1.5}', 'hardwareLimits.pidsLimit', 'expected a whole number, found 1.5'],
    ['"profiles": []', 'profiles', 'expected an object, found a list'],
    ['"profiles": {"dev": 5}', 'profiles.dev', 'expected an object, found 5'],
    ['"profiles": {"dev": {"ports": ["x"]}}', 'profiles.dev.ports[0]', 'expected [ip:]host[:container]'],
    ['"profiles": {"dev": {"mounts": {"code": "write"}}}', 'profiles.dev.mounts.code', 'found "write"'],
    ['"__proto__": {"container": "evil"}', '__proto__', 'not a possible key'],
    ['"env": {"__proto__": "x"}', 'env.__proto__', 'not a possible key'],
  ]
  it.each(cases)('%s', (member, path, message) => {
    const error = refusal(lines('"about": "x"', member))
    expect(error.code).toBe('MANIFEST_INVALID')
    const { problems } = error.details as { problems: { path: string; message: string; line: number }[] }
    expect(problems).toEqual([{ path, message: expect.stringContaining(message) as string, line: 3 }])
    expect(error.message).toContain(`${path}: `)
    expect(error.message).toContain('(line 3)')
  })

  it('tells all of them at once, and stops counting at fifty', () => {
    const error = refusal(lines('"container": 5', '"env": 5', '"workdir": 5'))
    expect((error.details['problems'] as unknown[]).length).toBe(3)
    const many = refusal(`{"env": [${Array.from({ length: 10_000 }, () => '"="').join()}]}`)
    expect((many.details['problems'] as unknown[]).length).toBe(50)
    expect(many.message).toMatch(/and 9950 more$/)
    expect(many.message.length).toBeLessThan(5000)
  })

  it('shows a long value in part', () => {
    expect(refusal(`{"port": "${'9'.repeat(100_000)}"}`).message.length).toBeLessThan(500)
    expect(refusal(`{"readiness": {"protocol": "${'9'.repeat(100_000)}"}}`).message.length).toBeLessThan(500)
  })

  it('refuses words that no program can be given', () => {
    const long = 'x'.repeat(131_072)
    for (const member of [`"agent": "${long}"`, `"env": ["A=${long}"]`, `"entrypoint": ["${long}"]`]) {
      expect(refusal(lines(member)).message).toContain('longer than 131071 bytes')
    }
  })

  it('reads the longest hostile line at once', () => {
    const hostile = `${'\\"'.repeat(250_000)}`
    expect(refusal(JSON.stringify({ start: `"${hostile}` })).message).toContain('longer than')
    expect(refusal(JSON.stringify({ start: `"${hostile.slice(0, 60_000)}` })).message).toContain(
      'a quote is not closed',
    )
  })
})

describe('ports', () => {
  it.each([
    '"x"',
    '""',
    '"0"',
    '0',
    '-1',
    '65536',
    '80.5',
    '"80:0"',
    '"80:65536"',
    '"80:90:100"',
    '"80/sctp"',
    '"80 "," "',
    '"localhost:80"',
    '"127.0.0.1:"',
    '"::1:80"',
    '"80\\n90"',
  ])('%s is refused', (port) => {
    expect(refusal(lines(`"ports": [${port}]`)).message).toContain('expected [ip:]host[:container][/tcp|/udp]')
  })

  it.each([
    '"0.0.0.0:80"',
    '"192.168.1.1:80:80"',
    '"127.999.1.1:80"',
    '"127.0.0.256:80"',
    '"[::]:80"',
    '"[2001:db8::1]:80"',
  ])('%s is not loopback', (port) => {
    expect(refusal(lines(`"ports": [${port}]`)).message).toContain('only loopback addresses are published')
  })
})
