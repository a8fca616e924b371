import { describe, expect, it } from 'vitest'
import type { Command } from '../../src/cli/command.ts'
import { run, type RunDeps } from '../../src/cli/main.ts'
import { splitWords } from '../../src/cli/shell-words.ts'
import { createLogger, type LogRecord } from '../../src/core/log.ts'
import { PloinkyError } from '../../src/core/error.ts'
import { type FakeServices, fakeTable } from '../helpers/cli-table.ts'
import { createFakeTerminal, type FakeTerminalOptions } from '../helpers/cli-terminal.ts'

type Handler = Parameters<NonNullable<RunDeps<FakeServices>['onSignal']>>[0]

function setUp(options: FakeTerminalOptions = {}, extra: readonly Command<FakeServices>[] = []) {
  const terminal = createFakeTerminal(options)
  const handlers = new Set<Handler>()
  const records: LogRecord[] = []
  const services = { opened: 0, closed: 0, workspaces: [] as (string | undefined)[] }
  const stdoutGone = new AbortController()
  const deps: RunDeps<FakeServices> = {
    terminal,
    env: {},
    commands: [...fakeTable, ...extra],
    version: '1.2.3',
    log: (globals) => createLogger((record) => records.push(record), globals.debug ? 'debug' : 'info'),
    async openServices(globals) {
      services.workspaces.push(globals.workspace)
      if (globals.workspace === '/none') throw new PloinkyError('WORKSPACE_NOT_FOUND', 'No workspace in "/none"')
      services.opened += 1
      return { opened: services.opened }
    },
    closeServices: async () => void (services.closed += 1),
    onSignal(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    stdoutClosed: stdoutGone.signal,
  }
  const signal = (name: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void => handlers.forEach((handler) => handler(name))
  return { deps, terminal, services, records, signal, handlers, stdoutGone }
}

async function cli(line: string, options: FakeTerminalOptions = {}) {
  const { deps, terminal, ...rest } = setUp(options)
  const code = await run(splitWords(line), deps)
  return { code, out: terminal.out.text, err: terminal.err.text, ...rest }
}

describe('run() prints what a command gives', () => {
  it('as a table, as text of its own, or as JSON', async () => {
    expect(await cli('list agents')).toMatchObject({
      code: 0,
      out: 'NAME   STATE    PORTS\ndemo   ready    7000, 7001\nshell  stopped  -\n',
      err: '',
    })
    expect((await cli('list agents --json')).out).toBe(
      '[{"name":"demo","state":"ready","ports":[7000,7001]},{"name":"shell","state":"stopped","ports":[]}]\n',
    )
    expect((await cli('list agents --json', { tty: true })).out).toMatch(/^\[\n {2}\{\n/)
    expect((await cli('logs')).out).toBe('one\n\n\u001b]0;owned\u0007two\u001b[31m red\n')
    expect((await cli('logs', { tty: true })).out).toBe('one\n\n\\x1b]0;owned\\x07two red\n')
    const lines = (await cli('logs --json')).out.trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { text: string }).text)).toHaveLength(3)
  })

  it('and gives the exit code that the data says', async () => {
    expect(await cli('cli demo --foo')).toMatchObject({ code: 7, out: '', err: '' })
    expect((await cli('--json cli demo --foo')).out).toBe('{"exitCode":7,"input":{"agent":"demo","args":["--foo"]}}\n')
  })
})

describe('run() explains failures', () => {
  it('with code, place and hint on stderr, and the exit code of the table', async () => {
    const { code, out, err } = await cli('fail coded')
    expect({ code, out }).toEqual({ code: 4, out: '' })
    expect(err).toBe(
      'error: No agent "demoo"\n  AGENT_NOT_FOUND\n  at: .ploinky/agents:3:5, key "demo.name"\n  hint: Run "ploinky list agents"\n',
    )
  })

  it('as one line of JSON on stderr with --json', async () => {
    const { code, out, err } = await cli('fail coded --json')
    expect({ code, out }).toEqual({ code: 4, out: '' })
    expect(JSON.parse(err)).toEqual({
      error: {
        code: 'AGENT_NOT_FOUND',
        message: 'No agent "demoo"',
        details: {
          file: '.ploinky/agents',
          line: 3,
          column: 5,
          keyPath: 'demo.name',
          suggestion: 'Run "ploinky list agents"',
        },
      },
    })
    expect(JSON.parse((await cli('frob --json')).err)).toMatchObject({ error: { code: 'COMMAND_UNKNOWN' } })
    expect(JSON.parse((await cli('logs --folow --json')).err)).toMatchObject({ error: { code: 'USAGE_INVALID' } })
  })

  it('and exits 1 for bugs, 2 for usage', async () => {
    expect(await cli('fail bug')).toMatchObject({ code: 1 })
    expect((await cli('fail bug --debug')).err).toContain('| TypeError: x is not a function')
    expect(await cli('frob')).toMatchObject({ code: 2 })
    expect(await cli('start demo 70000')).toMatchObject({ code: 2 })
  })
})

describe('run() opens services only when they are needed', () => {
  it('once, and closes them', async () => {
    const { services, code } = await cli('--workspace /w fail services')
    expect(code).toBe(0)
    expect(services).toEqual({ opened: 1, closed: 1, workspaces: ['/w'] })
    expect((await cli('list agents')).services).toEqual({ opened: 0, closed: 0, workspaces: [] })
  })

  it('and reports when they cannot be opened', async () => {
    const { services, code, err } = await cli('--workspace /none fail services')
    expect(code).toBe(4)
    expect(services.closed).toBe(0)
    expect(err).toContain('No workspace in "/none"')
  })
})

describe('run() asks before it destroys', () => {
  it.each([
    ['y', true],
    ['Yes', true],
    ['n', false],
    ['', false],
    [null, false],
  ])('and takes %j as %j', async (answer, removed) => {
    const { deps, terminal } = setUp({ tty: true, typed: [answer] })
    expect(await run(['destroy', '--json=false'], deps)).toBe(0)
    expect(terminal.prompts).toEqual(['Remove everything? [y/N] '])
    expect(terminal.out.text).toContain(removed ? 'yes' : 'no')
    expect(terminal.closed.count).toBe(1)
  })

  it('not with --yes', async () => {
    const { deps, terminal } = setUp({})
    expect(await run(['destroy', '-y', '--json'], deps)).toBe(0)
    expect(terminal.out.text).toBe('{"removed":true}\n')
    expect(terminal.prompts).toEqual([])
  })

  it.each([[{}], [{ tty: { stdin: true } }], [{ tty: { stdout: true } }]])(
    'and refuses where nobody can answer',
    async (tty) => {
      const { code, err } = await cli('destroy', tty)
      expect(code).toBe(8)
      expect(err).toContain('CONFIRMATION_REQUIRED')
      expect(err).toContain('hint: Run "ploinky destroy --yes"')
    },
  )
})

/** A command that waits until it is told to stop, or for ever. */
function waiting(how: 'obeys' | 'ignores' | 'stream' | 'clean' | 'breaks') {
  let started: () => void = () => {}
  const isStarted = new Promise<void>((resolve) => (started = resolve))
  const aborted = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  const base = { name: 'wait', group: 'Router', summary: 'Wait', access: 'local', permission: 'read' } as const
  const command: Command<FakeServices> = {
    ...base,
    run(_input, { signal }) {
      if (how === 'stream') {
        return (async function* () {
          yield 'first'
          started()
          await aborted(signal)
          yield 'too late'
        })()
      }
      started()
      return (async () => {
        await (how === 'ignores' ? new Promise<void>(() => {}) : aborted(signal))
        if (how === 'obeys') signal.throwIfAborted()
        if (how === 'breaks') throw new Error('socket hang up')
        return undefined
      })()
    },
  }
  return { command, isStarted }
}

describe('run() and signals', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('ends the command on %s with %i', async (name, code) => {
    for (const how of ['obeys', 'breaks'] as const) {
      const { command, isStarted } = waiting(how)
      const { deps, signal, handlers, terminal } = setUp({}, [command])
      const ended = run(['wait'], deps)
      await isStarted
      signal(name)
      expect(await ended).toBe(code)
      expect(terminal.err.text).toBe('error: Interrupted\n  INTERRUPTED\n')
      expect(handlers.size).toBe(0)
    }
  })

  it('gives a command that ends well after a signal its own exit code', async () => {
    const { command, isStarted } = waiting('clean')
    const { deps, signal, terminal } = setUp({}, [command])
    const ended = run(['wait'], deps)
    await isStarted
    signal('SIGINT')
    expect(await ended).toBe(0)
    expect(terminal.err.text).toBe('')
  })

  it('waits no longer after a second signal', async () => {
    const { command, isStarted } = waiting('ignores')
    const { deps, signal } = setUp({}, [command])
    const ended = run(['wait'], deps)
    await isStarted
    signal('SIGINT')
    signal('SIGINT')
    expect(await ended).toBe(130)
  })

  it('ends a stream quietly when the reader of stdout goes away', async () => {
    const { command, isStarted } = waiting('stream')
    const { deps, terminal, stdoutGone } = setUp({}, [command])
    const ended = run(['wait'], deps)
    await isStarted
    stdoutGone.abort()
    expect(await ended).toBe(0)
    expect(terminal).toMatchObject({ out: { text: 'first\n' }, err: { text: '' } })
  })

  it('gives an interrupted stream 130', async () => {
    const { command, isStarted } = waiting('stream')
    const { deps, signal } = setUp({}, [command])
    const ended = run(['wait'], deps)
    await isStarted
    signal('SIGINT')
    expect(await ended).toBe(130)
  })
})

