/** The registry `.ploinky/agents`: which agents are enabled, and the links that go with it. */
import { join } from 'node:path'
import type { WorkspacePaths } from '../../config/paths.ts'
import { agentsDocument, type AgentRecord } from '../../config/documents.ts'
import type { EnableMode } from '../../config/manifest/index.ts'
import { createBatch } from '../../core/batch.ts'
import { PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { assertName, canonicalJson, isName, nearest, OWN_AGENT, own } from '../../core/id.ts'
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
  /**
   * Idempotent. `created` says whether it was new. What is not given stays as it is, or is the default of a new one.
   * CONFLICT when another definition has the name.
   */
  enable(ref: string, options?: EnableOptions): Promise<{ agent: EnabledAgent; created: boolean }>
  disable(name: string): Promise<EnabledAgent>
  setStatic(name: string): Promise<void>
  /** What is known and wanted of an agent's instance. */
  note(name: string, change: Partial<Pick<AgentRecord, 'runtime' | 'wanted' | 'calls'>>): Promise<void>
}

export interface EnableOptions {
  /** Name in this workspace; the definition's own by default. One definition may be enabled under several. */
  readonly alias?: string | null
  readonly mode?: EnableMode
  /** Null: the workspace's. */
  readonly profile?: string | null
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

  /** The record as it is to be; the same one when nothing changes. */
  function changed(existing: AgentRecord, options: EnableOptions): AgentRecord {
    const { mode = existing.mode, profile = existing.profile } = options
    const isSame = canonicalJson([mode, profile]) === canonicalJson([existing.mode, existing.profile])
    return isSame ? existing : { ...existing, mode, profile }
  }

  function assertSame(name: string, existing: AgentRecord, definition: Definition): void {
    if (existing.repo === definition.repo && existing.agent === definition.agent) return
    const ref = `${existing.repo}/${existing.agent}`
    throw new PloinkyError('CONFLICT', `Agent "${name}" is already enabled from "${ref}"`, {
      hint: `Give it another name: ploinky enable agent ${definition.ref} --as ${definition.agent}-2`,
      details: { name, enabled: ref },
    })
  }

  async function assertDevelRepo(mode: EnableMode | undefined): Promise<void> {
    if (mode?.kind !== 'devel' || (await fs.stat(join(paths.repos, mode.repo)))?.kind === 'directory') return
    throw new PloinkyError('REPO_NOT_FOUND', `Repository "${mode.repo}" is not in this workspace`, {
      hint: `Run: ploinky add repo ${mode.repo}`,
    })
  }

  async function enable(ref: string, options: EnableOptions = {}): Promise<{ agent: EnabledAgent; created: boolean }> {
    const definition = await catalog.resolve(ref)
    const name = assertName('agent', options.alias ?? definition.agent)
    const known = own((await store.read(agentsDocument)).agents, name)
    if (known !== undefined) {
      assertSame(name, known, definition)
      // Every start comes here: nothing is locked or written for what is enabled already.
      if (changed(known, options) === known) {
        await linkFolders(name, definition)
        return { agent: { name, ...known }, created: false }
      }
    }
    if (known === undefined && name === OWN_AGENT)
      throw new PloinkyError('NAME_INVALID', `"${OWN_AGENT}" is the name of the built-in agent`, {
        hint: `Give it another name: ploinky enable agent ${definition.ref} --as my-${OWN_AGENT}`,
      })
    await assertDevelRepo(options.mode)
    // A manifest that cannot be read is refused now, not at the next start.
    await catalog.manifest(definition, options.profile ?? 'default')
    let created = false
    const { agents } = await store.update(agentsDocument, (current) => {
      const existing = own(current.agents, name)
      if (existing !== undefined) assertSame(name, existing, definition)
      created = existing === undefined
      const record: AgentRecord = existing ?? {
        repo: definition.repo,
        agent: definition.agent,
        enabledAt: new Date().toISOString(),
        runtime: null,
        wanted: false,
        mode: { kind: 'isolated' },
        profile: null,
      }
      return { ...current, agents: { ...current.agents, [name]: changed(record, options) } }
    })
    await linkFolders(name, definition)
    if (created) events.emit({ type: 'agent.enabled', subject: name, data: { ref: definition.ref } })
    const record = own(agents, name)
    if (record === undefined) throw new PloinkyError('INTERNAL', `Agent "${name}" vanished while it was enabled`)
    return { agent: { name, ...record }, created }
  }

  return {
    list,
    get,
    static: async () => (await store.read(agentsDocument)).static,
    enable,
    async disable(name) {
      const agent = await get(name)
      await store.update(agentsDocument, (current) => {
        const { [agent.name]: _gone, ...agents } = current.agents
        return { ...current, agents, static: current.static === agent.name ? null : current.static }
      })
      await unlinkFolders(fs, paths, agent.name)
      await fs.remove(join(paths.sockets, agent.name))
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
