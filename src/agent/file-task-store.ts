import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { mkdirSync, statSync, writeFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryTaskStore } from './memory-task-store.ts'
import { isTaskId } from './task-record.ts'
import type { AgentLog, TaskStore } from './types.ts'

/** Records of tasks as files of a folder; each is written beside and renamed, and is on the disk when `write` returns. */
function createFileTaskStore(folder: string): TaskStore {
  const path = (id: string): string => join(folder, `${id}.json`)
  return {
    list: async () => {
      const names = await readdir(folder).catch(ignoreMissing([]))
      return names
        .filter((name) => name.endsWith('.json') && isTaskId(name.slice(0, -5)))
        .map((name) => name.slice(0, -5))
    },
    read: (id) => readFile(path(id), 'utf8').catch(ignoreMissing(null)),
    write: async (id, text) => {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const beside = join(folder, `.${id}.tmp`)
      const file = await open(beside, 'w', 0o600)
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(beside, path(id))
    },
    remove: (id) => rm(path(id), { force: true }),
  }
}

function ignoreMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return value
    throw error
  }
}

/**
 * Where an agent keeps its tasks: where it is told to (`PLOINKY_TASKS_DIR`), else in its working folder, which outlives its
 * container; the code directory may be read-only and is somebody's clone. The folder is made with the
 * first task, so agents without tasks have none. Without any place, tasks live in memory, and the log says so.
 */
export function createAgentTaskStore(options: {
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  log: AgentLog
}): TaskStore {
  const folders = taskFolders(options.env, options.cwd)
  let found: TaskStore | undefined
  const store = (): TaskStore => (found ??= choose())
  const choose = (): TaskStore => {
    const folder = folders.find(isWritable)
    if (folder !== undefined) return createFileTaskStore(folder)
    options.log('warn', 'No folder for tasks can be written to: they are lost when the agent ends')
    return createMemoryTaskStore()
  }
  return {
    // Looking for earlier tasks makes no folder.
    list: async () => (folders.some(isDirectory) ? await store().list() : []),
    read: (id) => store().read(id),
    write: (id, text) => store().write(id, text),
    remove: (id) => store().remove(id),
  }
}

function taskFolders(env: Readonly<Record<string, string | undefined>>, cwd: string): string[] {
  const root = env['PLOINKY_WORKSPACE_ROOT']
  const agent = env['AGENT_NAME']
  const work = root !== undefined && agent !== undefined ? join(root, 'agents', agent) : undefined
  const parents = [work, env['WORKSPACE_PATH'], cwd, tmpdir()].filter(
    (parent): parent is string => parent !== undefined && parent !== '' && isDirectory(parent),
  )
  const named = env['PLOINKY_TASKS_DIR']
  return [
    ...(named === undefined || named === '' ? [] : [named]),
    ...parents.map((parent) => join(parent, '.tasksQueue')),
  ]
}

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

function isWritable(folder: string): boolean {
  const probe = join(folder, `.probe-${process.pid}`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(probe, '')
    rmSync(probe)
    return true
  } catch {
    return false
  }
}
