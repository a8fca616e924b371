import { expect, it } from 'vitest'
import { isOwnerGone, ownerOf } from '../../../runtimes/cli/owner.ts'
import { createPlatform } from '../../../src/platform/create.ts'

const platform = createPlatform()

it('a process that runs is there', async () => {
  expect(await isOwnerGone(platform, await ownerOf(platform))).toBe(false)
})

it('a process that ended, and one whose number belongs to another by now, are gone', async () => {
  const [host, pid] = (await ownerOf(platform)).split(' ')
  expect(await isOwnerGone(platform, `${host} 2147483647 1`)).toBe(true)
  expect(await isOwnerGone(platform, `${host} ${pid} 1`)).toBe(true)
})

it.each(['', 'elsewhere 1 1', 'nonsense', '  '])('nobody is declared gone by %j', async (owner) => {
  expect(await isOwnerGone(platform, owner)).toBe(false)
})

it.each(['0 1', '-1 1', 'x 1', '99999999999 1'])('nor by the number of no process: %s', async (rest) => {
  expect(await isOwnerGone(platform, `${platform.os.hostname} ${rest}`)).toBe(false)
})
