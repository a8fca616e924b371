import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { builtStamp, sourceStamp, staleModules } from '../../src/tools/stamp.mjs'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ploinky-stamp-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(path: string, content: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content))
}

describe('sourceStamp()', () => {
  test('changes with content, names and removals, not with times', () => {
    write('src/a.ts', 'a')
    write('public/page/main.ts', 'p')
    const first = sourceStamp(root)
    utimesSync(join(root, 'src/a.ts'), new Date(0), new Date(0))
    expect(sourceStamp(root)).toBe(first)
    write('README.md', 'not part of the build')
    expect(sourceStamp(root)).toBe(first)

    write('src/a.ts', 'b')
    const edited = sourceStamp(root)
    write('src/b.ts', '')
    const added = sourceStamp(root)
    cpSync(join(root, 'src/b.ts'), join(root, 'src/c.ts'))
    rmSync(join(root, 'src/b.ts'))
    const renamed = sourceStamp(root)
    expect(new Set([first, edited, added, renamed]).size).toBe(4)
  })
})

describe('builtStamp()', () => {
  test('is null for no build and for a torn one', () => {
    expect(builtStamp(root)).toBeNull()
    write('dist/build.json', '{"stamp":"ab')
    expect(builtStamp(root)).toBeNull()
    write('dist/build.json', { stamp: 'abc', chunks: [] })
    expect(builtStamp(root)).toEqual({ stamp: 'abc', chunks: [] })
  })
})

describe('staleModules()', () => {
  const lock = (packages: Record<string, unknown>): unknown => ({ packages: { '': {}, ...packages } })

  test('says why the dependencies must be installed', () => {
    write('package-lock.json', lock({ 'node_modules/a': { version: '1.0.0' } }))
    expect(staleModules(root)).toBe('node_modules is missing')
    write('node_modules/.package-lock.json', lock({ 'node_modules/a': { version: '0.9.0' } }))
    expect(staleModules(root)).toBe('node_modules/a is not 1.0.0')
    write('node_modules/.package-lock.json', lock({ 'node_modules/a': { version: '1.0.0' } }))
    expect(staleModules(root)).toBeNull()
  })

  test('does not ask for optional packages of other systems', () => {
    write('package-lock.json', lock({ 'node_modules/b': { version: '1.0.0', optional: true } }))
    write('node_modules/.package-lock.json', lock({}))
    expect(staleModules(root)).toBeNull()
    write('node_modules/.package-lock.json', lock({ 'node_modules/b': { version: '2.0.0' } }))
    expect(staleModules(root)).toBe('node_modules/b is not 1.0.0')
  })

  test('compares versions where Deno installed', () => {
    write('package.json', { devDependencies: { a: '1.0.0' } })
    write('node_modules/.deno/.keep', '')
    expect(staleModules(root)).toBe('a is not 1.0.0')
    write('node_modules/a/package.json', { version: '1.0.0' })
    expect(staleModules(root)).toBeNull()
  })
})
