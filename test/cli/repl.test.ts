import { describe, expect, it } from 'vitest'
import { looksSecret, remember, usableLines } from '../../src/cli/history.ts'
import { run, type RunDeps } from '../../src/cli/main.ts'
import { silentLogger } from '../../src/core/log.ts'
import { type FakeServices, fakeTable } from '../helpers/cli-table.ts'
import { createFakeTerminal } from '../helpers/cli-terminal.ts'

function setUp(typed: readonly (string | null)[], extra: Partial<RunDeps<FakeServices>> = {}) {
  const terminal = createFakeTerminal({ tty: true, typed })
  const saved: (readonly string[])[] = []
  const depths: number[] = []
  const deps: RunDeps<FakeServices> = {
    terminal,
    env: { NO_COLOR: '1' },
    commands: fakeTable,
    version: '1.2.3',
    log: () => silentLogger,
    async openServices() {
      depths.push(terminal.suspended.depth)
      return { opened: 1 }
    },
    workspaceName: async () => 'shop\u001b[2J',
    history: () => ({
      load: async () => ['old line', 'bad \u001b line'],
      save: async (lines) => void saved.push(lines),
    }),
    complete: async () => ['demo', 'shell'],
    ...extra,
  }
  return { terminal, deps, saved, depths }
}

describe('the prompt', () => {
  it('runs lines until Ctrl-D and survives errors', async () => {
    const { terminal, deps } = setUp(['version', 'frob', `say 'open`, '', 'fail bug', 'version'])
    expect(await run([], deps)).toBe(0)
    expect(terminal.out.text).toBe('ploinky 1.2.3: "help" lists the commands, "exit" leaves\n1.2.3\n1.2.3\n\n')
    expect(terminal.err.text).toContain('Unknown command "frob"')
    expect(terminal.err.text).toContain('column 5')
    expect(terminal.err.text).toContain('INTERNAL')
    expect(terminal.prompts).toHaveLength(7)
    expect(new Set(terminal.prompts)).toEqual(new Set(['ploinky shop\\x1b[2J> ']))
    expect(terminal.closed.count).toBe(1)
  })

  it.each(['exit', 'quit', '  exit  '])('ends at %j', async (word) => {
    const { terminal, deps } = setUp([word, 'version'])
    expect(await run(['--quiet'], deps)).toBe(0)
    expect(terminal.out.text).toBe('')
  })

  it('takes no second prompt inside the first', async () => {
    const { terminal, deps } = setUp(['ploinky', '--json', 'ploinky version'])
    await run(['-q'], deps)
    expect(terminal.editors).toHaveLength(1)
    expect(terminal.err.text).toContain('No command given')
    expect(terminal.out.text).toContain('1.2.3')
  })

  it('hands the terminal over while a command runs', async () => {
    const { terminal, deps, depths } = setUp(['fail services', 'destroy', 'y'])
    await run([], deps)
    expect(depths).toEqual([1])
    expect(terminal.suspended).toEqual({ depth: 0, most: 1 })
    expect(terminal.prompts).toContain('Remove everything? [y/N] ')
  })

  it('remembers lines, but no secrets', async () => {
    const { terminal, deps, saved } = setUp(['version', 'version', 'start --token abcdef', 'var KEY value', 'frob'])
    await run([], deps)
    expect(terminal.editors[0]?.history).toEqual(['old line'])
    expect(saved).toEqual([
      ['old line', 'version'],
      ['old line', 'version', 'frob'],
    ])
  })

  it('works without history, workspace or names', async () => {
    const broken = async (): Promise<never> => Promise.reject(new Error('disk on fire'))
    const { terminal, deps } = setUp(['version'], {
      workspaceName: broken,
      history: () => ({ load: broken, save: broken }),
      complete: broken,
    })
    expect(await run([], deps)).toBe(0)
    expect(terminal.prompts[0]).toBe('ploinky> ')
    expect(await terminal.editors[0]?.complete('logs ')).toEqual([[], ''])
  })

  it.each<[string, string[], string]>([
    ['', ['init', 'exit'], ''],
    ['enab', ['enable '], 'enab'],
    ['enable ', ['agent '], ''],
    ['logs ', ['demo', 'shell'], ''],
    ['logs d', ['demo '], 'd'],
    [`logs 'd`, ['demo '], `'d`],
    ['ploinky logs s', ['shell '], 's'],
    ['logs --fol', ['--follow '], '--fol'],
    ['ex', ['exec', 'exit'], 'ex'],
    ['logs # d', [], ''],
    ['cli demo --', [], '--'],
  ])('completes %j', async (line, expected, word) => {
    const { terminal, deps } = setUp([])
    await run([], deps)
    const [candidates, replaced] = (await terminal.editors[0]?.complete(line)) ?? [[], null]
    expect(replaced).toBe(word)
    if (line === '') expect(candidates).toEqual(expect.arrayContaining(expected))
    else expect(candidates).toEqual(expected)
  })
})

describe('history', () => {
  it.each([
    'var API x',
    'secret set NAME value',
    'ploinky var NAME value',
    'expose NAME value demo',
    'start --token abc',
    'start --api-key=abc',
    'enable agent demo --env OPENAI_API_KEY=abc',
    'enable agent demo --env DB_PASSWORD=abc',
    'exec demo -- curl -H "Authorization: Bearer abcdefgh1234"',
    'open https://me:pw@example.org/',
    'cli demo https://x.example/?token=abc',
    `exec demo -- login ghp_${'a1'.repeat(10)}`,
    `config set x ${'dead10ff'.repeat(4)}`,
    'cli demo eyJhbGciOiJIUzI1NiJ9.e30.x',
  ])('leaves out %j', (line) => {
    expect(looksSecret(line)).toBe(true)
    expect(remember(['a'], line)).toEqual(['a'])
  })

  it.each([
    'token',
    'token rotate',
    'token --json',
    'start demo 8088',
    'exec demo -- ls /a/very/long/path/that/goes/on/and/on/for/a/while',
    'logs secret-agent -f',
    'enable agent password-manager',
    'help config',
  ])('keeps %j', (line) => {
    expect(looksSecret(line)).toBe(false)
    expect(remember(['a'], line)).toEqual(['a', line])
  })

  it('keeps the last 1000 lines, each once in a row', () => {
    const many = Array.from({ length: 1500 }, (_, index) => `logs -n ${index}`)
    const kept = usableLines(many)
    expect(kept).toHaveLength(1000)
    expect(remember(kept, 'version')).toHaveLength(1000)
    expect(remember(kept, 'version').at(-1)).toBe('version')
    expect(remember(['a'], ' a ')).toEqual(['a'])
    expect(remember(['a'], 'x'.repeat(5000))).toEqual(['a'])
  })
})
