import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const lines = (count: number): string => 'console\n'.repeat(count)
const branches = 'if (x > 1) x--\n'.repeat(17)

/** One fault for each rule that we chose ourselves. */
const SEEDS: Readonly<Record<string, string>> = {
  'eslint(complexity)': `export function f(x: number) {\n${branches}return x\n}\n`,
  'eslint(eqeqeq)': 'export const f = (a: number, b: number) => a == b\n',
  'eslint(max-lines)': lines(301),
  'eslint(max-params)': 'export const f = (a: number, b: number, c: number, d: number) => a + b + c + d\n',
  'eslint(no-console)': "console.log('x')\n",
  'eslint(no-empty)': 'try {\n  JSON.parse("")\n} catch {}\n',
  'eslint(no-eval)': "export const f = () => eval('1')\n",
  'eslint(no-var)': 'export var f = 1\n',
  'eslint(prefer-const)': 'let f = 1\nexport const g = f\n',
  'import(no-default-export)': 'export default 1\n',
  'typescript(await-thenable)': 'export const f = async () => await 1\n',
  'typescript(ban-ts-comment)': '// @ts-' + 'ignore\nexport const f: number = 1\n',
  'typescript(consistent-type-imports)': "import { Stats } from 'node:fs'\nexport type F = Stats\n",
  'typescript(no-explicit-any)': 'export const f = (a: any) => String(a)\n',
  'typescript(no-floating-promises)': 'export function f() {\n  Promise.resolve(1)\n}\n',
  'typescript(no-for-in-array)': 'export function f() {\n  for (const i in [1]) f.call(i)\n}\n',
  'typescript(no-misused-promises)': 'export const f = () => [1].forEach(async () => {})\n',
  'typescript(no-non-null-assertion)': 'export const f = (a: string | null) => a!.length\n',
  'unicorn(no-process-exit)': 'process.exit(1)\n',
  'unicorn(prefer-node-protocol)': "import { join } from 'path'\nexport const f = join\n",
}

test('every rule of lint finds its fault', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ploinky-lint-'))
  try {
    mkdirSync(join(folder, 'src'))
    Object.values(SEEDS).forEach((code, index) => writeFileSync(join(folder, 'src', `seed-${index}.ts`), code))
    writeFileSync(join(folder, '.oxlintrc.json'), await readFile(join(ROOT, '.oxlintrc.json'), 'utf8'))
    const compilerOptions = { strict: true, module: 'nodenext', target: 'es2022', types: ['node'], noEmit: true }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }))
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    const found = faultsIn(folder)
    const expected = Object.keys(SEEDS).map((rule, index) => ({ rule, found: found.has(`seed-${index}.ts ${rule}`) }))
    expect(expected.filter((seed) => !seed.found)).toEqual([])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('there is a seed for every rule that the configuration turns on', async () => {
  const text = await readFile(join(ROOT, '.oxlintrc.json'), 'utf8')
  const { rules } = JSON.parse(text.replace(/^\s*\/\/.*$/gm, '')) as { rules: Record<string, unknown> }
  const on = Object.entries(rules).flatMap(([name, level]) => (level === 'off' ? [] : [name]))
  const named = (rule: string): string => rule.replace(/^eslint\((.*)\)$/, '$1').replace(/^(.*)\((.*)\)$/, '$1/$2')
  expect(Object.keys(SEEDS).map(named).sort()).toEqual(on.sort())
})

function faultsIn(folder: string): Set<string> {
  const argv = [join(ROOT, 'node_modules/oxlint/bin/oxlint'), '--type-aware', '--format', 'json', 'src']
  const { stdout } = spawnSync(process.execPath, argv, { cwd: folder, encoding: 'utf8' })
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] }
  return new Set(diagnostics.map(({ code, filename }) => `${filename.split('/').at(-1) ?? ''} ${code}`))
}
