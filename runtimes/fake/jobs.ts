/** Jobs: programs that run once, outside of any instance. They live and end with this process: none is ever orphaned. */
import { PloinkyError } from '../../src/core/error.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { RuntimeAdapter } from '../adapter.ts'
import { imageNotFound } from './errors.ts'
import { check, checkMounts, environmentOf, programOf } from './lifecycle.ts'
import { notFound } from './programs.ts'
import { startProgram, type FakePrograms } from './program.ts'
import { joinNetworks, removeUnusedNetworks, type FakeWorld } from './world.ts'

interface Parts {
  world: FakeWorld
  programs: FakePrograms
  platform: Platform
  /** Aborts when the adapter goes. */
  disposed: AbortSignal
}

export function createFakeJobs({ world, programs, platform, disposed }: Parts): Pick<RuntimeAdapter, 'job' | 'sweep'> {
  return {
    async job(spec, options = {}) {
      if (options.signal?.aborted) throw new PloinkyError('INTERRUPTED', `Interrupted: job of "${spec.agent}"`)
      check(spec)
      if (spec.image === null || !world.images.has(spec.image)) throw imageNotFound(spec.image ?? '(none)')
      await checkMounts(platform, spec)
      joinNetworks(world, spec)
      const argv = [...(spec.entrypoint ?? []), ...(spec.command ?? [])]
      const name = `ploinky-${spec.agent}-${spec.workspace}-job-${platform.hash.randomToken(9)}`
      const execution = startProgram(programOf(programs, argv) ?? notFound, {
        argv,
        env: environmentOf(spec),
        cwd: spec.workdir ?? '/',
        stdin: (async function* () {})(),
        files: new Map(),
        serve: () => {},
      })
      world.jobs.set(name, { workspace: spec.workspace, execution })
      const signal = options.signal === undefined ? disposed : AbortSignal.any([options.signal, disposed])
      const kill = (): void => execution.signal('SIGKILL')
      signal.addEventListener('abort', kill, { once: true })
      if (signal.aborted) kill()
      const exit = execution.exit.finally(() => {
        world.jobs.delete(name)
        signal.removeEventListener('abort', kill)
      })
      return { stdout: execution.stdout, stderr: execution.stderr, exit, kill: async () => kill() }
    },
    async sweep(workspace, options = {}) {
      const jobs = [...world.jobs].filter(([, job]) => options.jobs === 'all' && job.workspace === workspace)
      for (const [, { execution }] of jobs) execution.signal('SIGKILL')
      await Promise.all(jobs.map(([, { execution }]) => execution.exit))
      return { jobs: jobs.map(([name]) => name), networks: removeUnusedNetworks(world, workspace) }
    },
  }
}
