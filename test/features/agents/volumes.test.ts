/** Folders and files of volumes: made, given their modes, and never outside of the workspace. */
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Volume } from '../../../src/config/manifest/index.ts'
import { prepareMountPoints, prepareVolumes } from '../../../src/features/agents/volumes.ts'
import { createFileSystem } from '../../../src/platform/files.ts'

let dir: string
let root: string
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'ploinky-test-volumes-')))
  root = join(dir, 'ws')
  await mkdir(root)
})
afterEach(() => rm(dir, { recursive: true, force: true }))

function prepare(path: string, change: Partial<Volume> = {}): Promise<void> {
  const volume: Volume = {
    ...{ host: path, key: null, target: '/x', readOnly: false, chmod: null, worldWritable: [], path: 'volumes.x' },
    ...{ generated: false, required: false },
    ...change,
  }
  const mount = { source: join(root, path), target: '/x', readOnly: false, from: 'volumes.x', volume }
  return prepareVolumes({ fs: createFileSystem(), root, agent: 'a' }, [mount])
}
const modeOf = async (path: string): Promise<number> => (await stat(join(root, path))).mode & 0o777

it('makes a folder, or a file where the name has an extension', async () => {
  await prepare('data/deep', { chmod: 0o750, worldWritable: ['in/out'] })
  await prepare('etc/app.conf')
  expect((await stat(join(root, 'data/deep'))).isDirectory()).toBe(true)
  expect((await stat(join(root, 'etc/app.conf'))).isFile()).toBe(true)
  expect([await modeOf('data/deep'), await modeOf('data/deep/in/out')]).toEqual([0o750, 0o777])
})

it('leaves alone what is there', async () => {
  await writeFile(join(root, 'app.conf'), 'mine')
  await prepare('app.conf')
  expect((await stat(join(root, 'app.conf'))).size).toBe(4)
})

it('does not make what is required, or what somebody else writes', async () => {
  await expect(prepare('a', { required: true })).rejects.toThrow('volumes.x: ')
  await expect(prepare('a', { generated: true })).rejects.toThrow('nothing has written it yet')
  await writeFile(join(root, 'a'), '')
  await prepare('a', { required: true, generated: true })
})

it('follows no link out of the workspace', async () => {
  await mkdir(join(dir, 'outside'))
  await symlink(join(dir, 'outside'), join(root, 'link'))
  await expect(prepare('link')).rejects.toThrow('leads out of the workspace')
  await expect(prepare('link/new/folder')).rejects.toThrow('leads out of the workspace')
  await mkdir(join(root, 'data'))
  await symlink('../../outside', join(root, 'data/sub'))
  await expect(prepare('data', { worldWritable: ['sub/x'] })).rejects.toThrow('leads out of the workspace')
  expect((await stat(join(dir, 'outside'))).mode & 0o777).not.toBe(0o777)
})

it('a link that stays inside is fine', async () => {
  await mkdir(join(root, 'real'))
  await symlink('real', join(root, 'alias'))
  await prepare('alias/x')
  expect((await stat(join(root, 'real/x'))).isDirectory()).toBe(true)
})

describe('the place of a mount below another one', () => {
  const points = (...mounts: [source: string, target: string][]): Promise<void> =>
    prepareMountPoints(
      createFileSystem(),
      mounts.map(([source, target]) => ({ source: join(root, source), target, readOnly: true })),
    )

  it('is made in the source of that one: a folder, or a file for a file', async () => {
    await mkdir(join(root, 'code'))
    await mkdir(join(root, 'data'))
    await writeFile(join(root, 'app.conf'), 'x')
    await points(['code', '/code'], ['data', '/code/a/data'], ['app.conf', '/code/etc/app.conf'], ['data', '/codex'])
    expect((await stat(join(root, 'code/a/data'))).isDirectory()).toBe(true)
    expect(await readFile(join(root, 'code/etc/app.conf'), 'utf8')).toBe('')
    expect(await readdir(join(root, 'code'))).toEqual(['a', 'etc'])
  })

  it('is that of the innermost one, and what is there stays', async () => {
    for (const folder of ['code', 'inner', 'data']) await mkdir(join(root, folder))
    await writeFile(join(root, 'inner/kept'), 'x')
    await points(['code', '/code'], ['inner', '/code/in'], ['data', '/code/in/data'], ['data', '/code/in/kept'])
    expect((await readdir(join(root, 'inner'))).sort()).toEqual(['data', 'kept'])
    expect(await readdir(join(root, 'code/in'))).toEqual([])
  })

  it('is never made through a link that leads out', async () => {
    const outside = join(dir, 'outside')
    for (const folder of ['code', 'data']) await mkdir(join(root, folder))
    await mkdir(outside)
    await symlink(outside, join(root, 'code/out'))
    await symlink(join(outside, 'none'), join(root, 'code/nowhere'))
    await points(['code', '/code'], ['data', '/code/out/x'], ['data', '/code/nowhere'], ['data', '/code/nowhere/y'])
    expect(await readdir(outside)).toEqual([])
  })
})
