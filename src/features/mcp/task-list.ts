/** Tasks of agents, read from their records: those that the router keeps, and those that agents keep in their working folders. */
import { join } from 'node:path'
import { isTaskId, parseTaskRecord, type TaskRecord } from '../../agent/task-record.ts'
import type { WorkspacePaths } from '../../config/paths.ts'
import type { FileSystem } from '../../platform/index.ts'
import type { Registry } from '../agents/index.ts'

/** Of one agent; more than are kept for people to look at. */
const MAX_RECORDS = 1000
const MAX_BYTES = 16 * 1024 * 1024
/** Of one agent, together: no more than finished tasks may hold. Characters. */
const MAX_TOTAL = 64 * 1024 * 1024

export interface TaskView {
  readonly agent: string
  readonly id: string
  readonly tool: string
  readonly state: TaskRecord['state'] | 'input_required'
  readonly createdAt: string
  readonly updatedAt: string
  /** Subject of who began it; null: nobody is known. */
  readonly owner: string | null
  /** What it is doing, or why it failed. */
  readonly message: string | null
}

export interface TaskList {
  /** Newest first; of one agent, or of all. Throws AGENT_NOT_FOUND. */
  list(agent: string | null): Promise<TaskView[]>
}

export interface TaskListOptions {
  readonly fs: Pick<FileSystem, 'list' | 'readText'>
  readonly paths: Pick<WorkspacePaths, 'tasks' | 'agentWork'>
  readonly registry: Pick<Registry, 'list' | 'get'>
}

export function createTaskList({ fs, paths, registry }: TaskListOptions): TaskList {
  /** An agent may write what it likes into its own folder: what cannot be read as a record is none. */
  async function textAt(folder: string, name: string): Promise<string | null> {
    if (!name.endsWith('.json') || !isTaskId(name.slice(0, -5))) return null
    return await fs.readText(join(folder, name), { maxBytes: MAX_BYTES }).catch(() => null)
  }

  async function ofAgent(agent: string): Promise<TaskView[]> {
    const kept = join(paths.tasks, agent)
    const views: TaskView[] = []
    let total = 0
    for (const folder of [kept, join(kept, 'router'), join(paths.agentWork(agent), '.tasksQueue')]) {
      const names = await fs.list(folder).catch((): string[] => [])
      for (const name of names.slice(0, MAX_RECORDS)) {
        const text = await textAt(folder, name)
        total += text?.length ?? 0
        if (total > MAX_TOTAL) return views
        const record = text === null ? null : parseTaskRecord(text, name.slice(0, -5))
        if (record !== null) views.push(viewOf(agent, record))
      }
    }
    return views
  }

  return {
    async list(agent) {
      const names =
        agent === null ? (await registry.list()).map(({ name }) => name) : [(await registry.get(agent)).name]
      const views: TaskView[] = []
      for (const name of names) views.push(...(await ofAgent(name)))
      return views.sort((a, b) => b.createdAt.localeCompare(a.createdAt))
    },
  }
}

function viewOf(agent: string, record: TaskRecord): TaskView {
  const { id, toolName, state, createdAt, updatedAt, owner, statusMessage, error, inputRequests } = record
  const isAsking = state === 'running' && inputRequests !== undefined
  return {
    ...{ agent, id, tool: toolName, state: isAsking ? 'input_required' : state, createdAt, updatedAt },
    ...{ owner: owner ?? null, message: error ?? statusMessage ?? null },
  }
}
