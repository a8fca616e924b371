/**
 * Jobs: programs that we wait for. Each has a file `.jobs/<tag>` for as long as it runs, by which another process of ours
 * ends it when we were killed, and a folder `.jobs/<tag>.d` for what its kind needs.
 */
import { join } from 'node:path'
import * as z from 'zod/mini'
import { parseJson } from '../../src/core/json.ts'
import type { CallOptions, ExecSession, JobSpec, SweepOptions, WorkloadSpec } from '../adapter.ts'
import { launchProgram, type Track } from './exec.ts'
import type { Program } from './kind.ts'
import { EXEC_TAG, type Tag } from './processes.ts'
import type { ProcessContext } from './state.ts'

const processSchema = z.object({ pid: z.int(), since: z.nullable(z.string()) })
const jobSchema = z.object({
  workspace: z.string(),
  agent: z.string(),
  /** The process of ours that waits for it. */
  owner: processSchema,
  /** Null until it was started; where the system tells no environments, only this leads to it. */
  program: z.nullable(processSchema),
})
type JobRecord = z.infer<typeof jobSchema>

/** A program that is not there ends with 127 and says so on stderr, as in a container; the words are never read as text. */
const LAUNCHER = 'exec "$@"'
const TAG = /^[A-Za-z0-9_-]{8,40}$/

export interface Jobs {
  job(spec: JobSpec, options?: CallOptions): Promise<ExecSession>
  removeJobs(workspace: string, options?: SweepOptions): Promise<readonly string[]>
}

export function createJobs(context: ProcessContext, track: Track): Jobs {
  const { platform, processes, records, kind } = context
  const { fs } = platform
  const folder = join(records.root, '.jobs')
  const write = (tag: string, record: JobRecord): Promise<void> =>
    fs.writeAtomic(join(folder, tag), `${JSON.stringify(record)}\n`, { mode: 0o600 })
  const filesOf = (tag: string): string => join(folder, `${tag}.d`)
  const named = async (pid: number) => ({ pid, since: await processes.since(pid) })

  async function read(tag: string): Promise<JobRecord | null> {
    const json = parseJson((await fs.readText(join(folder, tag), { maxBytes: 65_536 })) ?? '')
    const parsed = json.ok ? jobSchema.safeParse(json.value) : null
    return parsed?.success ? parsed.data : null
  }

  /** Everything that the job started, then its files: in this order, or a kill in between would leave what nobody finds. */
  async function end(tag: string, program: JobRecord['program']): Promise<void> {
    const isIt = program !== null && program.pid > 1 && (await processes.isSame(program))
    await processes.end({ variable: EXEC_TAG, value: tag }, { politely: false, roots: isIt ? [program.pid] : [] })
    await fs.remove(filesOf(tag))
    await fs.remove(join(folder, tag))
  }

  /** As this host runs it, with the tag where this host can read it. */
  async function dress(spec: WorkloadSpec, command: Program, { variable, value }: Tag): Promise<Program> {
    const place = { folder: filesOf(value), ourSession: true }
    await fs.mkdir(place.folder, { mode: 0o700 })
    const { argv, cwd, env } = await kind.launch(spec, command, place)
    return { argv: ['/bin/sh', '-c', LAUNCHER, 'ploinky-job', ...argv], cwd, env: { ...env, [variable]: value } }
  }

  return {
    async job(job, options = {}) {
      const spec = { ...job, name: job.agent, ports: [], stopGraceSeconds: 0 }
      await kind.check(spec)
      const command = kind.command(spec, [])
      await kind.checkCommand(spec, command)
      const tag: Tag = { variable: EXEC_TAG, value: platform.hash.randomToken(12) }
      const record = { workspace: job.workspace, agent: job.agent, owner: await named(platform.pid), program: null }
      await fs.mkdir(folder, { mode: 0o700 })
      await write(tag.value, record)
      const program = await dress(spec, command, tag).catch(async (error: unknown) => {
        await end(tag.value, null)
        throw error
      })
      const started = launchProgram(context, track, {
        launch: { program, tag },
        signal: options.signal,
        ended: async () => {
          // Nothing outlives a job: what it left in the background ends as it would in a container.
          await noted
          await end(tag.value, null)
        },
      })
      const noted = named(started.pid)
        .then((program) => write(tag.value, { ...record, program }))
        .catch(() => {})
      await noted
      return started.session
    },
    async removeJobs(workspace, options = {}) {
      const removed: string[] = []
      for (const tag of (await fs.list(folder)).filter((name) => TAG.test(name))) {
        const record = await read(tag)
        if (record?.workspace !== workspace) continue
        if (options.jobs !== 'all' && (await processes.isSame(record.owner))) continue
        await end(tag, record.program)
        removed.push(tag)
      }
      return removed
    },
  }
}