describe('run() has commands of its own', () => {
  it('shows the version', async () => {
    for (const line of ['--version', '-V', 'version', 'logs --version']) {
      expect(await cli(line)).toMatchObject({ code: 0, out: '1.2.3\n', err: '' })
    }
    expect((await cli('version --json')).out).toBe('{"version":"1.2.3"}\n')
    expect((await cli('--version --json')).out).toBe('{"version":"1.2.3"}\n')
  })

  it('shows help in every way it may be asked for', async () => {
    const overview = (await cli('help')).out
    expect(overview).toMatch(/^Usage: ploinky <command>/)
    expect((await cli('--help')).out).toBe(overview)
    expect((await cli('-h')).out).toBe(overview)
    const one = (await cli('help enable agent')).out
    expect(one).toMatch(/^Usage: ploinky enable agent <agent>/)
    expect((await cli('enable agent --help')).out).toBe(one)
    expect((await cli('enable agent --nonsense -h')).out).toBe(one)
    expect((await cli('list --help')).out).toBe((await cli('help list')).out)
    expect(JSON.parse((await cli('help logs --json')).out)).toMatchObject({
      kind: 'command',
      commands: [{ name: 'logs' }],
    })
  })

  it('knows what an unknown topic was meant to be', async () => {
    expect(await cli('help strat')).toMatchObject({ code: 2 })
    expect((await cli('help strat')).err).toContain('Did you mean "start"?')
    expect((await cli('help enable agnet')).err).toContain('Did you mean "enable agent"?')
    expect((await cli('help logs more')).err).toContain('hint: Run "ploinky help logs"')
    expect((await cli('frob --help')).err).toContain('Unknown command "frob"')
  })

  it('prints completions as lines', async () => {
    const { out } = await cli('__complete -- start --runtime d')
    expect(out).toBe('docker\n')
    expect((await cli('__complete -- list ""')).out).toBe('agents\tList the agents\nrepos\tList the repositories\n')
    expect((await cli('__complete -- --workspace ""')).out).toBe(':directories\n')
    expect((await cli('__complete -- frob ""')).out).toBe('')
    expect((await cli('__complete --')).out).toContain('start\t')
  })
})

