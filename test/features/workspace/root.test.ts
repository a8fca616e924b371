/** Where the workspace is. */
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findWorkspaceRoot } from '../../../src/features/workspace/index.ts'
import { createFileSystem } from '../../../src/platform/files.ts'

let dir: string
const find = (cwd: string, flag?: string, env?: string): Promise<string> =>
  findWorkspaceRoot(createFileSystem(), { cwd, flag, env })

beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'ploinky-test-root-')))
  await mkdir(join(dir, 'a', 'b', 'c'), { recursive: true })
})
afterEach(() => rm(dir, { recursive: true, force: true }))

it('is the nearest folder above that holds .ploinky, else the current one', async () => {
  const inner = join(dir, 'a', 'b', 'c')
  expect(await find(inner)).toBe(inner)
  await mkdir(join(dir, '.ploinky'))
  expect(await find(inner)).toBe(dir)
  await mkdir(join(dir, 'a', 'b', '.ploinky'))
  expect(await find(inner)).toBe(join(dir, 'a', 'b'))
})

it('is not where .ploinky is a file or a link that leads nowhere', async () => {
  await mkdir(join(dir, '.ploinky'))
  await writeFile(join(dir, 'a', '.ploinky'), '')
  await symlink('/nowhere', join(dir, 'a', 'b', '.ploinky'))
  expect(await find(join(dir, 'a', 'b', 'c'))).toBe(dir)
})

it('is what a person names: the flag before the environment, by its real path', async () => {
  await symlink(join(dir, 'a'), join(dir, 'link'))
  expect(await find(dir, 'link', join(dir, 'a', 'b'))).toBe(join(dir, 'a'))
  expect(await find(dir, undefined, join(dir, 'a', 'b'))).toBe(join(dir, 'a', 'b'))
  expect(await find(join(dir, 'a'), undefined, '')).toBe(join(dir, 'a'))
})

it.each([
  ['nothing/here', 'No such folder', 'Create it: mkdir -p nothing/here'],
  ['file', 'Not a folder', 'Name a folder that exists'],
  ['file/below', 'No such folder', 'Create it: mkdir -p file/below'],
  ['x; reboot', 'No such folder', 'Name a folder that exists'],
  ['$(id)', 'No such folder', 'Name a folder that exists'],
])('%j is refused with a hint that can be run', async (flag, message, hint) => {
  await writeFile(join(dir, 'file'), '')
  await expect(find(dir, flag)).rejects.toMatchObject({
    code: 'WORKSPACE_NOT_FOUND',
    message: `${message}: ${JSON.stringify(flag)}`,
    hint,
  })
})
