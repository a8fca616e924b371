/** Runs an engine's command line through the platform's spawner and explains its failures. */
import type { PloinkyError } from '../../src/core/error.ts'
import type { ProcessSpec, RunResult } from '../../src/core/process.ts'
import type { MaybeSecret } from '../../src/core/secret.ts'
import type { FileSystem } from '../../src/platform/index.ts'
import type { RuntimeContext } from '../adapter.ts'
import type { CallParts, Dialect, Engine, PreparedEnvironment } from './dialect.ts'
import { planEnvironment } from './environment.ts'
import { classifyFailure, failureError } from './failure.ts'

/** Long enough for a busy machine to create a container; a hung engine must not hang us for ever. */
const CALL_TIMEOUT_MS = 120_000

const STALE_MS = 10 * 60_000

/** A process that was killed leaves its env file behind; its values must not stay on disk. */
async function removeStale(fs: FileSystem, folder: string): Promise<void> {
  for (const name of await fs.list(folder)) {
    if (!/^env-.*\.list$/.test(name)) continue
    const path = `${folder}/${name}`
    const info = await fs.lstat(path)
    if (info !== null && Date.now() - info.mtimeMs > STALE_MS) await fs.remove(path)
  }
}

export function createEngine(context: RuntimeContext, dialect: Dialect): Engine {
  const { platform, log, stateDir } = context
  const program = platform.env[dialect.programVariable] || dialect.program
  const ends = new Set<() => Promise<void> | void>()
  let disposed = false
  // docker prints advertisements after some calls unless told not to.
  const baseEnv = { DOCKER_CLI_HINTS: 'false' }

  const spec = (args: readonly string[], env: Readonly<Record<string, MaybeSecret>> = {}): ProcessSpec => ({
    file: program,
    args,
    env: { ...env, ...baseEnv },
  })
  const fail = (result: { exitCode: number; stderr: string }, what: string): PloinkyError =>
    failureError({ displayName: dialect.displayName, program, ...result }, what)

  async function call(args: readonly string[], parts: CallParts = {}): Promise<RunResult> {
    const started = Date.now()
    const result = await platform.processes.run(spec(args, parts.env), {
      timeoutMs: parts.timeoutMs ?? CALL_TIMEOUT_MS,
      ...(parts.stdin === undefined ? {} : { stdin: parts.stdin }),
      ...(parts.signal === undefined ? {} : { signal: parts.signal }),
    })
    log.debug('engine call', { program, verb: args[0], exitCode: result.exitCode, ms: Date.now() - started })
    return result
  }

  async function must(args: readonly string[], parts: CallParts & { what: string }): Promise<RunResult> {
    const result = await call(args, parts)
    if (result.exitCode !== 0) throw fail(result, parts.what)
    return result
  }

  async function environment(variables: Readonly<Record<string, MaybeSecret>>): Promise<PreparedEnvironment> {
    const plan = planEnvironment(variables, { allowFile: true })
    if (plan.file === null) return { plan, envFile: null, dispose: async () => {} }
    await platform.fs.mkdir(stateDir, { mode: 0o700 })
    await removeStale(platform.fs, stateDir)
    const envFile = `${stateDir}/env-${platform.hash.randomToken(12)}.list`
    await platform.fs.writeAtomic(envFile, plan.file, { mode: 0o600 })
    return { plan, envFile, dispose: () => platform.fs.remove(envFile) }
  }

  return {
    dialect,
    platform,
    log,
    program,
    stateDir,
    call,
    must,
    spec,
    fail,
    environment,
    stream: (args, { env, ...options } = {}) => platform.processes.stream(spec(args, env), options),
    codeOf: (stderr) => classifyFailure({ displayName: dialect.displayName, program, stderr }).code,
    source: (args) => ({ runtime: dialect.id, command: `${dialect.program} ${args.slice(0, 3).join(' ')}` }),
    track(end) {
      // What was just being opened when the adapter was disposed of ends at once.
      if (disposed) void end()
      else ends.add(end)
      return () => ends.delete(end)
    },
    async dispose() {
      disposed = true
      const pending = [...ends]
      ends.clear()
      await Promise.allSettled(pending.map(async (end) => await end()))
    },
  }
}
