/** Archives that somebody else made: what is written is checked, and what is not welcome leaves nothing outside. */
import { mkdtemp, readdir, readFile, readlink, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ArchiveLimits, ARCHIVE_LIMITS, unpack } from '../../../src/features/repos/archive.ts'
import { createFileSystem } from '../../../src/platform/files.ts'
import { tar, tgz, zip } from '../../helpers/repositories.ts'

let dir: string
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'ploinky-test-archive-')))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function unpacked(bytes: Buffer, limits: ArchiveLimits = ARCHIVE_LIMITS): Promise<string> {
  const file = join(dir, 'archive')
  await writeFile(file, bytes)
  return await unpack(file, join(dir, 'out/tree'), { fs: createFileSystem(), limits })
}
const tree = async (root: string): Promise<string[]> => (await readdir(root, { recursive: true })).sort()

/** Nothing but the archive and its own folder came into being. */
async function nothingOutside(): Promise<void> {
  expect((await readdir(dir)).filter((name) => !['archive', 'out'].includes(name))).toEqual([])
  expect((await readdir(join(dir, 'out'))).filter((name) => name !== 'tree')).toEqual([])
}

const manifest = { name: 'hello/manifest.json', data: '{}' }

describe('unpack()', () => {
  it.each([
    ['tar', tar([{ name: 'hello/', type: '5' }, manifest, { name: 'hello/run.sh', data: '#!', mode: 0o4755 }])],
    [
      'tgz',
      tgz([
        { name: './hello/manifest.json', data: '{}' },
        { name: './hello/run.sh', data: '#!', mode: 0o755 },
      ]),
    ],
    [
      'zip',
      zip([
        { name: 'hello/', mode: 0o040755 },
        { ...manifest, packed: deflateRawSync('{}') },
        { name: 'hello/run.sh', data: '#!', mode: 0o100755 },
      ]),
    ],
  ])('%s', async (_, bytes) => {
    const root = await unpacked(bytes)
    expect(await tree(root)).toEqual(['hello', 'hello/manifest.json', 'hello/run.sh'])
    expect(await readFile(join(root, 'hello/manifest.json'), 'utf8')).toBe('{}')
    expect((await stat(join(root, 'hello/run.sh'))).mode & 0o7777).toBe(0o755)
    expect((await stat(join(root, 'hello/manifest.json'))).mode & 0o7777).toBe(0o644)
  })

  it('takes the one folder that everything is in for the repository, unless it is an agent or skills', async () => {
    expect(await unpacked(tar([{ name: 'Basic-main/hello/manifest.json' }]))).toBe(join(dir, 'out/tree/Basic-main'))
    await rm(join(dir, 'out'), { recursive: true })
    expect(await unpacked(tar([manifest]))).toBe(join(dir, 'out/tree'))
    await rm(join(dir, 'out'), { recursive: true })
    expect(await unpacked(tar([{ name: 'skills/x/SKILL.md' }]))).toBe(join(dir, 'out/tree'))
  })

  it('reads long names, as pax and as GNU write them', async () => {
    const long = `hello/${'x'.repeat(150)}`
    const record = ` path=${long}\n`
    const length = record.length + 3
    const pax = { name: 'pax', type: 'x', data: `${length}${record}` }
    const root = await unpacked(tar([pax, { name: 'cut', data: 'pax' }, manifest]))
    expect(await readFile(join(root, long), 'utf8')).toBe('pax')
    await rm(join(dir, 'out'), { recursive: true })
    const again = await unpacked(
      tar([{ name: '././@LongLink', type: 'L', data: `${long}\0` }, { name: 'cut' }, manifest]),
    )
    expect(await tree(again)).toContain(long)
  })

  it('leaves out the clone of whoever made it: git would run its hooks', async () => {
    const root = await unpacked(
      tar([{ name: '.git/config' }, { name: 'hello/.GIT/hooks/post-checkout', mode: 0o755 }, manifest]),
    )
    expect(await tree(root)).toEqual(['hello', 'hello/manifest.json'])
  })

  it('keeps links that stay within', async () => {
    const root = await unpacked(tar([manifest, { name: 'other', type: '2', target: 'hello/../hello' }]))
    expect(await readlink(join(root, 'other'))).toBe('hello/../hello')
    await rm(join(dir, 'out'), { recursive: true })
    const again = await unpacked(zip([manifest, { name: 'other', data: 'hello', mode: 0o120777 }]))
    expect(await readlink(join(again, 'other'))).toBe('hello')
  })
})

