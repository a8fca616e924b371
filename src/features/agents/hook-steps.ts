/** The hooks of one start, in their order: preinstall, (install, inside the container), aftercreation, postinstall, host postinstall. */
import type { HookName } from '../../config/manifest/index.ts'
import type { WorkspacePaths } from '../../config/paths.ts'
import { isPloinkyError } from '../../core/error.ts'
import type { ApplyOutcome, RuntimeAdapter, Workload } from '../../../runtimes/adapter.ts'
import { type Consents, type HookRunner, hostHooksOf } from '../hooks/index.ts'
import { explainEnd } from './explain-end.ts'
import { hookCommand, installedCommand, sidecarCommand } from './plan/command.ts'
import type { Plan } from './plan/workload.ts'
import type { Loaded } from './planner.ts'
import type { EnabledAgent } from './registry.ts'

/** Packages from the net may take a while. */
const INSTALL_MS = 15 * 60_000

export interface StepContext {
  readonly agent: EnabledAgent
  readonly loaded: Loaded
  readonly plan: Plan
  readonly progress: (text: string) => void
  readonly signal: AbortSignal | undefined
}

export interface Steps {
  /** `look` is only called when there is a hook that depends on what runs already. */
  beforeCreation(look: () => Promise<Workload | null>): Promise<void>
  afterCreation(adapter: RuntimeAdapter, applied: ApplyOutcome): Promise<void>
  /** The manifest's update command, in an instance that runs. */
  update(adapter: RuntimeAdapter): Promise<void>
}

export interface HookSteps {
  of(context: StepContext): Steps
}

export interface HookStepDeps {
  runner: HookRunner
  consents: Consents
  paths: WorkspacePaths
}

export function createHookSteps({ runner, consents, paths }: HookStepDeps): HookSteps {
  return {
    of(context) {
      const { agent, loaded, plan, progress, signal } = context
      const { hooks, sidecar } = loaded.manifest
      const base = (name: HookName) => {
        const hook = hooks[name]
        const { definition } = loaded
        return hook === undefined
          ? null
          : { agent: agent.name, definition, name, hook, env: plan.spec.env, progress, signal }
      }
      async function onHost(name: HookName, cwd: string): Promise<void> {
        const hook = base(name)
        if (hook === null) return
        // Looked at again right before: what was allowed may have been changed meanwhile.
        await consents.assert(loaded)
        await runner.host(hook, cwd)
      }
      async function inContainer(adapter: RuntimeAdapter): Promise<void> {
        const installs = hooks.install !== undefined && adapter.capabilities.bindMounts
        // Without a probe, an agent that still installs would count as ready.
        const waits = installs && loaded.manifest.readiness.protocol === 'none' ? base('install') : null
        const hook = base('postinstall') ?? waits
        if (hook === null) return
        const line = hook === waits ? ':' : hook.hook.line
        const argv = installs ? installedCommand(line) : hookCommand(line)
        const container = plan.spec.name
        const timeoutMs = installs ? INSTALL_MS : undefined
        try {
          await runner.container({ ...hook, timeoutMs }, { adapter, container, argv })
        } catch (error) {
          // The install hook may have ended the container under it: then that is the reason.
          const workload = await adapter.inspect(container).catch(() => null)
          if (isPloinkyError(error) && workload !== null && workload.state === 'stopped')
            throw await explainEnd(adapter, agent.name, container)
          throw error
        }
      }

      return {
        async update(adapter) {
          const { update } = loaded.manifest
          if (update === null) return
          const { definition } = loaded
          const what = { agent: agent.name, definition, name: 'update' as const, hook: update, env: plan.spec.env }
          const at = { adapter, container: plan.spec.name, argv: hookCommand(update.line) }
          await runner.container({ ...what, progress, signal }, at)
        },
        async beforeCreation(look) {
          if (hostHooksOf(loaded.manifest).length > 0) await consents.assert(loaded)
          if (hooks.preinstall === undefined) return
          const workload = await look()
          if (workload?.state !== 'running') await onHost('preinstall', paths.root)
        },
        async afterCreation(adapter, { outcome }) {
          if (outcome === 'unchanged') return
          if (outcome !== 'started') {
            await onHost('hosthook_aftercreation', loaded.definition.dir)
            await inContainer(adapter)
            await onHost('hosthook_postinstall', loaded.definition.dir)
          }
          if (sidecar !== null) await startBeside(adapter, sidecar)
        },
      }

      async function startBeside(adapter: RuntimeAdapter, line: string): Promise<void> {
        progress('starting the program beside')
        const options = signal === undefined ? {} : { signal }
        const session = await adapter.exec(plan.spec.name, sidecarCommand(line), options)
        await session.exit
      }
    },
  }
}
