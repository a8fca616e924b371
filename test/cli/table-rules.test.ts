import { describe, expect, it } from 'vitest'
import { withBuiltins } from '../../src/cli/builtin.ts'
import type { Command } from '../../src/cli/command.ts'
import { describeHelp, renderHelp } from '../../src/cli/help.ts'
import { displayWidth } from '../../src/cli/text.ts'
import { commands } from '../../src/commands.ts'
import { fakeTable } from '../helpers/cli-table.ts'
import { tableProblems } from '../helpers/cli-rules.ts'

const table = withBuiltins(commands, { version: '0.0.0' })

describe('the table of commands', () => {
  it('keeps the rules, and every example parses to its own command', () => {
    expect(table.length).toBeGreaterThan(20)
    expect(tableProblems(table)).toEqual([])
  })

  it('has an overview that fits 80 columns', () => {
    const doc = describeHelp(table)
    const lines = doc === null ? [] : renderHelp(doc, { color: false, columns: 80 }).split('\n')
    expect(lines.length).toBeGreaterThan(30)
    expect(lines.filter((line) => displayWidth(line) > 80)).toEqual([])
  })
})

describe('tableProblems() catches', () => {
  const base = {
    group: 'Agents',
    access: 'local',
    permission: 'read',
    summary: 'Do it',
    run: async () => null,
  } as const
  it.each<[string, Partial<Command<unknown>>]>([
    ['two commands have this name', { name: 'init' }],
    ['two commands have this name', { name: 'other', aliases: ['clean'] }],
    ['not made of lower-case words', { name: 'Do It' }],
    ['ends in a full stop', { summary: 'Ends with a stop.' }],
    ['does not begin like a sentence', { summary: 'small' }],
    ['is empty', { params: { a: { type: 'string', summary: '' } } }],
    ['is longer than', { summary: `A${'a'.repeat(90)}` }],
    ['positional "a" is not described', { positionals: ['a'] }],
    [
      'is not the last positional',
      { positionals: ['a', 'b'], params: { a: { type: 'rest', summary: 'A' }, b: { type: 'string', summary: 'B' } } },
    ],
    [
      'required "b" follows optional "a"',
      {
        positionals: ['a', 'b'],
        params: { a: { type: 'string', summary: 'A' }, b: { type: 'string', summary: 'B', required: true } },
      },
    ],
    ['is a boolean', { positionals: ['a'], params: { a: { type: 'boolean', summary: 'A' } } }],
    ['path parameter "agent" is not described', { http: { method: 'GET', path: '/agents/{agent}' } }],
    ['--yes is taken', { positionals: ['yes'], params: { yes: { type: 'string', summary: 'Y' } } }],
    ['--json is taken', { params: { json: { type: 'boolean', summary: 'J' } } }],
    ['-y is taken', { params: { yell: { type: 'boolean', short: 'y', summary: 'Y' } } }],
    ['is no letter', { params: { a: { type: 'boolean', short: 'ab', summary: 'A' } } }],
    ['would be the opposite', { params: { noWait: { type: 'boolean', summary: 'N' } } }],
    ['is no name of a flag', { params: { a_b: { type: 'boolean', summary: 'N' } } }],
    ['has limits but is no number', { params: { a: { type: 'string', min: 1, summary: 'A' } } }],
    ['leave nothing', { params: { a: { type: 'integer', min: 2, max: 1, summary: 'A' } } }],
    ['make no sense', { params: { a: { type: 'string', choices: [], summary: 'A' } } }],
    ['does not say what it does', { examples: [{ run: 'ploinky do', does: '' }] }],
    ['does not run ploinky', { examples: [{ run: 'docker do', does: 'x' }] }],
    ['Unknown option', { examples: [{ run: 'ploinky do --what', does: 'x' }] }],
    ['runs "init"', { examples: [{ run: 'ploinky init', does: 'x' }] }],
  ])('%s', (problem, change) => {
    expect(tableProblems<unknown>([...fakeTable, { name: 'do', ...base }])).toEqual([])
    expect(tableProblems<unknown>([...fakeTable, { name: 'do', ...base, ...change }]).join('\n')).toContain(problem)
  })
})
