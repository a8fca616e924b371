/** Throw-away containers: a program that is run to its end, and of which nothing stays. */
import type { RunningProcess } from '../../src/core/process.ts'
import { LABEL_OWNER } from '../../src/core/id.ts'
import { delay } from '../../src/core/time.ts'
import type { CallOptions, ExecSession, JobSpec, RuntimeCapabilities, SweepOptions } from '../adapter.ts'
import { joinedNetworks } from '../supported.ts'
import type { Containers } from './containers.ts'
import type { Engine } from './dialect.ts'
import { isEngineFailure, supervise } from './exec.ts'
import { jobArgs } from './oci.ts'
import { isOwnerGone, ownerOf } from './owner.ts'
import type { Networks } from './networks.ts'

/** `run` itself failed: nothing was started. A program may end with the same code, but does not say this. */
const RUN_FAILED = 125
const RUN_MESSAGE = /^(?:docker: |Error: )/m
const REMOVE_EVERY_MS = 100
/** An engine that takes longer to create a container than this is left to `sweep`. */
const REMOVE_MS = 30_000

export interface Jobs {
  job(spec: JobSpec, options?: CallOptions): Promise<ExecSession>
  /** Names of the containers that were removed. */
  removeJobs(workspace: string, options: SweepOptions): Promise<readonly string[]>
}

const isRunFailure = (code: number, tail: string): boolean =>
  isEngineFailure(code, tail) || (code === RUN_FAILED && RUN_MESSAGE.test(tail))

export interface JobsParts {
  readonly containers: Containers
  readonly networks: Networks
  support(): RuntimeCapabilities
}

export function createJobs(engine: Engine, { containers, networks, support }: JobsParts): Jobs {
  const { platform, dialect } = engine
  let owner: Promise<string> | undefined

  const removeNow = (name: string) =>
    engine.call(['rm', '--force', '--volumes', ...dialect.removeFlags, '--', name], {})

  /**
   * The engine may still be creating it: removed again and again until its own command has ended, which is not killed
   * before, or a container could appear after the last look.
   */
  async function end(name: string, child: RunningProcess): Promise<void> {
    const ended = child.exit.then(
      () => true,
      () => true,
    )
    const deadline = Date.now() + REMOVE_MS
    do await removeNow(name)
    while (!(await Promise.race([ended, delay(REMOVE_EVERY_MS).then(() => false)])) && Date.now() < deadline)
    child.kill('SIGKILL')
    await ended
    await removeNow(name)
  }

  return {
    async job(spec, options = {}) {
      const names = joinedNetworks(spec).map(({ engineName }) => engineName)
      owner ??= ownerOf(platform)
      const name = `ploinky-${spec.agent}-${spec.workspace}-job-${platform.hash.randomToken(9)}`
      const environment = await engine.environment(spec.env)
      let failed = false
      try {
        const args = jobArgs(dialect, spec, {
          name,
          owner: await owner,
          environment: environment.plan,
          envFile: environment.envFile,
          enforced: support().limits,
        })
        await networks.ensure(spec.workspace, names)
        const child = engine.stream(args, { env: environment.plan.env })
        return supervise(engine, {
          child,
          kill: () => end(name, child),
          async ended() {
            await environment.dispose()
            if (failed) await removeNow(name)
          },
          signal: options.signal,
          what: `run a job of "${spec.agent}"`,
          isFailure: (code, tail) => {
            failed = isRunFailure(code, tail)
            if (failed) networks.forget(names)
            return failed
          },
        })
      } catch (error) {
        await environment.dispose()
        throw error
      }
    },
    async removeJobs(workspace, { jobs = 'orphaned', ...options }) {
      const found = await containers.jobs(workspace, options)
      const removed = await Promise.all(
        found.map(async (container) => {
          const wanted = jobs === 'all' || (await isOwnerGone(platform, container.labels[LABEL_OWNER] ?? ''))
          return wanted && (await containers.removeFound(container, options)) ? [container.name] : []
        }),
      )
      return removed.flat()
    },
  }
}