describe('refuses', () => {
  const deep = [
    { name: 'r/f' },
    { name: 'a/b/c/f' },
    { name: 'a/b/c/x', type: '2', target: '../../../r' },
    // By its text it leads to "a", by the file system out of the archive.
    { name: 'a/b/c/y', type: '2', target: 'x/../../..' },
  ]
  it.each<[string, Buffer]>([
    ['a way up', tar([{ name: '../evil' }])],
    ['a way up in the middle', tar([{ name: 'a/../../evil' }])],
    ['an absolute name', tar([{ name: '/tmp/ploinky-evil' }])],
    ['a backslash', zip([{ name: '..\\evil' }])],
    ['a control character', tar([{ name: 'a\nb' }])],
    ['a way up in a zip', zip([{ name: '../evil' }])],
    ['an absolute name in a zip', zip([{ name: '/tmp/ploinky-evil' }])],
    ['a device', tar([{ name: 'dev', type: '3' }])],
    ['a block device', tar([{ name: 'dev', type: '4' }])],
    ['a pipe', tar([{ name: 'pipe', type: '6' }])],
    ['a device in a zip', zip([{ name: 'dev', mode: 0o020666 }])],
    ['a hard link', tar([{ name: 'hard', type: '1', target: '/etc/passwd' }])],
    ['a sparse file', tar([{ name: 'sparse', type: 'S' }])],
    ['an unknown type', tar([{ name: 'odd', type: 'Z' }])],
    ['a link out', tar([{ name: 'link', type: '2', target: '../../x' }])],
    ['an absolute link', tar([{ name: 'link', type: '2', target: '/etc' }])],
    ['a link out in a zip', zip([{ name: 'link', data: '../..', mode: 0o120777 }])],
    ['a link to nowhere', tar([manifest, { name: 'link', type: '2', target: 'missing' }])],
    ['a link that leads out by way of another', tar(deep)],
    ['a link below such a link', tar([...deep, { name: 'a/b/c/y/evil', type: '2', target: '.' }])],
    ['a link in place of a folder', tar([{ name: 'd/f' }, { name: 'd', type: '2', target: '.' }])],
    ['the same name twice', tar([manifest, manifest])],
    ['a file where a folder is', tar([{ name: 'a' }, { name: 'a/b' }])],
    ['a size that is not there', tar([{ name: 'a', size: 4096 }])],
    ['a negative size', tar([{ name: 'x', type: 'x', data: '10 size=-1' }, { name: 'a' }])],
    ['too deep a path', tar([{ name: 'a/'.repeat(45) }])],
    ['an end in the middle', tgz([manifest]).subarray(0, 60)],
    ['no end', tar([manifest]).subarray(0, 1024)],
    ['noise', Buffer.from('x'.repeat(2000))],
    ['nothing', Buffer.alloc(0)],
    ['a damaged header', Buffer.from(tar([manifest]).fill('9', 0, 4))],
    ['an encrypted zip', zip([{ name: 'a', flags: 1 }])],
    ['a zip with a wrong check sum', zip([{ name: 'a', data: 'b', crc: 1 }])],
    ['a zip that holds more than it says', zip([{ name: 'a', data: 'b', packed: deflateRawSync('bbbb') }])],
    ['a zip without its directory', zip([manifest]).subarray(0, 40)],
    [
      'a name that is not UTF-8',
      Buffer.from(
        tar([{ name: 'a\u00e9' }])
          .toString('latin1')
          .replace('Ã©', '\u00e9\u00e9'),
        'latin1',
      ),
    ],
  ])('%s', async (_, bytes) => {
    await expect(unpacked(bytes)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:ARCHIVE|CONFIG)_INVALID$/) as string,
    })
    await nothingOutside()
  })

  it('bombs, before they are unpacked', async () => {
    const limits = { files: 10, bytes: 100_000 }
    const zeros = '\0'.repeat(1_000_000)
    const announced = unpacked(tgz([{ name: 'bomb', data: zeros }]), limits)
    await expect(announced).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      message: expect.stringContaining('100000 bytes') as string,
    })
    // One that lies about its size ends at the size that it announced.
    await rm(join(dir, 'out'), { recursive: true, force: true })
    const lying = zip([{ name: 'bomb', data: zeros, packed: deflateRawSync(zeros), size: 10 }])
    await expect(unpacked(lying, limits)).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' })
    expect(await tree(join(dir, 'out/tree'))).toEqual([])
    await rm(join(dir, 'out'), { recursive: true, force: true })
    const many = tar(Array.from({ length: 11 }, (_, index) => ({ name: `f${index}` })))
    await expect(unpacked(many, limits)).rejects.toMatchObject({
      message: expect.stringContaining('10 entries') as string,
    })
    // Gzip in which nothing ever comes: headers of empty names.
    await rm(join(dir, 'out'), { recursive: true, force: true })
    await expect(unpacked(gzipSync(Buffer.alloc(1_000_000, 'x')), limits)).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
    })
  })
})
