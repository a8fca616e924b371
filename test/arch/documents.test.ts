import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { withBuiltins } from '../../src/cli/builtin.ts'
import { parseArgv } from '../../src/cli/parse.ts'
import { splitWords } from '../../src/cli/shell-words.ts'
import { commands } from '../../src/commands.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const DOCUMENTS = [
  'README.md',
  'CHANGELOG.md',
  '.github/ARCHITECTURE.md',
  '.github/CONTRIBUTING.md',
  '.github/DEPENDENCIES.md',
  'test/setup/README.md',
]
const text = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8')
const json = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await text(path)) as Record<string, unknown>
const table = withBuiltins(commands, { version: '0.0.0' })

describe.each(DOCUMENTS)('%s', (path) => {
  test('every command in it exists', async () => {
    const { scripts } = (await json('package.json')) as { scripts: Record<string, string> }
    const { tasks } = (await json('deno.json')) as { tasks: Record<string, unknown> }
    const problems = commandsIn(await text(path)).flatMap((line) => {
      const problem = problemOf(line, { scripts: Object.keys(scripts), tasks: Object.keys(tasks) })
      return problem === null ? [] : [`${line}: ${problem}`]
    })
    expect(problems).toEqual([])
  })

  test('every local link leads somewhere', async () => {
    const targets = [...(await text(path)).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)].map(([, to]) => to ?? '')
    expect(targets.filter((to) => !existsSync(join(ROOT, dirname(path), to)))).toEqual([])
  })
})

test('the README shows the two commands, and some of the program', async () => {
  const found = commandsIn(await text('README.md'))
  expect(found).toEqual(expect.arrayContaining(['npm start', 'npm test', 'npx ploinky start demo']))
  expect(found.filter((line) => /^(?:npx )?ploinky /.test(line)).length).toBeGreaterThan(5)
})

test('a wrong command in a document is found', () => {
  const found = commandsIn(
    '```sh\n$ ploinky strat demo   # typo\nnpm run nothing\ndeno task x\nPLOINKY_DEBUG=1 ploinky status | head\n```\n`npm run no`',
  )
  expect(found).toEqual(['ploinky strat demo', 'npm run nothing', 'deno task x', 'ploinky status', 'npm run no'])
  const known = { scripts: ['ok'], tasks: ['start'] }
  expect(found.map((line) => problemOf(line, known) !== null)).toEqual([true, true, true, false, true])
})

/** Lines of code blocks, and code in sentences, that run ploinky, npm or deno. */
function commandsIn(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```(?:sh|bash|console|shell)?\n([\s\S]*?)^```/gm)].flatMap(([, body]) =>
    (body ?? '').split('\n'),
  )
  const inline = [...markdown.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? '')
  return [...blocks, ...inline]
    .map((line) =>
      line
        .replace(/^\s*\$ /, '')
        .replace(/\s(?:#|\||>|&&|<).*$/, '')
        .replace(/^(?:\w+=\S+ )+/, '')
        .trim(),
    )
    .filter((line) => /^(?:npx ploinky|ploinky|npm (?:start|test|run|ci)|deno task)(?:$| )/.test(line))
}

function problemOf(line: string, known: { scripts: string[]; tasks: string[] }): string | null {
  const [program, ...words] = line.split(/\s+/)
  if (program === 'npm') {
    const name = words[0] === 'run' ? (words[1] ?? '') : (words[0] ?? '')
    return name === 'ci' || known.scripts.includes(name) ? null : 'no such script'
  }
  if (program === 'deno') return known.tasks.includes(words[1] ?? '') ? null : 'no such task'
  const { error } = parseArgv(splitWords(line.replace(/^(?:npx )?ploinky/, '').trim()), table)
  return error?.message ?? null
}

describe('the two ways to run it', () => {
  test('npm and deno start the same', async () => {
    const { scripts } = (await json('package.json')) as { scripts: Record<string, string> }
    const { tasks } = (await json('deno.json')) as { tasks: Record<string, { command: string }> }
    const steps = (command: string | undefined): string[] =>
      (command ?? '').split(' && ').map((step) => step.replace(/^(?:node|deno run -A) /, '').replace(/^(?:dist\/ploinky\.cjs|src\/cli\/bin\.ts)/, 'bin')) // prettier-ignore
    expect(steps(scripts['start'])).toEqual(['src/tools/bootstrap.mjs', 'bin start demo --foreground'])
    expect(steps(tasks['start']?.command)).toEqual(steps(scripts['start']))
  })

  test('versions are exact, and every package is in the list with a reason', async () => {
    const manifest = await json('package.json')
    const list = await text('.github/DEPENDENCIES.md')
    const rows = [...list.matchAll(/^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \|$/gm)]
    const versions: Record<string, string> = Object.assign(
      {},
      ...['dependencies', 'devDependencies', 'optionalDependencies'].map((kind) => manifest[kind] ?? {}),
    )
    expect(new Set(rows.map(([, name]) => name))).toEqual(new Set(Object.keys(versions)))
    expect(rows.filter(([, , why = '', instead = '']) => why.trim().length < 10 || instead.trim().length < 5)).toEqual(
      [],
    )
    expect(Object.entries(versions).filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[a-z]+\.\d+)?$/.test(version))).toEqual([])
  })
})
