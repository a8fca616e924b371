/** Where an agent runs: what was asked for, else where it ran, else the first engine. No fallback that nobody allowed. */
import type { Manifest } from '../../config/manifest/index.ts'
import type { Explained, Settings } from '../../config/settings.ts'
import { isPloinkyError, PloinkyError } from '../../core/error.ts'
import type { RuntimeAdapter, RuntimeId } from '../../../runtimes/adapter.ts'
import { BUILTIN_REPO } from '../repos/index.ts'
import type { EnabledAgent } from './registry.ts'
import { refusals, type Runtimes } from './runtimes.ts'

/** The one agent that may run without isolation unasked. */
const DEMO_AGENT = 'demo'

export interface Choice {
  readonly agent: EnabledAgent
  readonly manifest: Pick<Manifest, 'liteSandbox'>
  /** Told what a person has to know about the choice. */
  readonly notice?: (text: string) => void
}

export interface RuntimeChooser {
  /** What is asked for; null: any engine will do. */
  wanted(manifest: Choice['manifest']): RuntimeId | null
  /** RUNTIME_UNAVAILABLE with every reason. */
  choose(choice: Choice): Promise<RuntimeAdapter>
}

export interface ChooserDeps {
  settings: Pick<Settings, 'runtime'>
  /** Where the settings come from. */
  explained: readonly Pick<Explained, 'name' | 'source'>[]
  /** `enabled`: agents that ask for a sandbox are to run in one, on this runtime. */
  sandbox: { readonly enabled: boolean; readonly runtime: RuntimeId }
  runtimes: Runtimes
}

export function createRuntimeChooser({ settings, explained, sandbox, runtimes }: ChooserDeps): RuntimeChooser {
  const isTyped = explained.some(({ name, source }) => name === 'runtime' && source === 'flag')
  /** Only what is typed now counts for more than the workspace's word on just these agents. */
  const inSandbox = ({ liteSandbox }: Choice['manifest']): boolean => liteSandbox && sandbox.enabled && !isTyped

  function wanted(manifest: Choice['manifest']): RuntimeId | null {
    if (inSandbox(manifest)) return sandbox.runtime
    return settings.runtime === 'auto' ? null : (settings.runtime as RuntimeId)
  }

  async function useSandbox({ name }: EnabledAgent): Promise<RuntimeAdapter> {
    try {
      return await runtimes.use(sandbox.runtime)
    } catch (error) {
      if (!isPloinkyError(error) || error.code !== 'RUNTIME_UNAVAILABLE') throw error
      throw new PloinkyError('RUNTIME_UNAVAILABLE', `Agent "${name}" is to run in a sandbox here: ${error.message}`, {
        hint: `${error.hint ?? ''}; for containers from now on, run: ploinky sandbox disable`,
        details: { ...error.details, agent: name },
      })
    }
  }

  return {
    wanted,
    async choose({ agent, manifest, notice }) {
      if (inSandbox(manifest)) return await useSandbox(agent)
      const asked = wanted(manifest)
      if (asked !== null) return await runtimes.use(asked)
      if (agent.runtime !== null) {
        const before = await runtimes.use(agent.runtime).catch(() => null)
        // What runs without an engine is asked for each time.
        if (before?.capabilities.images) return before
      }
      const engine = await runtimes.firstEngine()
      if (engine !== null) return engine
      const reasons = refusals(await runtimes.survey())
      // Only the demo: the shell agent runs any command line, and that on the host must be somebody's own decision.
      if (agent.repo === BUILTIN_REPO && agent.agent === DEMO_AGENT) {
        notice?.(
          `No container engine can be used, so the demo agent runs as a plain process of this machine, without isolation. ${reasons.join(' ')}`,
        )
        return await runtimes.use('host')
      }
      throw new PloinkyError('RUNTIME_UNAVAILABLE', `No container engine can be used: ${reasons.join(' ')}`, {
        hint: 'Install podman or docker, or allow plain processes: ploinky start --runtime host',
        details: { reasons },
      })
    },
  }
}
