/** Which engine a contract run is for, and what happens when it is not there. */
import { execa } from 'execa'
import { createPlatform } from '../../src/platform/create.ts'
import type { Platform } from '../../src/platform/index.ts'
import { silentLogger } from '../../src/core/log.ts'
import type { Detection, RuntimeDefinition } from '../../runtimes/adapter.ts'

export type TestEngine = 'fake' | 'host' | 'bwrap' | 'bwrap-rootless' | 'docker' | 'podman' | 'podman-rootless'

/** Local images of the test set-up; nothing is ever pulled by a test. */
export const IMAGES = { small: 'docker.io/library/alpine:3', node: 'docker.io/library/node:24-alpine' } as const

export const testPlatform: Platform = createPlatform()

export type EngineChoice =
  | { readonly run: true; readonly engine: TestEngine; readonly detection: Detection & { available: true } }
  | { readonly run: false; readonly engine: TestEngine; readonly reason: string; readonly failure: boolean }

const isRoot = (): boolean => process.getuid?.() === 0

/** Podman is one adapter; who runs the tests decides which of the two engines it is. */
export const podmanEngine = (): TestEngine => (isRoot() ? 'podman' : 'podman-rootless')

/** Bubblewrap likewise: what root starts must be held back by more than its rights. */
export const bwrapEngine = (): TestEngine => (isRoot() ? 'bwrap' : 'bwrap-rootless')

/** Two engines of one adapter. */
const adapterOf = (engine: string): string => engine.replace(/-rootless$/, '')

/**
 * Decides for one test file. A file of another engine than `PLOINKY_TEST_ENGINE` is left out quietly;
 * the chosen engine that is missing is a failure with CI=true, otherwise a skip with its reason.
 */
export async function chooseEngine(engine: TestEngine, definition: RuntimeDefinition): Promise<EngineChoice> {
  const wanted = process.env['PLOINKY_TEST_ENGINE']
  if (wanted && adapterOf(wanted) !== adapterOf(engine)) {
    return { run: false, engine, reason: `PLOINKY_TEST_ENGINE is ${wanted}`, failure: false }
  }
  const failure = process.env['CI'] === 'true'
  if (wanted && wanted !== engine) {
    return { run: false, engine, reason: `${wanted} needs another user than uid ${process.getuid?.()}`, failure }
  }
  const adapter = definition.create({ platform: testPlatform, log: silentLogger, stateDir: '/nonexistent' })
  try {
    const detection = await adapter.detect()
    if (detection.available) return { run: true, engine, detection }
    return { run: false, engine, reason: `${detection.code}: ${detection.message}`, failure }
  } finally {
    await adapter[Symbol.asyncDispose]()
  }
}

export interface EngineCli {
  (args: readonly string[], input?: string): Promise<{ exitCode: number; stdout: string; stderr: string }>
}

/** The engine's own command, used to do things behind the adapter's back. */
export function engineCli(program: 'docker' | 'podman'): EngineCli {
  return async (args, input) => {
    const result = await execa(program, args, { reject: false, input: input ?? '', timeout: 60_000, cwd: '/' })
    return { exitCode: result.exitCode ?? 1, stdout: result.stdout, stderr: result.stderr }
  }
}

/** The platform with other environment variables, for the adapter itself and for every program that it starts. */
export function withEnvironment(platform: Platform, env: Record<string, string>): Platform {
  const { processes } = platform
  const overlay = <T extends { env?: Readonly<Record<string, unknown>> }>(spec: T): T => ({
    ...spec,
    env: { ...env, ...spec.env },
  })
  return {
    ...platform,
    env: { ...platform.env, ...env },
    processes: {
      ...processes,
      run: (spec, options) => processes.run(overlay(spec), options),
      stream: (spec, options) => processes.stream(overlay(spec), options),
      interactive: (spec) => processes.interactive(overlay(spec)),
    },
  }
}
