/**
 * What is kept of an instance on disk, so that it outlives us: one private folder for each, in the adapter's state folder.
 *
 *   record.json   what was started and by which spec (schema below)
 *   pid           process id of the program, written before it runs
 *   exit          exit code of the program, written by its supervisor when it has ended
 *   log/          stdout.log and stderr.log, one older generation of each (.old), and `times`
 *
 * Beside them is `.jobs/`, with one file for each running job, see `jobs.ts`.
 */
import { join } from 'node:path'
import * as z from 'zod/mini'
import { PloinkyError } from '../../src/core/error.ts'
import type { FileSystem } from '../../src/platform/index.ts'

export const RECORD_VERSION = 1

const recordSchema = z.object({
  version: z.literal(RECORD_VERSION),
  name: z.string(),
  workspace: z.string(),
  agent: z.string(),
  /** Hash of the spec. */
  spec: z.string(),
  /** Changes with every creation; a restart of the same keeps it. */
  created: z.string(),
  /** Changes with every start. */
  run: z.string(),
  startedAt: z.string(),
  cwd: z.string(),
  /** Environment of the program without its secrets, where those can be read from the running process instead. */
  env: z.record(z.string(), z.string()),
  secrets: z.array(z.string()),
  labels: z.record(z.string(), z.string()),
  ports: z.array(
    z.object({
      container: z.int(),
      host: z.int(),
      hostIp: z.string(),
      protocol: z.enum(['tcp', 'udp']),
    }),
  ),
  stopGraceSeconds: z.number(),
  /** The folders of the agent; records of earlier versions have none. */
  mounts: z._default(z.array(z.object({ source: z.string(), target: z.string(), readOnly: z.boolean() })), []),
  /** The supervisor is the leader of the program's process group. `since` names it for ever, together with the pid. */
  supervisor: z.object({ pid: z.int(), since: z.nullable(z.string()) }),
})

export type ProcessRecord = z.infer<typeof recordSchema>

/** Longer than any derived name; everything else could be a path. */
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/

export interface Paths {
  readonly folder: string
  readonly record: string
  readonly pid: string
  readonly exit: string
  readonly log: string
}

export interface Records {
  readonly root: string
  paths(name: string): Paths
  lockPath(name: string): string
  /** Null when there is none, also for a name that could not be one. STATE_INVALID when it cannot be read. */
  read(name: string): Promise<ProcessRecord | null>
  /** Names that have a folder. */
  names(): Promise<string[]>
  write(record: ProcessRecord): Promise<void>
  remove(name: string): Promise<void>
}

export function createRecords(fs: FileSystem, stateDir: string): Records {
  const paths = (name: string): Paths => {
    const folder = join(stateDir, name)
    return {
      folder,
      record: join(folder, 'record.json'),
      pid: join(folder, 'pid'),
      exit: join(folder, 'exit'),
      log: join(folder, 'log'),
    }
  }
  return {
    root: stateDir,
    paths,
    lockPath: (name) => join(stateDir, `.${name}.lock`),
    async read(name) {
      if (!SAFE_NAME.test(name) || name.includes('..')) return null
      const { record: path } = paths(name)
      const text = await fs.readText(path, { maxBytes: 4 * 1024 * 1024 })
      if (text === null) return null
      const parsed = recordSchema.safeParse(parseJson(text))
      if (parsed.success && parsed.data.name === name) return parsed.data
      throw new PloinkyError('STATE_INVALID', `The record of "${name}" cannot be read: "${path}"`, {
        hint: `Look at the file; to forget the instance, end its processes and remove "${join(stateDir, name)}"`,
        details: { path },
      })
    },
    names: async () => (await fs.list(stateDir)).filter((name) => SAFE_NAME.test(name)),
    async write(record) {
      await fs.writeAtomic(paths(record.name).record, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
    },
    remove: (name) => fs.remove(paths(name).folder),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
