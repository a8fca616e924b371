import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createBlobService } from '../../../src/features/blobs/index.ts'
import { createFileSystem } from '../../../src/platform/files.ts'
import { hashing } from '../../../src/platform/hashing.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ploinky-test-blobs-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const service = (maxBytes = 1000) => createBlobService({ fs: createFileSystem(), hash: hashing, dir, maxBytes })
async function* bytes(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield new TextEncoder().encode(chunk)
}

describe('upload', () => {
  it('stores the bytes, their hash and a description', async () => {
    const meta = await service().upload({
      body: bytes('hello ', 'world'),
      filename: 'a.txt',
      mime: 'text/plain; charset=utf-8',
    })
    expect(meta).toMatchObject({
      filename: 'a.txt',
      mime: 'text/plain; charset=utf-8',
      size: 11,
      sha256: createHash('sha256').update('hello world').digest('hex'),
    })
    expect(meta.id).toMatch(/^[0-9a-f]{48}$/)
    expect((await readdir(dir)).sort()).toEqual([meta.id, `${meta.id}.json`])
    expect(await readFile(service().pathOf(meta), 'utf8')).toBe('hello world')
    expect((await stat(join(dir, meta.id))).mode & 0o077).toBe(0)
    expect(await service().get(meta.id)).toEqual(meta)
  })
  it('takes an empty file', async () => {
    expect((await service().upload({ body: bytes() })).size).toBe(0)
  })
  it('refuses a declared size above the limit before it reads', async () => {
    let read = false
    const body = (async function* () {
      read = true
      yield new Uint8Array(1)
    })()
    await expect(service(10).upload({ body, declaredSize: 11 })).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' })
    expect([read, await readdir(dir)]).toEqual([false, []])
  })
  it('cuts an undeclared one at the limit and leaves nothing', async () => {
    await expect(service(10).upload({ body: bytes('12345', '67890', 'x') })).rejects.toMatchObject({
      code: 'REQUEST_TOO_LARGE',
      message: 'Blob too large: at most 10 bytes',
    })
    expect(await readdir(dir)).toEqual([])
    expect((await service(10).upload({ body: bytes('12345', '67890') })).size).toBe(10)
  })
  it('leaves nothing of an upload that breaks or is short', async () => {
    const broken = (async function* () {
      yield new Uint8Array(3)
      throw new Error('connection lost')
    })()
    await expect(service().upload({ body: broken })).rejects.toThrow('connection lost')
    await expect(service().upload({ body: bytes('abc'), declaredSize: 5 })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    })
    expect(await readdir(dir)).toEqual([])
  })
  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\me\\notes.txt', 'notes.txt'],
    ['..', 'blob'],
    ['', 'blob'],
    ['a\u0000b\r\nc.txt', 'abc.txt'],
    ['gpj.\u202eexe', 'gpj.exe'],
    ['\ud83d\ude00'.repeat(300), '\ud83d\ude00'.repeat(200)],
    ['lone\ud800.txt', 'lone.txt'],
  ])('keeps of the name %j only %j', async (given, kept) => {
    const meta = await service().upload({ body: bytes('x'), filename: given })
    expect((await service().get(meta.id)).filename).toBe(kept)
  })
  it.each(['text', 'text/html\r\nX-Evil: 1', 'a/b; c', '<script>/x', `text/${'a'.repeat(300)}`])(
    'refuses the type %j',
    async (mime) => {
      await expect(service().upload({ body: bytes('x'), mime })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    },
  )
})

describe('what is stored', () => {
  it.each(['..', '../x', 'A'.repeat(48), 'a'.repeat(47), `${'a'.repeat(48)}/..`, ''])(
    'refuses the id %j',
    async (id) => {
      await expect(service().get(id)).rejects.toMatchObject({ code: 'NAME_INVALID' })
      await expect(service().remove(id)).rejects.toMatchObject({ code: 'NAME_INVALID' })
    },
  )
  it('is listed, deleted once, and then not found', async () => {
    const blobs = service()
    const [one, two] = [await blobs.upload({ body: bytes('1') }), await blobs.upload({ body: bytes('2') })]
    expect((await blobs.list()).blobs.map(({ id }) => id).sort()).toEqual([one.id, two.id].sort())
    await blobs.remove(one.id)
    await expect(blobs.get(one.id)).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' })
    await expect(blobs.remove(one.id)).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' })
    expect((await readdir(dir)).sort()).toEqual([two.id, `${two.id}.json`])
  })
  it('is an empty list while the folder does not exist', async () => {
    await rm(dir, { recursive: true })
    expect(await service().list()).toEqual({ blobs: [], unreadable: [] })
    expect(await service().sweep()).toEqual([])
  })
  it('is reported, and can be deleted, when its description is broken', async () => {
    const blobs = service()
    const meta = await blobs.upload({ body: bytes('x') })
    for (const text of [
      '{"id":',
      '{}',
      JSON.stringify({ ...meta, id: 'b'.repeat(48) }),
      JSON.stringify({ ...meta, size: 9 }),
    ]) {
      await writeFile(join(dir, `${meta.id}.json`), text)
      await expect(blobs.get(meta.id)).rejects.toMatchObject({ code: 'STATE_INVALID', details: { id: meta.id } })
      expect(await blobs.list()).toEqual({ blobs: [], unreadable: [meta.id] })
    }
    await blobs.remove(meta.id)
    expect(await readdir(dir)).toEqual([])
  })
  it('is not served through a link', async () => {
    const meta = await service().upload({ body: bytes('x') })
    await writeFile(join(dir, 'y'), 'y')
    await rm(join(dir, meta.id))
    await symlink(join(dir, 'y'), join(dir, meta.id))
    await expect(service().get(meta.id)).rejects.toMatchObject({ code: 'STATE_INVALID' })
  })
})

it('sweeps what a crash left, and nothing else', async () => {
  const meta = await service().upload({ body: bytes('x') })
  const [half, orphan] = ['a'.repeat(48), 'b'.repeat(48)]
  await writeFile(join(dir, `${half}.upload`), 'half')
  await writeFile(join(dir, orphan), 'no description')
  await writeFile(join(dir, 'README'), 'of a person')
  await mkdir(join(dir, 'folder'))
  expect((await service().sweep()).sort()).toEqual([`${half}.upload`, orphan])
  expect((await readdir(dir)).sort()).toEqual(['README', meta.id, `${meta.id}.json`, 'folder'].sort())
})
