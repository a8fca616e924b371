import { describe, expect, it } from 'vitest'
import type { Command } from '../../src/cli/command.ts'
import { inputFromRecord } from '../../src/cli/values.ts'

const command: Pick<Command<never>, 'name' | 'params'> = {
  name: 'start',
  params: {
    agent: { type: 'string', required: true, summary: 'Agent' },
    port: { type: 'port', summary: 'Port' },
    wait: { type: 'integer', summary: 'Seconds', min: 0, max: 60 },
    force: { type: 'boolean', summary: 'Force' },
    runtime: { type: 'string', summary: 'Runtime', choices: ['docker', 'host'] },
    env: { type: 'rest', summary: 'Variables' },
  },
}

describe('inputFromRecord()', () => {
  it.each<[Record<string, unknown>, Record<string, unknown>]>([
    [{ agent: 'demo' }, { agent: 'demo' }],
    [
      { agent: 'demo', port: 80, wait: '5', force: true },
      { agent: 'demo', port: 80, wait: 5, force: true },
    ],
    [
      { agent: 'demo', force: 'false', env: ['A=1'] },
      { agent: 'demo', force: false, env: ['A=1'] },
    ],
    [
      { agent: 'demo', env: 'A=1', port: null, wait: undefined },
      { agent: 'demo', env: ['A=1'] },
    ],
  ])('reads %j', (record, input) => {
    expect(inputFromRecord(command, record)).toEqual(input)
  })

  it.each<[Record<string, unknown>, string]>([
    [{}, 'Invalid field "agent": found nothing, expected Agent'],
    [{ agent: 'a', prot: 1 }, 'Unknown field "prot" for "start"'],
    [{ agent: 'a', port: 0 }, 'Invalid field "port": found "0", expected a port number from 1 to 65535'],
    [{ agent: 'a', port: 80.5 }, 'found "80.5"'],
    [{ agent: 'a', port: '0x50' }, 'found "0x50"'],
    [{ agent: 'a', port: '1e3' }, 'found "1e3"'],
    [{ agent: 'a', wait: 61 }, 'expected a whole number from 0 to 60'],
    [{ agent: 'a', wait: '99999999999999999999' }, 'expected a whole number from 0 to 60'],
    [{ agent: { $ne: 1 } }, 'Invalid field "agent": found object, expected a string'],
    [{ agent: 'a', force: 'yes' }, 'expected "true" or "false"'],
    [{ agent: 'a', runtime: 'docke' }, 'expected one of docker, host'],
    [{ agent: 'a', env: ['A', 5] }, 'Invalid field "env[1]": found number, expected a string'],
    [{ agent: 'a', ['__proto__']: 1 }, 'Unknown field "__proto__"'],
    [{ agent: 'a', constructor: 1 }, 'Unknown field "constructor"'],
  ])('refuses %j', (record, message) => {
    expect(() => inputFromRecord(command, record)).toThrow(
      expect.objectContaining({
        code: 'REQUEST_INVALID',
        message: expect.stringContaining(message) as unknown,
      }) as Error,
    )
  })
})
