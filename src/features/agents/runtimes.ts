/** Which runtime: the order of preference, every refusal with its reason. */
import { PloinkyError } from '../../core/error.ts'
import type { Detection, RuntimeAdapter, RuntimeCapabilities, RuntimeId } from '../../../runtimes/adapter.ts'

export interface RuntimeChoice {
  readonly id: RuntimeId
  readonly displayName: string
  readonly detection: Detection
  /** Of a runtime that cannot be used, only what does not depend on this machine. */
  readonly capabilities: RuntimeCapabilities
}

export interface Runtimes {
  /** The adapter, detected. RUNTIME_UNAVAILABLE with the reason when it cannot be used. */
  use(id: RuntimeId): Promise<RuntimeAdapter>
  /** First usable of the engines; null when there is none. */
  firstEngine(): Promise<RuntimeAdapter | null>
  /** What was found of one. */
  look(id: RuntimeId): Promise<RuntimeChoice>
  /** Every engine with what was found, for `doctor` and errors. */
  survey(): Promise<RuntimeChoice[]>
  /** In every runtime that this process has used. */
  sweep(workspace: string, jobs: 'orphaned' | 'all'): Promise<void>
  dispose(): Promise<void>
}

export interface RuntimesOptions {
  create(id: RuntimeId): Promise<RuntimeAdapter>
  /** In order of preference. */
  engines: readonly RuntimeId[]
}

interface Opened {
  readonly adapter: RuntimeAdapter
  readonly detection: Promise<Detection>
}

export function createRuntimes({ create, engines }: RuntimesOptions): Runtimes {
  const opened = new Map<RuntimeId, Promise<Opened>>()

  function open(id: RuntimeId): Promise<Opened> {
    const known = opened.get(id)
    if (known !== undefined) return known
    const entry = create(id).then((adapter) => ({ adapter, detection: adapter.detect() }))
    opened.set(id, entry)
    return entry
  }

  async function look(id: RuntimeId): Promise<RuntimeChoice> {
    const { adapter, detection } = await open(id)
    const found = await detection
    return { id, displayName: adapter.displayName, detection: found, capabilities: adapter.capabilities }
  }

  return {
    async use(id) {
      const { adapter, detection } = await open(id)
      const found = await detection
      if (found.available) return adapter
      // Asked again next time: an engine may be started meanwhile.
      opened.delete(id)
      throw new PloinkyError('RUNTIME_UNAVAILABLE', `${adapter.displayName} cannot be used: ${found.message}`, {
        hint: found.hint,
        details: { runtime: id, reason: found.code },
      })
    },
    async firstEngine() {
      for (const id of engines) {
        const { adapter, detection } = await open(id)
        if ((await detection).available) return adapter
      }
      return null
    },
    look,
    survey: () => Promise.all(engines.map(look)),
    async sweep(workspace, jobs) {
      await Promise.all(
        [...opened.values()].map(async (entry) => {
          const { adapter, detection } = await entry
          if ((await detection).available) await adapter.sweep(workspace, { jobs })
        }),
      )
    },
    async dispose() {
      await Promise.all([...opened.values()].map(async (entry) => (await entry).adapter[Symbol.asyncDispose]()))
      opened.clear()
    },
  }
}

/** One line an engine: why it is not used. */
export function refusals(survey: readonly RuntimeChoice[]): string[] {
  return survey.flatMap(({ displayName, detection }) =>
    detection.available ? [] : [`${displayName}: ${detection.message}. ${detection.hint}`],
  )
}
