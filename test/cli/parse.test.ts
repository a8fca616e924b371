import { describe, expect, it } from 'vitest'
import { parseArgv } from '../../src/cli/parse.ts'
import { splitWords } from '../../src/cli/shell-words.ts'
import { withBuiltins } from '../../src/cli/builtin.ts'
import { fakeTable } from '../helpers/cli-table.ts'

const table = withBuiltins(fakeTable, { version: '1.2.3' })
const parse = (line: string) => parseArgv(splitWords(line), table)

function ok(line: string): { command: string | undefined; input: unknown } {
  const { command, input, error } = parse(line)
  expect(error).toBeNull()
  return { command: command?.name, input }
}

function mistake(line: string): { code: string | undefined; message: string | undefined; hint: string | undefined } {
  const { error } = parse(line)
  expect(error, line).not.toBeNull()
  return { code: error?.code, message: error?.message, hint: error?.hint }
}

describe('parseArgv() finds the command', () => {
  it.each([
    ['init', 'init', {}],
    ['list agents', 'list agents', {}],
    ['token', 'token', {}],
    ['token rotate', 'token rotate', {}],
    ['clean', 'destroy', {}],
    ['list --json agents', 'list agents', {}],
    ['--workspace /tmp/a enable agent demo', 'enable agent', { agent: 'demo' }],
    ['help enable agent', 'help', { command: ['enable', 'agent'] }],
    ['help', 'help', {}],
  ])('%s', (line, command, input) => {
    expect(ok(line)).toEqual({ command, input })
  })

  it('gives no command for nothing, and the words for a topic', () => {
    expect(parse('')).toMatchObject({ command: null, words: [], error: null })
    expect(parse('--json')).toMatchObject({ command: null, error: null, globals: { json: true } })
    expect(parse('list --help')).toMatchObject({ command: null, words: ['list'], error: null })
  })
})

describe('parseArgv() reads values', () => {
  it.each([
    ['start demo 9000', { agent: 'demo', port: 9000 }],
    ['start --wait-seconds=30 --runtime host', { waitSeconds: 30, runtime: 'host' }],
    ['start --foreground demo', { agent: 'demo', foreground: true }],
    ['start -F', { foreground: true }],
    ['start --no-foreground', { foreground: false }],
    ['start --foreground=false', { foreground: false }],
    ['logs demo -f -n 5', { agent: 'demo', follow: true, tail: 5 }],
    ['logs -fn5', { follow: true, tail: 5 }],
    ['logs -n=5', { tail: 5 }],
    ['logs --since=-10m', { since: '-10m' }],
    ['logs --tail 5 --tail 5', { tail: 5 }],
    ['logs -- -f', { agent: '-f' }],
    ['logs -', { agent: '-' }],
    ['start --port 9000', { port: 9000 }],
    ['start --port=9000 demo', { agent: 'demo', port: 9000 }],
    ['start 9000', { agent: '9000' }],
    ['start --agent demo 9000', { agent: 'demo', port: 9000 }],
    ['stop demo shell --kill other', { agents: ['demo', 'shell', 'other'], kill: true }],
    ['stop', {}],
    ['enable agent demo --env A=1 --env=B=2', { agent: 'demo', env: ['A=1', 'B=2'] }],
  ])('%s', (line, input) => {
    expect(ok(line).input).toEqual(input)
  })

  it.each([
    ['--json', { json: true }],
    ['-d', { debug: true }],
    ['--debug', { debug: true }],
    ['-y', { yes: true }],
    ['-q', { quiet: true }],
    ['-yq', { yes: true, quiet: true }],
    ['--no-color', { color: false }],
    ['--workspace=/x', { workspace: '/x' }],
    ['--workspace /x', { workspace: '/x' }],
    ['-h', { help: true }],
    ['-V', { version: true }],
  ])('takes %s before and after the command', (flags, globals) => {
    expect(parse(`${flags} logs demo`)).toMatchObject({ command: { name: 'logs' }, globals, error: null })
    expect(parse(`logs demo ${flags}`)).toMatchObject({ command: { name: 'logs' }, globals, error: null })
  })

  it('starts from the flags of the enclosing prompt', () => {
    const base = parse('--json --workspace /x --no-color').globals
    expect(parseArgv(['logs'], table, base).globals).toEqual(base)
    expect(parseArgv(['logs', '--workspace', '/y', '--json=false'], table, base).globals).toEqual({
      ...base,
      workspace: '/y',
      json: false,
    })
  })
})

