/** Files into and out of instances. */
import { chmod, lstat, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { RuntimeAdapter } from '../../../runtimes/adapter.ts'
import type { Contract } from '../runtime.ts'
import { collect, decode, failure, within, type Scope } from './kit.ts'
import { createMemoryWatch } from './memory.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

async function* chunks(...parts: (Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part
    yield part
  }
}

/** An instance whose /data is a folder of the host, where there are mounts. */
async function withData({ start, folder }: Scope, readOnly = false) {
  const data = join(folder, 'data')
  await mkdir(data)
  await chmod(data, 0o777)
  const { name } = await start({ mounts: [{ source: data, target: '/data', readOnly }] })
  return { name, data }
}

interface Giving {
  name: string
  path: string
  content: string | Uint8Array
  overwrite?: boolean
}

function give({ files }: RuntimeAdapter, { name, path, content, overwrite = false }: Giving) {
  const bytes = typeof content === 'string' ? encode(content) : content
  return within(
    files.write(name, { path, size: bytes.byteLength, bytes: chunks(bytes), overwrite }),
    `write of ${path}`,
  )
}

async function take({ files }: RuntimeAdapter, name: string, path: string): Promise<Uint8Array> {
  const content = await within(files.read(name, path), `head of ${path}`)
  const bytes = await within(collect(content.bytes), `bytes of ${path}`)
  expect(bytes.byteLength).toBe(content.size)
  return bytes
}

const NAMES = [
  'plain.txt',
  'with space',
  '-rf',
  '--',
  'ünïcödé 🦀 名前',
  'new\nline',
  `quo'te" $(x) \`y\` ;&|*?`,
  '...',
  '.hidden',
  'n'.repeat(150),
  '81a4 5 0 .',
  'back\\slash',
]

function small(contract: Contract): void {
  contract('files: what is written is read and listed again, whatever its name', async (scope) => {
    const { adapter } = scope
    const { name } = await withData(scope)
    await give(adapter, { name, path: '/data/none', content: '' })
    for (const [index, file] of NAMES.entries()) {
      const content = new Uint8Array([index, 0, 255, 254, 10, 13, index])
      expect(await give(adapter, { name, path: `/data/${file}`, content })).toEqual({
        path: `/data/${file}`.replace('/data', scope.capabilities.bindMounts ? '/data' : join(scope.folder, 'data')),
        replaced: false,
      })
      expect(await take(adapter, name, `/data/${file}`), file).toEqual(content)
    }
    expect((await take(adapter, name, '/data/none')).byteLength).toBe(0)
    const { entries, truncated } = await adapter.files.list(name, '/data')
    expect(truncated).toBe(false)
    expect(entries.map((entry) => entry.name).sort()).toEqual([...NAMES, 'none'].sort())
    for (const entry of entries) {
      expect(entry.kind, entry.name).toBe('file')
      // A line break in a name hides its size from what lists it.
      if (!entry.name.includes('\n')) expect(entry.size, entry.name).toBe(entry.name === 'none' ? 0 : 7)
    }
    expect((await adapter.files.list(name, '/data', { limit: 3 })).truncated).toBe(true)
    expect((await adapter.files.list(name, '/data', { limit: 3 })).entries).toHaveLength(3)
  })

  contract('files: each mistake has its code', async (scope) => {
    const { adapter } = scope
    const { files } = adapter
    const { name } = await withData(scope)
    await give(adapter, { name, path: '/data/there', content: 'old' })
    await give(adapter, { name, path: '/data/folder/../other', content: 'x' })
    await failure(files.read(name, '/data/missing'), 'FILE_NOT_FOUND')
    await failure(files.list(name, '/data/missing'), 'FILE_NOT_FOUND')
    // A host's agent has nothing but what is in its folders.
    await failure(files.read(name, '/data'), 'REQUEST_INVALID', 'DENIED')
    await failure(files.list(name, '/data/there'), 'REQUEST_INVALID')
    await failure(files.read(name, 'a\0b'), 'REQUEST_INVALID')
    await failure(files.read(name, `/data/${'n'.repeat(300)}`), 'REQUEST_INVALID')
    await failure(give(adapter, { name, path: '/data', content: 'x', overwrite: true }), 'REQUEST_INVALID', 'DENIED')
    await failure(give(adapter, { name, path: '/', content: 'x', overwrite: true }), 'REQUEST_INVALID', 'DENIED')
    await failure(give(adapter, { name, path: '/data/there', content: 'new' }), 'CONFLICT')
    expect(decode(await take(adapter, name, '/data/there'))).toBe('old')
    expect((await give(adapter, { name, path: '/data/there', content: 'newer', overwrite: true })).replaced).toBe(true)
    expect(decode(await take(adapter, name, '/data/there'))).toBe('newer')
    for (const path of ['/proc/1/environ', '/dev/zero', '/sys/kernel', '/data/../proc/self/mem', '/dev']) {
      await failure(files.read(name, path), 'DENIED')
      await failure(files.list(name, path), 'DENIED')
      await failure(give(adapter, { name, path, content: 'x', overwrite: true }), 'DENIED')
    }
  })

  contract('files: a part of a file is never left', async (scope) => {
    const { adapter } = scope
    const { name } = await withData(scope)
    await give(adapter, { name, path: '/data/kept', content: 'kept' })
    const write = (size: number, ...parts: (Uint8Array | Error)[]) =>
      within(adapter.files.write(name, { path: '/data/kept', size, bytes: chunks(...parts), overwrite: true }), 'write')
    await failure(write(10, encode('short')), 'REQUEST_INVALID')
    await failure(write(3, encode('longer')), 'REQUEST_INVALID')
    await expect(write(9, encode('part'), new Error('the sender went away'))).rejects.toThrow('the sender went away')
    expect(decode(await take(adapter, name, '/data/kept'))).toBe('kept')
    expect((await adapter.files.list(name, '/data')).entries.map((entry) => entry.name)).toEqual(['kept'])
  })

  contract('files: an instance that does not run has none', async (scope) => {
    const { adapter } = scope
    const { files } = adapter
    const { name } = await withData(scope)
    await adapter.stop(name, { graceSeconds: 0 })
    await failure(files.read(name, '/data/x'), 'AGENT_NOT_RUNNING')
    await failure(files.list(name, '/data'), 'AGENT_NOT_RUNNING')
    await failure(give(adapter, { name, path: '/data/x', content: 'x' }), 'AGENT_NOT_RUNNING')
    await failure(files.read(`${name}-never`, '/x'), 'WORKLOAD_NOT_FOUND')
  })

  contract('files: links are read, replaced by writes, and lead to no device', async (scope) => {
    const { adapter, capabilities } = scope
    const { name, data } = await withData(scope)
    await writeFile(join(data, 'real'), 'real')
    await symlink('real', join(data, 'link'))
    await symlink('nowhere', join(data, 'broken'))
    await symlink('/dev/zero', join(data, 'device'))
    await symlink('/proc/self', join(data, 'process'))
    await mkdir(join(data, 'sub'))
    await symlink('sub', join(data, 'folder'))
    expect(decode(await take(adapter, name, '/data/link'))).toBe('real')
    await failure(adapter.files.read(name, '/data/broken'), 'FILE_NOT_FOUND')
    await failure(adapter.files.read(name, '/data/device'), 'REQUEST_INVALID', 'DENIED')
    await failure(adapter.files.list(name, '/data/process'), 'DENIED')
    await failure(adapter.files.read(name, '/data/process/mem'), 'DENIED', 'REQUEST_INVALID', 'FILE_NOT_FOUND')
    await failure(give(adapter, { name, path: '/data/process/x', content: 'x' }), 'DENIED', 'FILE_NOT_FOUND')
    await give(adapter, { name, path: '/data/folder/in', content: 'in' })
    expect(await readFile(join(data, 'sub', 'in'), 'utf8')).toBe('in')
    const { entries } = await adapter.files.list(name, '/data')
    expect(Object.fromEntries(entries.map((entry) => [entry.name, entry.kind]))).toEqual({
      ...{ broken: 'symlink', device: 'symlink', folder: 'symlink', link: 'symlink', process: 'symlink' },
      ...{ real: 'file', sub: 'directory' },
    })
    await failure(give(adapter, { name, path: '/data/link', content: 'new' }), 'CONFLICT')
    await give(adapter, { name, path: '/data/link', content: 'new', overwrite: true })
    expect((await lstat(join(data, 'link'))).isFile()).toBe(true)
    expect(await readFile(join(data, 'real'), 'utf8')).toBe('real')
    if (capabilities.isolation) return
    // The host's own files are nobody's business.
    await symlink('/etc/passwd', join(data, 'escape'))
    await symlink('/etc', join(data, 'etc'))
    await symlink(scope.folder, join(data, 'up'))
    for (const path of ['/etc/passwd', '/data/../etc/passwd', '/data/escape', '/data/etc/passwd', '../x'])
      await failure(adapter.files.read(name, path), 'DENIED', 'FILE_NOT_FOUND')
    await failure(adapter.files.list(name, '/data/up'), 'DENIED')
    await failure(give(adapter, { name, path: '/data/up/x', content: 'x' }), 'DENIED')
    expect(await readdir(scope.folder)).not.toContain('x')
    expect(await readlink(join(data, 'up'))).toBe(scope.folder)
  })

  contract('files: what is mounted to be read is not written', async (scope) => {
    const { adapter } = scope
    const { name, data } = await withData(scope, true)
    await writeFile(join(data, 'given'), 'given')
    expect(decode(await take(adapter, name, '/data/given'))).toBe('given')
    await failure(give(adapter, { name, path: '/data/given', content: 'x', overwrite: true }), 'DENIED')
    await failure(give(adapter, { name, path: '/data/new', content: 'x' }), 'DENIED')
    expect(await readdir(data)).toEqual(['given'])
  })

  contract('files: the replaced file keeps its mode, a new one is readable', async (scope) => {
    const { adapter } = scope
    const { name, data } = await withData(scope)
    await give(adapter, { name, path: '/data/tool', content: 'one' })
    expect((await stat(join(data, 'tool'))).mode & 0o777).toBe(0o644)
    await scope.exec(name, ['sh', '-c', 'chmod 755 "$1"', 'x', inData(scope, 'tool')])
    await give(adapter, { name, path: '/data/tool', content: 'two', overwrite: true })
    expect((await stat(join(data, 'tool'))).mode & 0o777).toBe(0o755)
    expect(await readFile(join(data, 'tool'), 'utf8')).toBe('two')
  })

  contract('files: memory file systems count, and an image without a shell has files too', async (scope) => {
    const { adapter, exec, target } = scope
    if (target.images === null) return
    const { name } = await scope.start({
      agent: 'memory',
      security: { ...scope.spec().security, readOnlyRoot: true },
    })
    await give(adapter, { name, path: '/tmp/in-memory', content: 'here' })
    expect((await exec(name, ['cat', '/tmp/in-memory'])).stdout).toBe('here')
    expect(decode(await take(adapter, name, '/tmp/in-memory'))).toBe('here')
    await failure(give(adapter, { name, path: '/etc/new', content: 'x' }), 'DENIED')

    const bare = await scope.start({ agent: 'bare', workdir: '/srv' })
    expect((await exec(bare.name, ['ln', '-s', '../etc/hostname', '/srv/link'])).code).toBe(0)
    expect((await exec(bare.name, ['mkdir', '/srv/sub'])).code).toBe(0)
    expect((await exec(bare.name, ['touch', '/srv/sub/deep'])).code).toBe(0)
    expect((await exec(bare.name, ['rm', '/bin/sh'])).code).toBe(0)
    expect(await give(adapter, { name: bare.name, path: 'fresh', content: 'made' })).toEqual({
      path: '/srv/fresh',
      replaced: false,
    })
    await failure(give(adapter, { name: bare.name, path: 'fresh', content: 'x' }), 'CONFLICT')
    await failure(give(adapter, { name: bare.name, path: 'sub', content: 'x', overwrite: true }), 'REQUEST_INVALID')
    await failure(give(adapter, { name: bare.name, path: 'no/such', content: 'x' }), 'FILE_NOT_FOUND')
    await failure(adapter.files.read(bare.name, 'missing'), 'FILE_NOT_FOUND')
    expect(decode(await take(adapter, bare.name, 'fresh'))).toBe('made')
    expect((await take(adapter, bare.name, 'link')).byteLength).toBeGreaterThan(0)
    const listing = await adapter.files.list(bare.name, '.')
    expect(listing.entries.map(({ name: entry, kind }) => `${kind} ${entry}`)).toEqual([
      'file fresh',
      'symlink link',
      'directory sub',
    ])
  })
}

const inData = (scope: Scope, name: string): string =>
  scope.capabilities.bindMounts ? `/data/${name}` : join(scope.folder, 'data', name)

const MB = 1024 * 1024

function large(contract: Contract): void {
  contract('files: 50 MB go in and come out without memory growth', async (scope) => {
    const { adapter } = scope
    const { name } = await withData(scope)
    const watch = createMemoryWatch()
    const size = 50 * MB
    async function* pattern(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < size; at += 65_536) {
        watch.sample(at)
        yield new Uint8Array(65_536).fill((at / 65_536) % 251)
      }
    }
    await within(
      adapter.files.write(name, { path: '/data/large', size, bytes: pattern(), overwrite: false }),
      'large write',
    )
    const content = await adapter.files.read(name, '/data/large')
    expect(content.size).toBe(size)
    let at = 0
    for await (const chunk of content.bytes) {
      for (const offset of [0, chunk.byteLength - 1]) {
        const expected = Math.floor((at + offset) / 65_536) % 251
        if (chunk[offset] !== expected) expect.fail(`byte ${at + offset} is ${chunk[offset]}, not ${expected}`)
      }
      at += chunk.byteLength
      watch.sample(size + at)
    }
    expect(at).toBe(size)
    watch.expectFlat()
    // A reader that leaves early holds nothing.
    const left = await adapter.files.read(name, '/data/large')
    for await (const _ of left.bytes) break
    expect((await adapter.files.list(name, '/data')).entries).toHaveLength(1)
  })
}

export const fileCases = { small, large }
