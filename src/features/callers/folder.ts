/**
 * What an agent finds at /run/ploinky: the router's socket, and its keys. The folder of one agent is seen by that agent alone:
 * on this host nobody else gets past the folder above it, so that what is inside can be open to any user of the container.
 */
import { join } from 'node:path'
import type { WorkspacePaths } from '../../config/paths.ts'
import type { FileSystem, Hashing } from '../../platform/index.ts'
import type { SecretStore } from '../secrets/index.ts'
import { type AgentKeys, agentSecret, createKeyRing, type Identity } from './keys.ts'

/** Where an agent sees its folder. */
export const AGENT_FOLDER = '/run/ploinky'
const SOCKET = 'router.sock'
const CREDENTIAL = 'credential'
const INVOCATION_KEY = 'invocation.key'

/** Given to every agent. Not the secrets themselves: those are read from the files when they are needed. */
export const AGENT_VARIABLES: Readonly<Record<string, string>> = {
  PLOINKY_ROUTER_SOCKET: `${AGENT_FOLDER}/${SOCKET}`,
  PLOINKY_CREDENTIAL_FILE: `${AGENT_FOLDER}/${CREDENTIAL}`,
  PLOINKY_INVOCATION_KEY_FILE: `${AGENT_FOLDER}/${INVOCATION_KEY}`,
}

export const folderOf = (paths: WorkspacePaths, agent: string): string => join(paths.sockets, agent)
export const socketOf = (paths: WorkspacePaths, agent: string): string => join(folderOf(paths, agent), SOCKET)

const OUTER_MODE = 0o700
const FOLDER_MODE = 0o755
const FILE_MODE = 0o644

async function writeIfChanged(fs: FileSystem, path: string, text: string): Promise<void> {
  if ((await fs.readText(path)) !== text) await fs.writeAtomic(path, text, { mode: FILE_MODE })
}

/** Idempotent. What is there stays the same folder: running agents have it mounted. */
export async function makeFolder(fs: FileSystem, paths: WorkspacePaths, agent: string): Promise<void> {
  await fs.mkdir(paths.sockets, { mode: OUTER_MODE })
  await fs.chmod(paths.sockets, OUTER_MODE)
  const folder = folderOf(paths, agent)
  await fs.mkdir(folder)
  await fs.chmod(folder, FOLDER_MODE)
}

export async function writeKeys(fs: FileSystem, folder: string, { credential, invocation }: AgentKeys): Promise<void> {
  await writeIfChanged(fs, join(folder, CREDENTIAL), credential)
  await writeIfChanged(fs, join(folder, INVOCATION_KEY), invocation)
}

/** Makes the folder of an agent with its keys, before its instance is made. */
export function createCallerFolders(deps: {
  fs: FileSystem
  paths: WorkspacePaths
  hash: Hashing
  secrets: SecretStore
}): (agent: Identity & { readonly name: string }) => Promise<void> {
  const { fs, paths, hash, secrets } = deps
  return async (agent) => {
    const [secret] = await Promise.all([agentSecret(secrets, hash), makeFolder(fs, paths, agent.name)])
    await writeKeys(fs, folderOf(paths, agent.name), createKeyRing(secret, hash).keysOf(agent.name, agent))
  }
}
