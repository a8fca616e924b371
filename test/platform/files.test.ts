/** The file system port: whole writes, bounded reads, and errors of the system as sentences with a next step. */
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFileSystem } from '../../src/platform/files.ts'
import { systemError } from '../../src/platform/system-error.ts'

const fs = createFileSystem()
const isRoot = process.getuid?.() === 0
let dir: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ploinky-test-files-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('readText()', () => {
  it('gives null for what does not exist, also below a file', async () => {
    await writeFile(join(dir, 'file'), 'x')
    expect(await fs.readText(join(dir, 'nothing'))).toBeNull()
    expect(await fs.readText(join(dir, 'file', 'below'))).toBeNull()
  })

  it('does not open what would never end', async () => {
    execFileSync('mkfifo', [join(dir, 'pipe')])
    await expect(fs.readText(join(dir, 'pipe'))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { reason: 'not-a-file' },
    })
    await expect(fs.readText('/dev/zero')).rejects.toMatchObject({ details: { reason: 'not-a-file' } })
  })

  it('refuses a folder and a file that is too large, with a next step', async () => {
    await expect(fs.readText(dir)).rejects.toMatchObject({ code: 'CONFIG_INVALID', hint: `Look at it: ls -ld ${dir}` })
    await writeFile(join(dir, 'big'), 'x'.repeat(11))
    await expect(fs.readText(join(dir, 'big'), { maxBytes: 10 })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { reason: 'too-large' },
    })
    expect(await fs.readText(join(dir, 'big'), { maxBytes: 11 })).toHaveLength(11)
  })

  it('follows links, but not in a circle', async () => {
    await symlink('b', join(dir, 'a'))
    await symlink('a', join(dir, 'b'))
    await expect(fs.readText(join(dir, 'a'))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `Cannot read "${join(dir, 'a')}": its links go round in a circle`,
    })
  })

  it.skipIf(isRoot)('says that it is not permitted to', async () => {
    await writeFile(join(dir, 'secret'), 'x', { mode: 0o000 })
    await expect(fs.readText(join(dir, 'secret'))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `Cannot read "${join(dir, 'secret')}": permission denied`,
    })
  })
})

describe('writeAtomic()', () => {
  it('makes folders, sets the mode and leaves nothing else', async () => {
    const path = join(dir, 'a', 'b', 'file')
    await fs.writeAtomic(path, 'one', { mode: 0o600 })
    await fs.writeAtomic(path, 'two', { mode: 0o600 })
    expect(await readFile(path, 'utf8')).toBe('two')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(join(dir, 'a', 'b'))).toEqual(['file'])
  })

  it('keeps the old file and no part of the new one when it fails', async () => {
    const path = join(dir, 'target')
    await mkdir(join(path, 'full'), { recursive: true })
    await expect(fs.writeAtomic(path, 'text')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `Cannot write "${path}": a folder is in its place`,
      hint: `Move it away: mv ${path} ${path}.old`,
    })
    expect(await readdir(dir)).toEqual(['target'])
  })

  it('replaces a link, and leaves what it pointed at as it was', async () => {
    await writeFile(join(dir, 'mine'), 'mine')
    await symlink(join(dir, 'mine'), join(dir, 'link'))
    await fs.writeAtomic(join(dir, 'link'), 'new')
    expect([await readFile(join(dir, 'mine'), 'utf8'), await readFile(join(dir, 'link'), 'utf8')]).toEqual([
      'mine',
      'new',
    ])
  })

  it('says when a part of the path is a file', async () => {
    await writeFile(join(dir, 'file'), '')
    await expect(fs.writeAtomic(join(dir, 'file', 'x'), '')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(fs.mkdir(join(dir, 'file', 'x'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(fs.mkdir(join(dir, 'file'))).rejects.toMatchObject({
      message: `Cannot write "${join(dir, 'file')}": something else is in its place`,
    })
  })
})

describe('writeStream()', () => {
  async function* chunks(count: number): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < count; i++) yield new Uint8Array(10)
  }

  it('stops at the limit and leaves no file', async () => {
    const path = join(dir, 'upload')
    await expect(fs.writeStream(path, chunks(100), { maxBytes: 25 })).rejects.toMatchObject({
      code: 'REQUEST_TOO_LARGE',
    })
    expect(await readdir(dir)).toEqual([])
    expect(await fs.writeStream(path, chunks(2), { maxBytes: 20 })).toBe(20)
  })

  it('never writes over a file', async () => {
    await writeFile(join(dir, 'there'), 'mine')
    await expect(fs.writeStream(join(dir, 'there'), chunks(1))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(await readFile(join(dir, 'there'), 'utf8')).toBe('mine')
  })

  it('leaves no file when the source breaks off', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10)
      throw new Error('gone')
    }
    await expect(fs.writeStream(join(dir, 'x'), broken())).rejects.toThrow('gone')
    expect(await readdir(dir)).toEqual([])
  })
})

describe('remove()', () => {
  it('removes a link and not what it points at', async () => {
    await mkdir(join(dir, 'data'))
    await writeFile(join(dir, 'data', 'file'), 'x')
    await symlink(join(dir, 'data'), join(dir, 'link'))
    await fs.remove(join(dir, 'link'))
    expect(await readdir(dir)).toEqual(['data'])
    expect(await readdir(join(dir, 'data'))).toEqual(['file'])
  })

  it.skipIf(isRoot)('says that it is not permitted to', async () => {
    await mkdir(join(dir, 'fixed'))
    await writeFile(join(dir, 'fixed', 'x'), '')
    await chmod(join(dir, 'fixed'), 0o500)
    await expect(fs.remove(join(dir, 'fixed'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await chmod(join(dir, 'fixed'), 0o700)
  })
})

it('watching ends with the folder, without an error', async () => {
  const folder = join(dir, 'watched')
  await mkdir(folder)
  const changed = new Promise<void>((resolve) => {
    const stop = fs.watch(folder, () => {
      stop()
      resolve()
    })
  })
  await rm(folder, { recursive: true })
  await changed
})

describe('systemError()', () => {
  const failure = (code: string) => Object.assign(new Error(`${code}: raw text`), { code })

  it.each(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'EISDIR', 'EMFILE', 'ENOENT', 'EIO'])('%s', (code) => {
    const error = systemError('write', '/a b/c', failure(code)) as Error & { code: string; hint: string }
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toMatch(/^Cannot write "\/a b\/c": \w/)
    expect(error.message).not.toContain('raw text')
    expect(error.hint).not.toBe('')
  })

  it('quotes paths in hints, since they are there to be run', () => {
    const error = systemError('read', "/a'; rm -rf x", failure('EACCES')) as { hint: string }
    expect(error.hint).toBe(`Run: ls -ld '/a'\\''; rm -rf x', and give yourself access`)
  })

  it('leaves everything else alone', () => {
    for (const error of [failure('EUNHEARD'), new Error('x'), null, failure('constructor')]) {
      expect(systemError('read', '/x', error)).toBe(error)
    }
  })
})
