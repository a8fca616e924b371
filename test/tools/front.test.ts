/** What a shell starts is a front before two programs; nobody may notice which of them answers. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundle, startGraph } from '../../src/tools/bundle.mjs'

let folder = ''
let described: ReturnType<typeof startGraph>
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ploinky-front-'))
  const metafile = await bundle(folder)
  const output = Object.keys(metafile.outputs).find((file) => file.endsWith('/describe.cjs'))
  described = startGraph(metafile, output)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(file: string, ...args: string[]) {
  const env = { ...process.env, PLOINKY_DEBUG: '' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    encoding: 'utf8',
    cwd: folder,
    env,
  })
  return { status, stdout, stderr }
}

const LINES: readonly (readonly string[])[] = [
  ['help'],
  ['help', '--json'],
  ['help', 'enable', 'agent'],
  ['help', 'enable', 'agent', '--json'],
  ['help', 'list'],
  ['help', 'strat'],
  ['help', 'strat', '--json'],
  ['help', '--workspace'],
  ['--help'],
  ['-h', 'start'],
  ['--help', 'strat'],
  ['version'],
  ['version', '--json'],
  ['version', 'extra'],
  ['--version'],
  ['-V', '--json'],
  ['--version', '--bogus'],
]

describe('through the front everything is as in the program itself', () => {
  test.each(LINES.map((line) => [line.join(' '), line] as const))('%s', (_, line) => {
    const front = run(join(folder, 'ploinky.cjs'), ...line)
    expect(front).toEqual(run(join(folder, 'bin.js'), ...line))
    expect(front.stdout + front.stderr).not.toBe('')
  })

  test('other commands too, and through a link, as npm installs it', () => {
    const link = join(folder, 'linked')
    symlinkSync(join(folder, 'ploinky.cjs'), link)
    const elsewhere = ['list', 'agents', '--json', '--workspace', join(folder, 'nowhere')]
    const direct = run(join(folder, 'bin.js'), ...elsewhere)
    expect(direct.status).not.toBe(0)
    expect(run(link, ...elsewhere)).toEqual(direct)
    expect(run(link, '--version')).toEqual(run(join(folder, 'bin.js'), '--version'))
  })
})

describe('the front', () => {
  test('reads only the description for help, in one file without packages and builtins', () => {
    const alone = join(folder, 'alone')
    mkdirSync(alone)
    for (const name of ['ploinky.cjs', 'describe.cjs']) copyFileSync(join(folder, name), join(alone, name))
    expect(run(join(alone, 'ploinky.cjs'), 'help')).toMatchObject({ status: 0, stderr: '' })
    expect(run(join(alone, 'ploinky.cjs'), 'status').stderr).toContain('bin.js')
    const paths = described.inputs.map(({ path }) => path)
    expect(paths).toContain('src/cli/describe.ts')
    expect(paths.filter((path) => /node_modules|^builtin:|^src\/(?:compose|http|agent)/.test(path))).toEqual([])
    expect(described.builtins).toEqual([])
  })

  test('does not call a program that never came to its end a success', () => {
    const stuck = join(folder, 'stuck')
    mkdirSync(stuck)
    copyFileSync(join(folder, 'ploinky.cjs'), join(stuck, 'ploinky.cjs'))
    writeFileSync(join(stuck, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(stuck, 'bin.js'), 'await new Promise(() => {})\n')
    expect(run(join(stuck, 'ploinky.cjs'), 'status').status).toBe(13)
    writeFileSync(join(stuck, 'bin.js'), 'process.exit(0)\n')
    expect(run(join(stuck, 'ploinky.cjs'), 'status').status).toBe(0)
  })
})
