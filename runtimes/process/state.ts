/** The state of an instance as its files and processes tell it now. */
import { LABEL_AGENT, LABEL_SPEC, LABEL_WORKSPACE } from '../../src/core/id.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { Workload } from '../adapter.ts'
import type { ProcessKind } from './kind.ts'
import type { ProcessTable } from './processes.ts'
import type { ProcessRecord, Records } from './record.ts'

export interface ProcessContext {
  readonly platform: Platform
  readonly records: Records
  readonly processes: ProcessTable
  readonly kind: ProcessKind
}

export interface ProcessState {
  readonly state: 'running' | 'stopped' | 'dead'
  readonly exitCode: number | null
  readonly finishedAt: string | null
}

/** Exit code and time, once the supervisor has written them. */
async function readExit({ platform, records }: ProcessContext, name: string): Promise<ProcessState | null> {
  const path = records.paths(name).exit
  const [text, info] = await Promise.all([platform.fs.readText(path), platform.fs.stat(path)])
  if (text === null || info === null || !/^\d{1,3}\n$/.test(text)) return null
  return { state: 'stopped', exitCode: Number(text), finishedAt: new Date(info.mtimeMs).toISOString() }
}

export async function readState(context: ProcessContext, record: ProcessRecord): Promise<ProcessState> {
  const ended = await readExit(context, record.name)
  if (ended !== null) return ended
  if (await context.processes.isSame(record.supervisor)) return { state: 'running', exitCode: null, finishedAt: null }
  // It may have written the exit code and gone between the two looks.
  return (await readExit(context, record.name)) ?? { state: 'dead', exitCode: null, finishedAt: null }
}

/** Process id of the program, null before it was written. */
export async function readPid({ platform, records }: ProcessContext, name: string): Promise<number | null> {
  const text = await platform.fs.readText(records.paths(name).pid)
  return text !== null && /^\d{1,10}\n$/.test(text) ? Number(text) : null
}

export async function toWorkload(context: ProcessContext, record: ProcessRecord): Promise<Workload> {
  const state = await readState(context, record)
  const running = state.state === 'running'
  return {
    name: record.name,
    id: `${record.supervisor.pid}-${record.run}`,
    workspace: record.workspace,
    agent: record.agent,
    spec: record.spec,
    imageId: null,
    ...state,
    oomKilled: false,
    error: null,
    restartCount: null,
    startedAt: record.startedAt,
    labels: {
      ...record.labels,
      [LABEL_WORKSPACE]: record.workspace,
      [LABEL_AGENT]: record.agent,
      [LABEL_SPEC]: record.spec,
    },
    ports: running ? record.ports : [],
    pid: running ? await readPid(context, record.name) : null,
  }
}
