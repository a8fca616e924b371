/** The registry `.ploinky/agents`: which agents are enabled, and the links that go with it. */
import type { WorkspacePaths } from '../../config/paths.ts'
import { agentsDocument, type AgentRecord } from '../../config/documents.ts'
import { createBatch } from '../../core/batch.ts'
import { PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { assertName, isName, nearest, own } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import type { FileSystem } from '../../platform/index.ts'
import type { Catalog, Definition } from '../repos/index.ts'

export interface EnabledAgent extends AgentRecord {
  readonly name: string
}

export interface Registry {
  list(): Promise<EnabledAgent[]>
  static(): Promise<string | null>
  /** AGENT_NOT_FOUND with what is enabled and the nearest spelling. */
  get(name: string): Promise<EnabledAgent>
  /** Idempotent. `created` says whether it was new. */
  enable(ref: string): Promise<{ agent: EnabledAgent; created: boolean }>
  disable(name: string): Promise<EnabledAgent>
  setStatic(name: string): Promise<void>
  /** What is known and wanted of an agent's instance. */
  note(name: string, change: Partial<Pick<AgentRecord, 'runtime' | 'wanted'>>): Promise<void>
}

export interface RegistryOptions {
  store: Store
  fs: FileSystem
  paths: WorkspacePaths
  catalog: Catalog
  events: EventBus
}

async function link(fs: FileSystem, target: string, path: string): Promise<void> {
  const existing = await fs.lstat(path)
  if (existing !== null && existing.kind !== 'symlink') return
  if ((await fs.readLink(path)) === target) return
  await fs.remove(path)
  await fs.symlink(target, path)
}

/** Removes the links that `enable` made. A folder of that name is somebody's work: `enable` left it alone, and so does this. */
export async function unlinkFolders(fs: FileSystem, paths: WorkspacePaths, name: string): Promise<void> {
  for (const path of [paths.agentCode(name), paths.agentSkills(name)]) {
    if ((await fs.lstat(path))?.kind === 'symlink') await fs.remove(path)
  }
}

/** A hint is there to be run: a name that is none is not repeated in it. */
function hintFor(name: string, near: string | null): string {
  if (near !== null) return `Did you mean "${near}"?`
  return name.split(/[/:]/).every(isName) ? `Run: ploinky enable agent ${name}` : 'Run: ploinky list agents'
}

export function createRegistry({ store, fs, paths, catalog, events }: RegistryOptions): Registry {
  const write = createBatch(store, agentsDocument)

  async function list(): Promise<EnabledAgent[]> {
    const { agents } = await store.read(agentsDocument)
    return Object.entries(agents).map(([name, record]) => ({ name, ...record }))
  }

  async function linkFolders(name: string, definition: Definition): Promise<void> {
    await Promise.all(
      [paths.agentWork(name), paths.agentCode('.'), paths.agentSkills('.')].map((path) => fs.mkdir(path)),
    )
    await link(fs, definition.codeDir, paths.agentCode(name))
    if (definition.skillsDir !== null) await link(fs, definition.skillsDir, paths.agentSkills(name))
  }

  async function get(name: string): Promise<EnabledAgent> {
    const all = await list()
    const short = name.split(/[/:]/).at(-1)
    const found =
      all.find((agent) => agent.name === name) ??
      all.find((agent) => agent.name === short && name.replace(':', '/') === `${agent.repo}/${agent.agent}`)
    if (found) return found
    const available = all.map((agent) => agent.name)
    const near = nearest(name, available)
    throw new PloinkyError('AGENT_NOT_FOUND', `Agent "${name.slice(0, 100)}" not found in enabled agents`, {
      hint: hintFor(name, near),
      details: { available },
    })
  }

  return {
    list,
    get,
    static: async () => (await store.read(agentsDocument)).static,
    async enable(ref) {
      const definition = await catalog.resolve(ref)
      const name = assertName('agent', definition.agent)
      const known = own((await store.read(agentsDocument)).agents, name)
      if (known?.repo === definition.repo) {
        // Every start comes here: nothing is locked or written for what is enabled already.
        await linkFolders(name, definition)
        return { agent: { name, ...known }, created: false }
      }
      // A manifest that cannot be read is refused now, not at the next start.
      await catalog.manifest(definition, 'default')
      let created = false
      const { agents } = await store.update(agentsDocument, (current) => {
        const existing = own(current.agents, name)
        if (existing !== undefined) {
          if (existing.repo === definition.repo) return current
          throw new PloinkyError('CONFLICT', `Agent "${name}" is already enabled from repository "${existing.repo}"`, {
            hint: `Run: ploinky disable agent ${name}`,
          })
        }
        created = true
        const record: AgentRecord = {
          repo: definition.repo,
          agent: definition.agent,
          enabledAt: new Date().toISOString(),
          runtime: null,
          wanted: false,
        }
        return { ...current, agents: { ...current.agents, [name]: record } }
      })
      await linkFolders(name, definition)
      if (created) events.emit({ type: 'agent.enabled', subject: name, data: { ref: definition.ref } })
      const record = own(agents, name)
      if (record === undefined) throw new PloinkyError('INTERNAL', `Agent "${name}" vanished while it was enabled`)
      return { agent: { name, ...record }, created }
    },
    async disable(name) {
      const agent = await get(name)
      await store.update(agentsDocument, (current) => {
        const { [agent.name]: _gone, ...agents } = current.agents
        return { ...current, agents, static: current.static === agent.name ? null : current.static }
      })
      await unlinkFolders(fs, paths, agent.name)
      events.emit({ type: 'agent.disabled', subject: agent.name })
      return agent
    },
    async setStatic(name) {
      await store.update(agentsDocument, (current) => ({ ...current, static: name }))
    },
    async note(name, change) {
      await write((current) => {
        const record = own(current.agents, name)
        if (record === undefined) return current
        return { ...current, agents: { ...current.agents, [name]: { ...record, ...change } } }
      })
    },
  }
}
