/** Which descriptors are terminals, seen by a program that has them. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadPty } from '../../src/platform/pty.ts'

let folder = ''
let program = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ploinky-terminal-'))
  program = join(folder, 'program.mjs')
  const source = fileURLToPath(new URL('../../src/platform/terminal.ts', import.meta.url))
  // Says what it found in a file, since its output streams are what is asked about.
  const contents = `
    import { writeFileSync } from 'node:fs'
    import { createTerminal } from ${JSON.stringify(source)}
    const { stdin, stdout, stderr } = createTerminal()
    const found = [stdin.isTTY, stdout.isTTY, stderr.isTTY]
    writeFileSync(process.argv[2], JSON.stringify({ found, tty: process.moduleLoadList.includes('NativeModule tty') }))`
  const stdin = { contents, resolveDir: folder, loader: 'ts' } as const
  await build({ stdin, outfile: program, bundle: true, platform: 'node', format: 'esm', logLevel: 'silent' })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const result = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as { found: boolean[]; tty: boolean }

describe('a terminal is told from', () => {
  test.skipIf(process.platform !== 'linux')('devices that are none, without the modules of terminals', () => {
    const file = join(folder, 'devices.json')
    const line = '"$0" "$1" "$2" </dev/zero >/dev/null 2>/dev/full'
    expect(spawnSync('sh', ['-c', line, process.execPath, program, file]).status).toBe(0)
    expect(result(file)).toEqual({ found: [false, false, false], tty: false })
  })

  test('pipes and files', () => {
    const file = join(folder, 'pipes.json')
    writeFileSync(join(folder, 'input'), 'text')
    const line = '"$0" "$1" "$2" <"$3" 2>&1 | cat'
    expect(spawnSync('sh', ['-c', line, process.execPath, program, file, join(folder, 'input')]).status).toBe(0)
    expect(result(file)).toEqual({ found: [false, false, false], tty: false })
  })

  test('and is found', async (context) => {
    const pty = await loadPty()
    if (pty === null) return context.skip('no pseudo-terminal library')
    const file = join(folder, 'pty.json')
    const env = { PATH: process.env['PATH'] ?? '' }
    const session = pty({ file: process.execPath, args: [program, file], cwd: folder, env }, { cols: 80, rows: 24 })
    for await (const chunk of session.output) expect(new TextDecoder().decode(chunk)).toBe('')
    expect(result(file).found).toEqual([true, true, true])
  })
})
