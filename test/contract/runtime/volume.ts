/** Host folders in the instance. */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Contract } from '../runtime.ts'
import { failure } from './kit.ts'

const sh = (text: string, ...args: string[]): string[] => ['sh', '-c', text, 'volume', ...args]

export function volumeCases(contract: Contract): void {
  contract('a writable mount is written, a read-only mount is not', async ({ start, exec, folder }) => {
    const [rw, ro] = [join(folder, 'rw'), join(folder, 'ro')]
    await Promise.all([rw, ro].map((path) => mkdir(path, { mode: 0o777 })))
    await writeFile(join(ro, 'given.txt'), 'from the host')
    const { name } = await start({
      mounts: [
        { source: rw, target: '/data/rw', readOnly: false },
        { source: ro, target: '/data/ro', readOnly: true },
      ],
    })
    expect((await exec(name, ['cat', '/data/ro/given.txt'])).stdout).toBe('from the host')
    expect((await exec(name, sh('echo "$1" >/data/rw/made.txt', 'from inside'))).code).toBe(0)
    expect(await readFile(join(rw, 'made.txt'), 'utf8')).toBe('from inside\n')
    expect((await exec(name, sh(': >/data/ro/made.txt'))).code).not.toBe(0)
    expect((await exec(name, ['rm', '/data/ro/given.txt'])).code).not.toBe(0)
    expect(await readFile(join(ro, 'given.txt'), 'utf8')).toBe('from the host')
    // A bug would remount; the flag of the mount itself says it too.
    expect((await exec(name, sh("grep ' /data/ro ' /proc/mounts"))).stdout).toMatch(/ \/data\/ro \S+ ro[, ]/)
  })

  contract('a mount may have an odd name', async ({ start, exec, folder }) => {
    const source = join(folder, `odd, "name" 'of' a=folder 🦀`)
    await mkdir(source)
    await writeFile(join(source, 'given.txt'), 'found')
    const { name } = await start({ mounts: [{ source, target: '/data/odd, "target"', readOnly: true }] })
    expect((await exec(name, ['cat', '/data/odd, "target"/given.txt'])).stdout).toBe('found')
  })

  contract('a single file can be mounted', async ({ start, exec, folder }) => {
    const source = join(folder, 'one.txt')
    await writeFile(source, 'one file')
    const { name } = await start({ mounts: [{ source, target: '/data/one.txt', readOnly: true }] })
    expect((await exec(name, ['cat', '/data/one.txt'])).stdout).toBe('one file')
  })

  contract('a file cannot take the place of a folder', async ({ adapter, spec, folder, workspace }) => {
    const source = join(folder, 'one.txt')
    await writeFile(source, 'one file')
    const mounts = [{ source, target: '/etc', readOnly: true }]
    const error = await failure(adapter.apply(spec({ mounts })), 'CONFIG_INVALID')
    expect(error.hint).toBeTruthy()
    expect(await adapter.list({ workspace })).toEqual([])
  })

  contract(
    'a mount without a source is an error, and no folder appears',
    async ({ adapter, spec, folder, workspace }) => {
      const source = join(folder, 'not-there')
      const mounts = [{ source, target: '/data', readOnly: true }]
      const error = await failure(adapter.apply(spec({ mounts })), 'CONFIG_INVALID')
      expect(error.message).toContain(source)
      await expect(stat(source)).rejects.toThrow()
      expect(await adapter.list({ workspace })).toEqual([])
    },
  )
}
