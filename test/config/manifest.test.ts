/** What authors write, in both generations of spellings, and the one normal form that comes of it. */
import { describe, expect, it } from 'vitest'
import { DEFAULT_IMAGE, type Manifest, parseManifest } from '../../src/config/manifest/index.ts'
import { parseBytes } from '../../src/config/manifest/network.ts'
import { splitWords } from '../../src/config/manifest/words.ts'

const parse = (value: unknown, profile = 'dev'): Manifest =>
  parseManifest(typeof value === 'string' ? value : JSON.stringify(value), { file: '/m.json', profile })

describe('the main process', () => {
  it.each([
    [{}, { kind: 'agent-server' }],
    [{ agent: 'node app.js' }, { kind: 'command', line: 'node app.js' }],
    [{ commands: { run: 'node app.js' } }, { kind: 'command', line: 'node app.js' }],
    [{ start: 'redis-server "--name=a b"' }, { kind: 'image', args: ['redis-server', '--name=a b'] }],
    [
      { agent: '  ', start: 'x' },
      { kind: 'image', args: ['x'] },
    ],
  ])('%j', (source, main) => {
    expect(parse(source).main).toEqual(main)
  })

  it('takes an image by either name, and Node without one', () => {
    expect(parse({}).image).toBe(DEFAULT_IMAGE)
    expect(parse({ image: 'alpine:3' }).image).toBe('alpine:3')
    expect(parse({ container: 'reg.example:5000/a/b@sha256:0f' }).image).toBe('reg.example:5000/a/b@sha256:0f')
  })

  it('takes an entry point as words or as a line', () => {
    expect(parse({ entrypoint: ['a', 'b c'] }).entrypoint).toEqual(['a', 'b c'])
    expect(parse({ entrypoint: "a 'b c'" }).entrypoint).toEqual(['a', 'b c'])
  })
})

describe('the environment', () => {
  it('takes every form, and later entries win', () => {
    const { env } = parse({
      env: ['A', 'B=1', 'C=x=y', { name: 'D', varName: 'SOURCE', required: 'yes' }, { name: 'E', value: 5 }, 'LLM_*'],
      profiles: { default: { env: { B: '2' } }, dev: { env: { B: { default: '3', name: 'ALIAS' }, F: true } } },
    })
    const plain = { required: false, origin: null, default: null }
    expect(env).toEqual([
      { ...plain, name: 'A', source: 'A', path: 'env[0]' },
      { ...plain, name: 'B', source: 'ALIAS', default: '3', path: 'profiles.dev.env.B' },
      { ...plain, name: 'C', source: 'C', default: 'x=y', path: 'env[2]' },
      { ...plain, name: 'D', source: 'SOURCE', required: true, path: 'env[3]' },
      { ...plain, name: 'E', source: 'E', default: '5', path: 'env[4]' },
      { ...plain, name: 'LLM_*', source: 'LLM_*', path: 'env[5]' },
      { ...plain, name: 'F', source: 'F', default: 'true', path: 'profiles.dev.env.F' },
    ])
  })

  it('keeps every awkward byte of a value but NUL', () => {
    const value = 'a"b\'c$d`e\\f\ng\th\u0001\u{1f600}'
    expect(parse({ env: { A: value } }).env[0]?.default).toBe(value)
  })

  it('takes names that every object inherits for what they are', () => {
    expect(parse({ env: { constructor: 'x' } }).env).toMatchObject([{ name: 'constructor', default: 'x' }])
    // A profile that the manifest does not have is no profile.
    expect(parse({ profiles: { default: { env: ['A=1'] } } }, 'constructor').env).toMatchObject([{ name: 'A' }])
  })
})

describe('ports', () => {
  const published = (host: number, container: number, hostIp = '127.0.0.1', protocol = 'tcp') => ({
    hostIp,
    host,
    container,
    protocol,
  })
  it.each([
    [8080, published(8080, 8080)],
    ['8080', published(8080, 8080)],
    [' 8080:80 ', published(8080, 80)],
    [':80', published(0, 80)],
    ['0:80', published(0, 80)],
    ['127.0.0.1:8080:80/udp', published(8080, 80, '127.0.0.1', 'udp')],
    ['[::1]:8080:80', published(8080, 80, '[::1]')],
    ['127.1.2.255:1:2', published(1, 2, '127.1.2.255')],
  ])('%j', (source, port) => {
    expect(parse({ ports: [source] }).ports).toEqual([port])
    expect(parse({ ports: source }).ports).toEqual([port])
  })

  it('of the active profile count before those of the default one, and those before the others', () => {
    const source = { port: 1, ports: 2, openPorts: 3, profiles: { default: { ports: 4 }, qa: { openPorts: [5] } } }
    expect(parse(source, 'qa').ports[0]?.host).toBe(5)
    expect(parse(source, 'dev').ports[0]?.host).toBe(4)
    expect(parse({ ...source, profiles: {} }).ports[0]?.host).toBe(3)
    expect(parse({ port: 1 }).ports[0]?.host).toBe(1)
  })
})

describe('what is not acted upon', () => {
  it('is said, with its place', () => {
    const { warnings } = parse(`{
  "containr": "x",
  "pwd": {},
  "about": "one",
  "about": "two",
  "readiness": {"prot": 1},
  "hardwareLimits": {"gpu": 1},
  "profiles": {"dev": {"configProviders": 1, "mounts": {"data": "rw"}}},
  "license": "MIT"
}`)
    expect(warnings.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'about: given twice, the last one counts (line 5)',
      'containr: unknown key, ignored; did you mean "container"? (line 2)',
      'pwd: known, not honoured by this version (line 3)',
      'readiness.prot: unknown key, ignored; did you mean "port"? (line 6)',
      'hardwareLimits.gpu: unknown key, ignored (line 7)',
      'profiles.dev.configProviders: known, not honoured by this version (line 8)',
      'profiles.dev.mounts.data: unknown key, ignored (line 8)',
      'profiles: has no "default", so nothing holds for the other profiles (line 8)',
    ])
  })

  it('does not mark a terminal with the author’s escape sequences', () => {
    const path = parse({ '\u001b[31m': 1 }).warnings[0]?.path
    expect(path).toBe('["\\u001b[31m"]')
  })
})

it('reads files of other systems: byte order mark, CRLF', () => {
  expect(parse('\uFEFF{\r\n"about": "x"\r\n}\r\n').about).toBe('x')
})

it.each([
  ['512m', 512 * 1024 ** 2],
  ['1.5g', 1.5 * 1024 ** 3],
  ['6MB', 6 * 1024 ** 2],
  ['1024', 1024],
  [7, 7],
  ['-1', null],
  ['1e3', null],
  ['', null],
  ['9'.repeat(400), null],
])('parseBytes(%j)', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes)
})

describe('splitWords()', () => {
  it.each([
    ['', [], true],
    ['  a  b\tc\n', ['a', 'b', 'c'], true],
    [`a"b c"'d e'f`, ['ab cd ef'], true],
    [`"" ''`, ['', ''], true],
    [String.raw`"a\"b" 'a\b' a\b`, ['a"b', String.raw`a\b`, String.raw`a\b`], true],
    ['$HOME `x` $(x) *', ['$HOME', '`x`', '$(x)', '*'], true],
    [`a 'b`, ['a', 'b'], false],
    ['a "b\\', ['a', 'b\\'], false],
  ])('%j', (line, words, closed) => {
    expect(splitWords(line)).toEqual({ words, closed })
  })
})
