/** How the program of an agent is started: where the agent runs now, what its container has, what was left behind there. */
import { PloinkyError } from '../../../core/error.ts'
import type { Logger } from '../../../core/log.ts'
import type { Manifest } from '../../../config/manifest/index.ts'
import type { ExecSession } from '../../../../runtimes/adapter.ts'
import type { Hashing } from '../../../platform/index.ts'
import { MARK, reaper, wrapped } from '../../agents/index.ts'
import type { ExecTarget } from '../exec-runner.ts'
import { startChild, type Child, type ChildOptions } from './child.ts'

export interface StdioTarget extends ExecTarget {
  /** Of the container: another one is another instance. */
  readonly instance: string
  readonly manifest: Pick<Manifest, 'mcp' | 'limits'>
}

/** Processes and threads that one program needs, roughly; the container may have 512 unless its manifest says otherwise. */
const PIDS_PER_PROGRAM = 16
const DEFAULT_PIDS = 512
const MAX_SESSIONS = 256

export interface Program {
  readonly instance: string
  readonly idleMs: number
  /** Sessions at a time, so that their processes fit into the container. */
  readonly maxSessions: number
  start(options: Pick<ChildOptions, 'limit' | 'onMessage' | 'onEnd'>): Promise<Child>
}

export interface ProgramOptions {
  target(agent: string): Promise<StdioTarget>
  readonly hash: Hashing
  readonly log: Logger
}

async function drain(session: ExecSession): Promise<number> {
  const read = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const _chunk of source) continue
  }
  const [code] = await Promise.all([session.exit, read(session.stdout), read(session.stderr)])
  return code
}

export function createPrograms({ target, hash, log }: ProgramOptions) {
  const router = hash.randomToken(9)
  /** Whether a container has a shell; found out when what an earlier router left there is ended. */
  const shells = new Map<string, { instance: string; has: Promise<boolean> }>()

  async function prepare({ adapter, container }: StdioTarget): Promise<boolean> {
    const code = await drain(await adapter.exec(container, reaper(container, router)))
    if (code !== 0) log.info('no shell in the container: what a program leaves behind there stays', { container, code })
    return code === 0
  }

  function hasShell(agent: string, at: StdioTarget): Promise<boolean> {
    const known = shells.get(agent)
    if (known !== undefined && known.instance === at.instance) return known.has
    const has = prepare(at)
    shells.set(agent, { instance: at.instance, has })
    has.catch(() => shells.delete(agent))
    return has
  }

  return {
    /** Throws AGENT_NOT_RUNNING, and what the runtime throws. */
    async find(agent: string): Promise<Program> {
      const at = await target(agent)
      const { mcp, limits } = at.manifest
      if (mcp.transport !== 'stdio')
        throw new PloinkyError('CONFLICT', `The manifest of agent "${agent}" changed since it was started`, {
          hint: `Run: ploinky restart ${agent}`,
        })
      const own = log.child({ agent })
      return {
        instance: at.instance,
        idleMs: mcp.idleSeconds * 1000,
        maxSessions: Math.max(1, Math.min(MAX_SESSIONS, Math.floor((limits.pids ?? DEFAULT_PIDS) / PIDS_PER_PROGRAM))),
        async start(options) {
          const isWrapped = await hasShell(agent, at)
          const { images } = at.adapter.capabilities
          const argv = isWrapped ? wrapped(mcp.argv, { logToContainer: images }) : mcp.argv
          const env = { [MARK]: `${at.container}/${router}/${hash.randomToken(9)}` }
          const start = (stdin: AsyncIterable<Uint8Array>): Promise<ExecSession> =>
            at.adapter.exec(at.container, argv, { env, stdin })
          return await startChild({ ...options, start, log: own })
        },
      }
    },
  }
}

export type Programs = ReturnType<typeof createPrograms>
