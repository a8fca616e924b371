/** Files of an instance in memory. A folder is there when something is in it. */
import { PloinkyError } from '../../src/core/error.ts'
import type { CallOptions, FileEntry, InstanceFiles } from '../adapter.ts'
import * as paths from '../file-path.ts'
import { missing } from './errors.ts'
import type { FakeInstance, FakeWorld } from './world.ts'

const encoder = new TextEncoder()

export function createFakeFiles(world: FakeWorld): InstanceFiles {
  function running(name: string, { signal }: CallOptions): FakeInstance {
    if (signal?.aborted) throw new PloinkyError('INTERRUPTED', `Interrupted: files of "${name}"`)
    const instance = world.instances.get(name)
    if (instance === undefined) throw missing(name)
    if (instance.state === 'running') return instance
    throw new PloinkyError('AGENT_NOT_RUNNING', `"${name}" does not run`, {
      hint: `Start it: ploinky start ${instance.spec.agent}`,
    })
  }
  const locate = (name: string, path: string, options: CallOptions) => {
    const instance = running(name, options)
    return { instance, at: paths.parseFilePath(path, instance.spec.workdir ?? '/') }
  }

  return {
    async list(name, path, { limit = paths.LIST_LIMIT, ...options } = {}) {
      const { instance, at } = locate(name, path, options)
      if (contentOf(instance, at.path) !== null) throw paths.notFolder(at.path)
      const entries = entriesOf(instance, at.path)
      if (entries.length === 0 && at.path !== '/' && at.path !== instance.spec.workdir) throw paths.notFound(at.path)
      return { path: at.path, entries: entries.slice(0, limit), truncated: entries.length > limit }
    },
    async read(name, path, options = {}) {
      const { instance, at } = locate(name, path, options)
      const content = contentOf(instance, at.path)
      if (content === null) {
        throw entriesOf(instance, at.path).length > 0 || at.path === '/'
          ? paths.notFile(at.path)
          : paths.notFound(at.path)
      }
      async function* bytes(whole: Uint8Array): AsyncGenerator<Uint8Array> {
        for (let start = 0; start < whole.byteLength; start += 65_536) yield whole.subarray(start, start + 65_536)
      }
      return { path: at.path, size: content.byteLength, mtimeMs: null, bytes: bytes(content) }
    },
    async write(name, file, options = {}) {
      const { instance, at } = locate(name, file.path, options)
      if (at.name === '' || entriesOf(instance, at.path).length > 0) throw paths.notFile(at.path)
      const replaced = contentOf(instance, at.path) !== null
      if (replaced && !file.overwrite) throw paths.exists(at.path)
      const whole = new Uint8Array(file.size)
      let size = 0
      for await (const chunk of file.bytes) {
        if (size + chunk.byteLength > file.size) throw paths.wrongSize(at.path)
        whole.set(chunk, size)
        size += chunk.byteLength
      }
      if (size !== file.size) throw paths.wrongSize(at.path)
      store(instance, at.path, whole)
      return { path: at.path, replaced }
    },
  }
}

const contentOf = ({ files, binaries }: FakeInstance, path: string): Uint8Array | null => {
  const text = files.get(path)
  return text === undefined ? (binaries.get(path) ?? null) : encoder.encode(text)
}

/** Text where it is text: programs of the fake read it. */
function store({ files, binaries }: FakeInstance, path: string, whole: Uint8Array): void {
  files.delete(path)
  binaries.delete(path)
  try {
    files.set(path, new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(whole))
  } catch {
    binaries.set(path, whole)
  }
}

function entriesOf(instance: FakeInstance, folder: string): FileEntry[] {
  const prefix = folder === '/' ? '/' : `${folder}/`
  const found = new Map<string, FileEntry>()
  for (const path of [...instance.files.keys(), ...instance.binaries.keys()]) {
    if (!path.startsWith(prefix)) continue
    const [name = '', ...below] = path.slice(prefix.length).split('/')
    const isFile = below.length === 0
    const size = isFile ? (contentOf(instance, path)?.byteLength ?? null) : null
    found.set(name, { name, kind: isFile ? 'file' : 'directory', size, mtimeMs: null, mode: isFile ? 0o644 : 0o755 })
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