describe('run() without a command', () => {
  it('runs standard input as a script when that is no terminal', async () => {
    const { code, out, err } = await cli('', { stdin: ['# set up', '', 'list agents --json', '  ploinky version'] })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^\[\{"name":"demo".*\n1\.2\.3\n$/)
  })

  it('stops at the line that fails, with its exit code', async () => {
    const { code, out, err } = await cli('', { stdin: ['version', '', 'cli demo', 'version'] })
    expect({ code, out }).toEqual({ code: 7, out: '1.2.3\n' })
    expect(err).toBe('stopped at line 3 of the script (exit code 7)\n')
  })

  it.each([
    [`say 'open`, 2, 'column 5'],
    ['frob', 2, 'Unknown command "frob"'],
    ['destroy', 8, 'CONFIRMATION_REQUIRED'],
    ['--json', 2, 'No command given'],
    [`version ${'x'.repeat(70_000)}`, 2, 'Line too long'],
  ])('stops at a line that is wrong: %.20s', async (line, expected, text) => {
    const { code, err } = await cli('', { stdin: [line, 'version'] })
    expect(code).toBe(expected)
    expect(err).toContain(text)
    expect(err).toContain('stopped at line 1')
  })

  it('passes its flags on to the lines', async () => {
    const { out, err, code } = await cli('--json --workspace /w', { stdin: ['version', 'fail services', 'fail coded'] })
    expect(out).toBe('{"version":"1.2.3"}\n{"opened":1}\n')
    expect(code).toBe(4)
    const last = err.trimEnd().split('\n').at(-1) ?? ''
    expect(JSON.parse(last)).toEqual({ stopped: { line: 3, exitCode: 4 } })
  })

  it('ends at exit, and shows help when there is no line at all', async () => {
    expect(await cli('', { stdin: ['version', 'exit', 'frob'] })).toMatchObject({ code: 0, out: '1.2.3\n' })
    expect((await cli('', { stdin: [] })).out).toMatch(/^Usage:/)
  })
})
