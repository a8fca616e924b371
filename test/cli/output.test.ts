import { describe, expect, it } from 'vitest'
import { PloinkyError } from '../../src/core/error.ts'
import { Secret } from '../../src/core/secret.ts'
import { renderError } from '../../src/cli/errors.ts'
import { createOutput } from '../../src/cli/output.ts'
import { NO_GLOBALS } from '../../src/cli/parse.ts'
import { renderData } from '../../src/cli/table.ts'
import { cut, displayWidth, neutralise, neutraliseData, safeJson, wrap } from '../../src/cli/text.ts'
import { createFakeTerminal, type FakeTerminalOptions, screenOf } from '../helpers/cli-terminal.ts'

const wide = { color: false, width: null }

function outputOn(
  options: FakeTerminalOptions,
  globals: Partial<typeof NO_GLOBALS> = {},
  env: Record<string, string> = {},
) {
  const terminal = createFakeTerminal(options)
  const clock = { ms: 0 }
  const output = createOutput({ terminal, env, globals: { ...NO_GLOBALS, ...globals }, now: () => clock.ms })
  return { terminal, output, clock }
}

describe('text for a terminal', () => {
  it.each([
    ['plain\ttext\n', 'plain\ttext\n'],
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b[38;5;1m\u001b[1;4mx', 'x'],
    ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
    ['\u001b[2J\u001b[H', '\\x1b[2J\\x1b[H'],
    ['\u009b2J', '\\x9b2J'],
    ['a\r\nb\rc', 'a\nb\\x0dc'],
    ['\u202eevil\u202c\u2028', '\\u{202e}evil\\u{202c}\\u{2028}'],
    ['日本 é 😀', '日本 é 😀'],
    ['\u0000\u007f', '\\x00\\x7f'],
  ])('neutralise(%j)', (text, shown) => {
    expect(neutralise(text)).toBe(shown)
  })

  it('neutralises strings and keys of data, and leaves secrets to themselves', () => {
    const secret = new Secret('hunter2')
    const data = neutraliseData({ 'a\u001b': ['\u0007', { b: '\u001b[2J' }], n: 1, secret }) as { secret: unknown }
    expect(data).toMatchObject({ 'a\\x1b': ['\\x07', { b: '\\x1b[2J' }], n: 1 })
    expect(data.secret).toBe(secret)
  })

  it('writes JSON that means the same and moves no cursor', () => {
    const value = { text: '\u001b[2J\u009b\u202e\u007f日', none: undefined }
    const json = safeJson(value)
    expect(JSON.parse(json)).toEqual({ text: value.text })
    expect(json).toMatch(/^[\u0020-\u007e日]*$/)
    expect(safeJson(undefined)).toBe('null')
  })

  it('measures, cuts and wraps by columns', () => {
    expect(displayWidth('日本e\u0301😀\u001b[1mx\u001b[22m')).toBe(8)
    expect(cut('日本語', 5)).toBe('日本…')
    expect(cut('short', 5)).toBe('short')
    expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrap('', 7)).toEqual([''])
  })
})

describe('renderData()', () => {
  it('shows records as a table', () => {
    const rows = [
      { name: 'demo', startedAt: null, ports: [7000, 7001], ok: true },
      { name: '日本', startedAt: '2026-01-01', ports: [], extra: { a: 1 } },
    ]
    expect(renderData(rows, wide)).toMatchInlineSnapshot(`
      "NAME  STARTED AT  PORTS       OK   EXTRA
      demo  -           7000, 7001  yes  -
      日本  2026-01-01  -           -    {"a":1}"
    `)
  })

  it('cuts the widest column to fit a terminal', () => {
    const text = renderData([{ name: 'demo', about: 'x'.repeat(100), state: 'ready' }], { color: false, width: 40 })
    expect(text.split('\n').map(displayWidth)).toEqual([40, 40])
  })

  it('shows a record as key: value, blocks indented', () => {
    const data = {
      name: 'demo',
      uptimeSeconds: 5,
      none: undefined,
      router: { port: 8088, tls: false },
      agents: [{ a: 1 }],
      list: ['x', 'y'],
    }
    expect(renderData(data, wide)).toMatchInlineSnapshot(`
      "name:           demo
      uptime seconds: 5
      router:
        port: 8088
        tls:  no
      agents:
        A
        1
      list:           x, y"
    `)
  })

  it.each<[unknown, string]>([
    [null, ''],
    [undefined, ''],
    ['text', 'text'],
    [5, '5'],
    [[], '(none)'],
    [['a', 'b'], 'a\nb'],
    [{}, ''],
    [{ a: 'x\ny' }, 'a: x\\ny'],
    [{ s: new Secret('x') }, 's: "[redacted]"'],
  ])('shows %j', (data, text) => {
    expect(renderData(data, wide)).toBe(text)
  })
})

describe('createOutput()', () => {
  const command = {}

  it('prints data harmlessly on a terminal, unchanged into a pipe', () => {
    const item = 'x\u001b[2Jy'
    const screen = outputOn({ tty: true })
    screen.output.item(item, command)
    expect(screen.terminal.out.text).toBe('x\\x1b[2Jy\n')
    const pipe = outputOn({})
    pipe.output.item(item, command)
    expect(pipe.terminal.out.text).toBe(`${item}\n`)
  })

  it('gives render() harmless data', () => {
    const { terminal, output } = outputOn({ tty: true })
    output.result({ about: '\u001b[2J' }, { render: (data) => `> ${(data as { about: string }).about}` })
    expect(terminal.out.text).toBe('> \\x1b[2J\n')
  })

  it('prints one JSON value, or one a line', () => {
    const { terminal, output } = outputOn({}, { json: true })
    output.result({ a: 1 }, { render: () => 'not this' })
    output.item({ b: 2 }, {})
    output.item(undefined, {})
    expect(terminal.out.text).toBe('{"a":1}\n{"b":2}\nnull\n')
  })

  it('prints nothing for no data, and an empty line of a stream as one', () => {
    const { terminal, output } = outputOn({})
    output.result(undefined, {})
    output.result({ exitCode: 3 }, { render: () => '' })
    expect(terminal.out.text).toBe('')
    output.item('', {})
    expect(terminal.out.text).toBe('\n')
  })

  it('colours only on a terminal, and honours NO_COLOR, --no-color and dumb terminals', () => {
    expect(outputOn({ tty: true }).output.color).toBe(true)
    expect(outputOn({}).output.color).toBe(false)
    expect(outputOn({ tty: true }, {}, { NO_COLOR: '1' }).output.color).toBe(false)
    expect(outputOn({ tty: true }, {}, { NO_COLOR: '' }).output.color).toBe(true)
    expect(outputOn({ tty: true }, {}, { TERM: 'dumb' }).output.color).toBe(false)
    expect(outputOn({ tty: true }, { color: false }).output.color).toBe(false)
  })

  it('stops writing when the reader of stdout is gone', () => {
    const terminal = createFakeTerminal()
    let writes = 0
    let closed = 0
    const broken = {
      ...terminal,
      stdout: {
        ...terminal.stdout,
        write() {
          writes += 1
          throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
        },
      },
    }
    const output = createOutput({ terminal: broken, env: {}, globals: NO_GLOBALS, onClosed: () => (closed += 1) })
    output.item('a', {})
    output.item('b', {})
    expect({ writes, closed, state: output.closed }).toEqual({ writes: 1, closed: 1, state: true })
    expect(terminal.err.text).toBe('')
  })
})

describe('progress', () => {
  it('is rewritten in place per key on a terminal', () => {
    const { terminal, output } = outputOn({ tty: true, columns: 30 }, { color: false })
    output.progress('demo: pulling 1%', 'demo')
    output.progress('shell: starting', 'shell')
    output.progress('demo: pulling 50%', 'demo')
    output.progress('a note')
    output.progress(`demo: ready ${'x'.repeat(40)}\u001b[2J`, 'demo')
    expect(screenOf(terminal.err.text)).toBe('a note\ndemo: ready xxxxxxxxxxxxxxxx…\nshell: starting\n')
    output.result('done', {})
    output.progress('demo: again', 'demo')
    expect(screenOf(terminal.err.text)).toContain('demo: ready xxxxxxxxxxxxxxxx…\nshell: starting\ndemo: again\n')
  })

  it('keeps the screen of many keys small', () => {
    const { terminal, output } = outputOn({ tty: true }, { color: false })
    for (let n = 0; n < 30; n++) output.progress(`agent ${n}`, `k${n}`)
    const ups = [...terminal.err.text.matchAll(new RegExp('\u001b\\[(\\d+)A', 'g'))].map((match) => Number(match[1]))
    expect(Math.max(...ups)).toBe(12)
    expect(screenOf(terminal.err.text).trimEnd().split('\n')).toHaveLength(30)
  })

  it('is plain lines elsewhere, counters thinned out', () => {
    const { terminal, output, clock } = outputOn({})
    for (const percent of [1, 2, 3]) output.progress(`demo: pulling ${percent}%`, 'demo')
    clock.ms = 2500
    output.progress('demo: pulling 90%', 'demo')
    output.progress('demo: ready', 'demo')
    output.progress('demo: ready', 'demo')
    output.progress('a note\nwith two lines')
    expect(terminal.err.text).toBe('demo: pulling 1%\ndemo: pulling 90%\ndemo: ready\na note\\nwith two lines\n')
  })

  it('is JSON with --json, and nothing with --quiet', () => {
    const json = outputOn({}, { json: true })
    json.output.progress('demo: ready', 'demo')
    expect(json.terminal.err.text).toBe('{"progress":{"key":"demo","text":"demo: ready"}}\n')
    const quiet = outputOn({ tty: true }, { quiet: true })
    quiet.output.progress('demo: ready', 'demo')
    expect(quiet.terminal.err.text).toBe('')
  })
})

describe('renderError()', () => {
  const view = { color: false, json: false, debug: false }
  const error = new PloinkyError('MANIFEST_INVALID', 'Invalid manifest of "demo": 2 mistakes', {
    hint: 'Correct the file and run "ploinky start demo"',
    details: {
      file: 'demo/manifest.json',
      line: 12,
      column: 4,
      errors: [
        { path: 'profiles.dev.env', found: '5', expected: 'an object' },
        { path: 'agent', message: 'Unknown key "agnet"', hint: 'did you mean "agent"?' },
      ],
    },
  })

  it('shows message, code, place, mistakes and hint', () => {
    expect(renderError(error, view)).toMatchInlineSnapshot(`
      "error: Invalid manifest of "demo": 2 mistakes
        MANIFEST_INVALID
        at: demo/manifest.json:12:4
        - profiles.dev.env: found 5, expected an object
        - agent: Unknown key "agnet" (did you mean "agent"?)
        hint: Correct the file and run "ploinky start demo""
    `)
  })

  it('is the error shape with --json', () => {
    expect(JSON.parse(renderError(error, { ...view, json: true }))).toMatchObject({
      error: {
        code: 'MANIFEST_INVALID',
        details: { line: 12, suggestion: 'Correct the file and run "ploinky start demo"' },
      },
    })
  })

  it('says that a bug is one, and shows causes with --debug', () => {
    const bug = new PloinkyError('INTERNAL', 'x is not a function', { cause: new TypeError('x is not a function') })
    expect(renderError(bug, view)).toBe(
      'error: x is not a function\n  INTERNAL\n  hint: This is a fault of ploinky itself; add --debug to see where it happened',
    )
    expect(renderError(bug, { ...view, debug: true })).toContain('  | TypeError: x is not a function')
  })

  it('lets no foreign text move the cursor', () => {
    const hostile = new PloinkyError('AGENT_FAILED', 'boom\u001b[2J\nsecond', {
      hint: 'do\u0007',
      details: { file: 'a\u001b', keyPath: 'k\nx', errors: ['\u001b]0;x\u0007'] },
    })
    expect(renderError(hostile, view)).toMatchInlineSnapshot(`
      "error: boom\\x1b[2J
        second
        AGENT_FAILED
        at: a\\x1b, key "k\\nx"
        - \\x1b]0;x\\x07
        hint: do\\x07"
    `)
  })
})
