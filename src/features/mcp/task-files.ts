import { join } from 'node:path'
import type { TaskStore } from '../../agent/types.ts'
import type { FileSystem } from '../../platform/index.ts'

const NAME = /^([0-9a-f]{32})\.json$/

/** Records of an agent's tasks, as files of a folder that only the router writes to. */
export function createTaskFiles(fs: FileSystem, folder: string): TaskStore {
  const path = (id: string): string => join(folder, `${id}.json`)
  return {
    list: async () => (await fs.list(folder)).flatMap((name) => NAME.exec(name)?.[1] ?? []),
    read: (id) => fs.readText(path(id)),
    write: async (id, text) => {
      await fs.mkdir(folder, { mode: 0o700 })
      await fs.writeAtomic(path(id), text, { mode: 0o600 })
    },
    remove: (id) => fs.remove(path(id)),
  }
}