describe('parseArgv() leaves the words of other programs alone', () => {
  it.each([
    ['cli demo --foo bar', { agent: 'demo', args: ['--foo', 'bar'] }],
    ['cli demo --json -- -h', { agent: 'demo', args: ['--json', '--', '-h'] }],
    ['cli demo -- --json', { agent: 'demo', args: ['--json'] }],
    ['cli demo', { agent: 'demo' }],
    ['exec demo -- cmd -x --json', { agent: 'demo', command: ['cmd', '-x', '--json'] }],
    ['exec demo cmd -x -- y', { agent: 'demo', command: ['cmd', '-x', '--', 'y'] }],
    ['exec demo -w /tmp ls -w', { agent: 'demo', workdir: '/tmp', command: ['ls', '-w'] }],
    ['exec -w /tmp demo -- -odd', { agent: 'demo', workdir: '/tmp', command: ['-odd'] }],
    ['exec --agent demo -- ls -l', { agent: 'demo', command: ['ls', '-l'] }],
    ['exec --agent demo ls -l', { agent: 'demo', command: ['ls', '-l'] }],
    ['exec demo -- echo ""', { agent: 'demo', command: ['echo', ''] }],
    ['__complete -- start --', { words: ['start', '--'] }],
  ])('%s', (line, input) => {
    const parsed = parse(line)
    expect(parsed.error).toBeNull()
    expect(parsed.input).toEqual(input)
    expect(parsed.globals.json).toBe(false)
  })
})

describe('parseArgv() takes options among words of our own', () => {
  it.each([
    ['grant demo as second --json', { agent: 'demo', words: ['as', 'second'] }],
    ['grant --json demo', { agent: 'demo' }],
    ['grant demo --json global', { agent: 'demo', words: ['global'] }],
  ])('%s', (line, input) => {
    const parsed = parse(line)
    expect(parsed.error).toBeNull()
    expect(parsed.input).toEqual(input)
    expect(parsed.globals.json).toBe(true)
  })
})

