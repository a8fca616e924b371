import { describe, expect, it } from 'vitest'
import { withBuiltins } from '../../src/cli/builtin.ts'
import { complete, type CompletionSource } from '../../src/cli/completion.ts'
import { fakeTable } from '../helpers/cli-table.ts'

const commands = withBuiltins(fakeTable, { version: '1.2.3' })
const source: CompletionSource = async (kind, globals) => {
  if (globals.workspace === '/broken') throw new Error('no workspace')
  if (kind === 'agents') return ['demo', { value: 'shell', summary: 'A shell' }]
  return ['demo', 'basic/tool', 'evil;id', '$(id)', '-x y']
}

async function values(line: string): Promise<string[]> {
  const words = line.split(' ')
  const found = await complete({ commands, words: words.slice(0, -1), current: words.at(-1) ?? '', source })
  return found.candidates.map(({ value }) => value)
}

describe('complete()', () => {
  it.each<[string, string[]]>([
    ['st', ['start', 'stop']],
    ['l', ['list', 'logs']],
    ['list ', ['agents', 'repos']],
    ['list a', ['agents']],
    ['enable ', ['agent']],
    ['token ', ['rotate']],
    ['logs ', ['demo', 'shell']],
    ['logs s', ['shell']],
    ['--workspace /w logs ', ['demo', 'shell']],
    ['--workspace /broken logs ', []],
    ['logs demo ', []],
    ['logs --f', ['--follow']],
    ['logs --follow --f', []],
    ['logs --tail ', []],
    ['start --runtime ', ['auto', 'docker', 'podman', 'host']],
    ['start --runtime=d', ['--runtime=docker']],
    ['start --runtime=', ['--runtime=auto', '--runtime=docker', '--runtime=podman', '--runtime=host']],
    ['start ', ['demo', 'basic/tool']],
    ['start --po', ['--port']],
    ['start --port 80 demo ', []],
    ['logs --age', []],
    ['start demo --fo', ['--foreground']],
    ['logs --follow=', []],
    ['enable agent demo --env A=1 --e', ['--env']],
    ['stop demo ', ['shell']],
    ['cli ', ['demo', 'shell']],
    ['cli demo ', []],
    ['cli demo --', []],
    ['exec demo -- ', []],
    ['logs -- ', ['demo', 'shell']],
    ['logs -- -', []],
    ['completion ', ['bash', 'zsh', 'fish']],
    [
      'help ',
      [
        'init',
        'start',
        'destroy',
        'list',
        'enable',
        'logs',
        'cli',
        'exec',
        'grant',
        'token',
        'stop',
        'fail',
        'help',
        'version',
        'completion',
      ],
    ],
    ['help list ', ['agents', 'repos']],
    ['frob ', []],
    ['__', []],
    ['__complete -- ', []],
  ])('%j', async (line, expected) => {
    expect(await values(line)).toEqual(expected)
  })

  it('offers every command and flag with what it is', async () => {
    const { candidates } = await complete({ commands, words: [], current: 'li' })
    expect(candidates).toEqual([{ value: 'list', summary: 'agents, repos' }])
    const flags = await complete({ commands, words: ['init'], current: '--' })
    expect(flags.candidates.map(({ value }) => value)).toEqual([
      '--json',
      '--workspace',
      '--yes',
      '--quiet',
      '--debug',
      '--no-color',
      '--help',
      '--version',
    ])
    expect(flags.candidates.every(({ summary }) => summary !== '')).toBe(true)
  })

  it('leaves folders to the shell', async () => {
    expect(await complete({ commands, words: ['--workspace'], current: '' })).toEqual({
      candidates: [],
      files: 'directories',
    })
    expect(await complete({ commands, words: ['exec'], current: '--workdir=/t' })).toEqual({
      candidates: [],
      files: 'directories',
    })
  })
})
