/** The spawner's streams: whoever reads late gets everything, whoever never reads still learns the end. */
import { expect, it } from 'vitest'
import { createProcesses } from '../../src/platform/processes.ts'

const processes = createProcesses()
const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}
async function sizeOf(source: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0
  for await (const chunk of source) size += chunk.byteLength
  return size
}

it('gives a late reader all of the output, also after the program ended', async () => {
  const child = processes.stream({ file: 'sh', args: ['-c', 'printf out; printf err >&2'] })
  expect(await child.exit).toBe(0)
  await turns(20)
  expect([await sizeOf(child.stdout), await sizeOf(child.stderr)]).toEqual([3, 3])
})

it('loses nothing of 20 MB that is read after many turns', async () => {
  const child = processes.stream({ file: 'sh', args: ['-c', 'head -c 20000000 /dev/zero'] })
  await turns(50)
  expect(await sizeOf(child.stdout)).toBe(20_000_000)
  expect(await child.exit).toBe(0)
})

it('tells the exit code and the signal of a program that nobody reads', async () => {
  expect(await processes.stream({ file: 'sh', args: ['-c', 'echo unread; exit 7'] }).exit).toBe(7)
  const killed = processes.stream({ file: 'sleep', args: ['100000'] })
  killed.kill('SIGKILL')
  expect(await killed.exit).toBe(137)
})

it('says so when the program does not exist', async () => {
  const missing = processes.stream({ file: 'ploinky-no-such-program', args: [] })
  await expect(missing.exit).rejects.toMatchObject({ code: 'RUNTIME_UNAVAILABLE' })
})

it('gives standard input as it is: nothing when there is none', async () => {
  const none = processes.stream({ file: 'cat', args: [] })
  expect(await sizeOf(none.stdout)).toBe(0)
  const some = processes.stream({ file: 'cat', args: [] }, { stdin: 'ignore' })
  expect(await sizeOf(some.stdout)).toBe(6)
})
