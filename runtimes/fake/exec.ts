/** Programs started in a running instance. */
import { PloinkyError } from '../../src/core/error.ts'
import { revealed, type MaybeSecret } from '../../src/core/secret.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { RuntimeAdapter } from '../adapter.ts'
import { missing } from './errors.ts'
import { environmentOf, programOf } from './lifecycle.ts'
import { notFound } from './programs.ts'
import { startProgram, type FakeExecution, type FakePrograms, type ProgramInit } from './program.ts'
import { createFakeTty } from './terminal.ts'
import type { FakeInstance, FakeWorld } from './world.ts'

interface Parts {
  world: FakeWorld
  programs: FakePrograms
  platform: Platform
  /** Aborts when the adapter goes. */
  disposed: AbortSignal
}

export function createFakeExec({
  world,
  programs,
  disposed,
}: Parts): Pick<RuntimeAdapter, 'exec' | 'openTty' | 'interactive'> {
  function running(name: string, signal?: AbortSignal): FakeInstance {
    if (signal?.aborted) throw new PloinkyError('INTERRUPTED', `Interrupted: program in "${name}"`)
    const instance = world.instances.get(name)
    if (instance === undefined) throw missing(name)
    if (instance.state === 'running') return instance
    throw new PloinkyError('AGENT_NOT_RUNNING', `"${name}" does not run`, {
      hint: `Start it: ploinky start ${instance.spec.agent}`,
    })
  }

  function launch(instance: FakeInstance, init: ProgramInit, signal?: AbortSignal): FakeExecution {
    const execution = startProgram(programOf(programs, init.argv) ?? notFound, init)
    const kill = (): void => execution.signal('SIGKILL')
    const signals = signal === undefined ? [disposed] : [disposed, signal]
    instance.executions.add(execution)
    for (const one of signals) one.addEventListener('abort', kill, { once: true })
    void execution.exit.then(() => {
      instance.executions.delete(execution)
      for (const one of signals) one.removeEventListener('abort', kill)
    })
    return execution
  }

  const surroundings = (
    instance: FakeInstance,
    options: { env?: Readonly<Record<string, MaybeSecret>>; cwd?: string },
  ) => ({
    env: {
      ...environmentOf(instance.spec),
      ...Object.fromEntries(Object.entries(options.env ?? {}).map(([name, value]) => [name, revealed(value)])),
    },
    cwd: options.cwd ?? instance.spec.workdir ?? '/',
    files: instance.files,
    serve: (port: number, handler: Parameters<ProgramInit['serve']>[1]) => void instance.handlers.set(port, handler),
  })

  return {
    async exec(name, argv, options = {}) {
      const instance = running(name, options.signal)
      const stdin = toIterable(options.stdin)
      const execution = launch(instance, { argv, stdin, ...surroundings(instance, options) }, options.signal)
      return {
        stdout: execution.stdout,
        stderr: execution.stderr,
        exit: execution.exit,
        kill: async () => execution.signal('SIGKILL'),
      }
    },
    async openTty(name, argv, options) {
      const instance = running(name, options.signal)
      const tty = createFakeTty({ cols: options.cols, rows: options.rows })
      const around = surroundings(instance, options)
      const env = { TERM: 'xterm-256color', ...around.env }
      const { terminal, stdin } = tty
      const execution = launch(instance, { argv, stdin, terminal, ...around, env }, options.signal)
      return tty.session(execution, async () => execution.signal('SIGKILL'))
    },
    async interactive(name) {
      running(name)
      throw new PloinkyError('CAPABILITY_UNSUPPORTED', 'The fake runtime runs no program that could be handed over', {
        hint: 'Choose a runtime that runs programs: ploinky start --runtime host',
      })
    },
  }
}

async function* toIterable(
  stdin: string | Uint8Array | AsyncIterable<Uint8Array> | undefined,
): AsyncGenerator<Uint8Array> {
  if (stdin === undefined) return
  if (typeof stdin === 'string') yield new TextEncoder().encode(stdin)
  else if (stdin instanceof Uint8Array) yield stdin
  else yield* stdin
}
