/**
 * Files of instances without an engine, through a shell at their side. In a sandbox, what it sees is what there is. A plain
 * process sees all of the host: there the folders that its spec mounts are the agent's, and nothing else is.
 */
import type { CallOptions, InstanceFiles, MountSpec, RuntimeAdapter } from '../adapter.ts'
import { denied, isKernelPath, LIST_LIMIT, parseFilePath, type FilePath } from '../file-path.ts'
import { createFileShell, type ShellCall } from '../cli/file-shell.ts'
import { runningRecord } from './exec.ts'
import { mapPath, trimSlash } from './spec.ts'
import type { ProcessContext } from './state.ts'

const noShell = (path: string) => denied(path, 'there is no shell on this host')

export function createFiles(
  context: ProcessContext,
  adapter: Pick<RuntimeAdapter, 'exec' | 'capabilities'>,
): InstanceFiles {
  const shell = createFileShell(adapter)
  const real = async (path: string): Promise<string[]> => {
    const found = await context.platform.fs.realPath(path)
    return found === null ? [] : [found]
  }

  async function call(name: string, path: string, how: { options: CallOptions; write: boolean }): Promise<ShellCall> {
    const record = await runningRecord(context, name, how.options)
    const given = parseFilePath(path, record.cwd)
    const { signal } = how.options
    if (adapter.capabilities.bindMounts) return { name, at: given, signal }
    const at = parseFilePath(mapPath(record.mounts, given.path), '/')
    const roots = await Promise.all(record.mounts.map(({ source }) => real(source)))
    const hidden = await Promise.all(hiddenIn(record.mounts, how.write).map(real))
    // Nothing is mounted: nothing is the agent's.
    if (roots.flat().length === 0) throw denied(given.path, 'the agent has no folders')
    return { name, at, roots: roots.flat(), hidden: hidden.flat(), signal }
  }

  return {
    async list(name, path, { limit = LIST_LIMIT, ...options } = {}) {
      const at = await call(name, path, { options, write: false })
      const found = await shell.list(at, Math.min(limit, LIST_LIMIT))
      if (found === null) throw noShell(path)
      return found
    },
    async read(name, path, options = {}) {
      const at = await call(name, path, { options, write: false })
      let found = await shell.read(at)
      if (found !== null && 'link' in found) {
        if (isKernelPath(found.link)) throw denied(path, 'it leads to the kernel')
        // Without links in it, as the system says: asked for as it is, it must be in the agent's folders too.
        found = await shell.read({ ...at, at: split(found.link) })
      }
      if (found === null) throw noShell(path)
      if ('link' in found) throw denied(path, 'it leads elsewhere')
      return found
    },
    async write(name, file, options = {}) {
      const done = await shell.write(await call(name, file.path, { options, write: true }), file)
      if (done === null) throw noShell(file.path)
      return done
    },
  }
}

const split = (path: string): FilePath => parseFilePath(path, '/')

/**
 * Folders on the host that lie in one mount's source while the agent sees another mount, or nothing, there. For writing,
 * also what is mounted to be read.
 */
function hiddenIn(mounts: readonly MountSpec[], write: boolean): string[] {
  const covered = mounts.flatMap((outer) =>
    mounts.flatMap((inner) => {
      const [outside, inside] = [trimSlash(outer.target), trimSlash(inner.target)]
      if (!inside.startsWith(`${outside}/`)) return []
      const place = `${trimSlash(outer.source)}${inside.slice(outside.length)}`
      return place === trimSlash(inner.source) ? [] : [place]
    }),
  )
  return [...covered, ...(write ? mounts.filter(({ readOnly }) => readOnly).map(({ source }) => source) : [])]
}