describe('parseArgv() explains mistakes', () => {
  it('in options', () => {
    expect(mistake('logs --folow')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Did you mean "--follow"? Usage: ploinky logs [agent] [options]",
        "message": "Unknown option "--folow"",
      }
    `)
    expect(mistake('logs -z')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky logs [agent] [options]",
        "message": "Unknown option "-z"",
      }
    `)
    expect(mistake('logs -folow')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Did you mean "--follow"? Usage: ploinky logs [agent] [options]",
        "message": "Unknown option "-o" in "-folow"",
      }
    `)
    expect(mistake('logs --since')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky logs [agent] [options]",
        "message": "Option "--since" needs a value, found the end of the line",
      }
    `)
    expect(mistake('logs --since --follow')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky logs [agent] [options]",
        "message": "Option "--since" needs a value, found "--follow"",
      }
    `)
    expect(mistake('logs --follow=maybe')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky logs [agent] [options]",
        "message": "Option "--follow" takes no value, found "maybe"",
      }
    `)
    expect(mistake('logs --tail ten')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky logs [agent] [options]",
        "message": "Invalid value "ten" for "--tail": expected a whole number, 0 or more",
      }
    `)
    expect(mistake('logs --tail -1')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky logs [agent] [options]",
        "message": "Invalid value "-1" for "--tail": expected a whole number, 0 or more",
      }
    `)
    expect(mistake('logs --tail 1 --tail 2')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky logs [agent] [options]",
        "message": "Option "--tail" is given twice: "1" and "2"",
      }
    `)
    expect(mistake('start --runtime dcoker')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Did you mean "docker"? Usage: ploinky start [agent] [port] [options]",
        "message": "Invalid value "dcoker" for "--runtime": expected one of auto, docker, podman, host",
      }
    `)
    expect(mistake('start --wait-seconds 3601')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky start [agent] [port] [options]",
        "message": "Invalid value "3601" for "--wait-seconds": expected a whole number from 0 to 3600",
      }
    `)
    expect(mistake('--jsn')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Did you mean "--json"? Usage: ploinky <command> [arguments] [options]",
        "message": "Unknown option "--jsn"",
      }
    `)
    expect(mistake('list --all agents')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky <command> [arguments] [options]",
        "message": "Unknown option "--all"",
      }
    `)
  })

  it('in arguments', () => {
    expect(mistake('start demo 99999')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky start [agent] [port] [options]",
        "message": "Invalid port "99999": expected a port number from 1 to 65535",
      }
    `)
    expect(mistake('start demo 80x')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky start [agent] [port] [options]",
        "message": "Invalid port "80x": expected a port number from 1 to 65535",
      }
    `)
    expect(mistake('start demo 0')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky start [agent] [port] [options]",
        "message": "Invalid port "0": expected a port number from 1 to 65535",
      }
    `)
    expect(mistake('start ""')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky start [agent] [port] [options]",
        "message": "Invalid agent "": expected a value that is not empty",
      }
    `)
    expect(mistake('start demo 80 extra')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky start [agent] [port] [options]",
        "message": "Unexpected argument "extra": "start" takes at most 2 arguments",
      }
    `)
    expect(mistake('start demo 80 --port 90')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky start [agent] [port] [options]",
        "message": "Unexpected argument "80": "--port" is given as well",
      }
    `)
    expect(mistake('init here')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky init",
        "message": "Unexpected argument "here": "init" takes no arguments",
      }
    `)
    expect(mistake('token rotat')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Did you mean "token rotate"? Usage: ploinky token",
        "message": "Unexpected argument "rotat": "token" takes no arguments",
      }
    `)
    expect(mistake('enable agent')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky enable agent <agent> [options]",
        "message": "Missing argument "agent"",
      }
    `)
    expect(mistake('exec demo')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky exec [options] <agent> -- <command...>",
        "message": "Missing argument "command"",
      }
    `)
    expect(mistake('exec demo --')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky exec [options] <agent> -- <command...>",
        "message": "Missing argument "command"",
      }
    `)
    expect(mistake('completion tcsh')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky completion <shell>",
        "message": "Invalid shell "tcsh": expected one of bash, zsh, fish",
      }
    `)
  })

  it('in the command', () => {
    expect(mistake('strat demo')).toMatchInlineSnapshot(`
      {
        "code": "COMMAND_UNKNOWN",
        "hint": "Did you mean "start"? Run "ploinky start"",
        "message": "Unknown command "strat"",
      }
    `)
    expect(mistake('lst agents')).toMatchInlineSnapshot(`
      {
        "code": "COMMAND_UNKNOWN",
        "hint": "Did you mean "list agents"? Run "ploinky list agents"",
        "message": "Unknown command "lst agents"",
      }
    `)
    expect(mistake('list agnets --json')).toMatchInlineSnapshot(`
      {
        "code": "COMMAND_UNKNOWN",
        "hint": "Did you mean "list agents"? Run "ploinky list agents"",
        "message": "Unknown command "list agnets"",
      }
    `)
    expect(mistake('lsit')).toMatchInlineSnapshot(`
      {
        "code": "COMMAND_UNKNOWN",
        "hint": "Did you mean "list"? Run "ploinky help list"",
        "message": "Unknown command "lsit"",
      }
    `)
    expect(mistake('list')).toMatchInlineSnapshot(`
      {
        "code": "COMMAND_UNKNOWN",
        "hint": "Run "ploinky list agents" or "ploinky list repos"",
        "message": "Incomplete command "list"",
      }
    `)
    expect(mistake('enable demo')).toMatchInlineSnapshot(`
      {
        "code": "COMMAND_UNKNOWN",
        "hint": "Run "ploinky enable agent demo"",
        "message": "Unknown command "enable demo"",
      }
    `)
    expect(mistake('enable')).toMatchInlineSnapshot(`
      {
        "code": "COMMAND_UNKNOWN",
        "hint": "Run "ploinky enable agent"",
        "message": "Incomplete command "enable"",
      }
    `)
    expect(mistake('frobnicate --force now')).toMatchInlineSnapshot(`
      {
        "code": "COMMAND_UNKNOWN",
        "hint": "Run "ploinky help" to see what there is",
        "message": "Unknown command "frobnicate"",
      }
    `)
    expect(mistake('"\u001b[31mred"')).toMatchInlineSnapshot(`
      {
        "code": "COMMAND_UNKNOWN",
        "hint": "Run "ploinky help" to see what there is",
        "message": "Unknown command "\\u001b[31mred"",
      }
    `)
    expect(mistake('constructor')).toMatchInlineSnapshot(`
      {
        "code": "COMMAND_UNKNOWN",
        "hint": "Run "ploinky help" to see what there is",
        "message": "Unknown command "constructor"",
      }
    `)
    expect(mistake('logs --constructor')).toMatchInlineSnapshot(`
      {
        "code": "USAGE_INVALID",
        "hint": "Usage: ploinky logs [agent] [options]",
        "message": "Unknown option "--constructor"",
      }
    `)
  })

  it('and still knows how to print them', () => {
    expect(parse('frobnicate --json').globals.json).toBe(true)
    expect(parse('logs --folow --json').globals.json).toBe(true)
    expect(parse('logs --folow --help')).toMatchObject({ error: null, globals: { help: true } })
    expect(parse('frobnicate --help').error?.code).toBe('COMMAND_UNKNOWN')
  })

  it('carries found, expected and nearest in its details', () => {
    expect(parse('start --runtime dcoker').error?.details).toEqual({
      found: 'dcoker',
      expected: 'one of auto, docker, podman, host',
      nearest: 'docker',
      usage: 'ploinky start [agent] [port] [options]',
    })
  })
})
