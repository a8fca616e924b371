import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { filesBelow, publish } from '../../src/tools/publish.mjs'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ploinky-publish-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function fill(name: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name, path)), { recursive: true })
    writeFileSync(join(folder, name, path), text)
  }
  return join(folder, name)
}

describe('publish()', () => {
  test('puts the new build in place and removes what is no longer part of it', () => {
    const to = fill('dist', { 'bin.js': 'old', 'public/gone/main.js': 'old', 'Agent/server/a.mjs': 'old' })
    const from = fill('new', { 'bin.js': 'new', 'public/page/main.js': 'new', 'Agent/server/a.mjs': 'new' })
    publish(from, to, { keep: new Set() })
    expect(filesBelow(to)).toEqual(['Agent/server/a.mjs', 'bin.js', 'public/page/main.js'])
    expect(readFileSync(join(to, 'bin.js'), 'utf8')).toBe('new')
    expect(existsSync(join(to, 'public/gone'))).toBe(false)
    expect(existsSync(from)).toBe(false)
  })

  test('keeps folders themselves: containers have them mounted', () => {
    const to = fill('dist', { 'Agent/server/a.mjs': 'old' })
    const before = statSync(join(to, 'Agent/server')).ino
    publish(fill('new', { 'Agent/server/a.mjs': 'new' }), to, { keep: new Set() })
    expect(statSync(join(to, 'Agent/server')).ino).toBe(before)
    expect(readFileSync(join(to, 'Agent/server/a.mjs'), 'utf8')).toBe('new')
  })

  test('keeps chunks of the build before for a router that still runs it, and only those', () => {
    const to = fill('dist', { 'chunks/a-1.js': '1', 'chunks/a-0.js': '0', 'public/chunks/x.js': 'x' })
    publish(fill('new', { 'chunks/a-2.js': '2' }), to, { keep: new Set(['chunks/a-1.js', 'public/chunks/x.js']) })
    expect(filesBelow(to)).toEqual(['chunks/a-1.js', 'chunks/a-2.js'])
  })

  test('leaves files that are the same alone, and replaces those that differ in mode only', () => {
    const to = fill('dist', { 'same.js': 'a', 'mode.sh': 'b' })
    chmodSync(join(to, 'mode.sh'), 0o644)
    const before = statSync(join(to, 'same.js')).ino
    const from = fill('new', { 'same.js': 'a', 'mode.sh': 'b' })
    chmodSync(join(from, 'mode.sh'), 0o755)
    publish(from, to, { keep: new Set() })
    expect(statSync(join(to, 'same.js')).ino).toBe(before)
    expect(statSync(join(to, 'mode.sh')).mode & 0o777).toBe(0o755)
  })

  test('works where nothing was built before', () => {
    publish(fill('new', { 'bin.js': 'new' }), join(folder, 'dist'), { keep: new Set() })
    expect(filesBelow(join(folder, 'dist'))).toEqual(['bin.js'])
  })
})
