/** The sockets by which agents reach the router: one for each agent that runs, there again after each start of the router. */
import type { AgentRecord } from '../../config/documents.ts'
import type { WorkspacePaths } from '../../config/paths.ts'
import { messageOf } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import type { FileSystem, SocketServer } from '../../platform/index.ts'
import { folderOf, makeFolder, socketOf, writeKeys } from './folder.ts'
import type { KeyRing } from './keys.ts'

export interface Doors {
  /** Opens and shuts what follows from the enabled agents. Never rejects: an agent without a door is told of in the log. */
  follow(agents: Readonly<Record<string, AgentRecord>>): Promise<void>
}

export interface DoorOptions {
  fs: FileSystem
  paths: WorkspacePaths
  log: Logger
  server: SocketServer
  keys: KeyRing
}

export function createDoors({ fs, paths, log, server, keys }: DoorOptions): Doors {
  const open = new Map<string, AgentRecord>()

  async function openDoor(name: string, record: AgentRecord): Promise<void> {
    try {
      await makeFolder(fs, paths, name)
      await writeKeys(fs, folderOf(paths, name), keys.keysOf(name, record))
      await server.open(socketOf(paths, name), name)
      open.set(name, record)
    } catch (error) {
      log.error('an agent cannot call others', { agent: name, error: messageOf(error) })
    }
  }

  async function change(agents: Readonly<Record<string, AgentRecord>>): Promise<void> {
    const wanted = Object.entries(agents).filter(([, { wanted: runs, runtime }]) => runs && runtime !== null)
    const names = new Set(wanted.map(([name]) => name))
    for (const name of open.keys()) {
      if (names.has(name)) continue
      open.delete(name)
      await server.shut(name)
    }
    for (const [name, record] of wanted) {
      // Enabled anew, it is another agent, with other keys.
      if (open.get(name)?.enabledAt !== record.enabledAt) await openDoor(name, record)
    }
  }

  /** One after the other: a change may be newer than the one that is being made. */
  let working: Promise<void> = Promise.resolve()
  return {
    follow: (agents) => (working = working.then(() => change(agents))),
  }
}
