/** The workspace's opt-in to sandboxes: agents whose manifest says `lite-sandbox` then run under bubblewrap, not in a container. */
import type { Explained, Settings } from '../../config/settings.ts'
import type { RuntimeId } from '../../../runtimes/adapter.ts'
import type { Planner, Registry, Runtimes } from '../agents/index.ts'

/** Where those agents run then. */
const SANDBOX_RUNTIME: RuntimeId = 'bwrap'
/** The operator's word against every workspace; of the first generation. */
const FORBIDS = 'PLOINKY_DISABLE_HOST_SANDBOX'

export interface SandboxState {
  /** What counts: opted in, and not forbidden. */
  readonly enabled: boolean
  /** Where that comes from. */
  readonly from: string
  readonly runtime: string
  readonly usable: boolean
  /** Version, or why it cannot be used. */
  readonly detail: string
  readonly hint: string | null
  readonly notes: readonly string[]
  /** Enabled agents that run there when nothing else is asked for. */
  readonly agents: readonly string[]
}

export interface Sandbox {
  /** Whether agents that ask for it are to run in one. Nothing is said about whether it can be had. */
  readonly enabled: boolean
  readonly runtime: RuntimeId
  /** `setting`: as it has just been set, where this process has started with another one. */
  state(setting?: Pick<Explained, 'value' | 'from'>): Promise<SandboxState>
}

export interface SandboxDeps {
  /** The sandbox's one may change while a router runs. */
  settings: Pick<Settings, 'sandbox'>
  /** As this process has started. */
  explained: readonly Explained[]
  env: Readonly<Record<string, string | undefined>>
  runtimes: Runtimes
  registry: Registry
  planner: Planner
}

const saysYes = (text: string | undefined): boolean =>
  text !== undefined && !['', '0', 'false', 'no', 'off'].includes(text.toLowerCase())

export function createSandbox(deps: SandboxDeps): Sandbox {
  const isForbidden = (): boolean => saysYes(deps.env[FORBIDS])

  /** One that cannot be read says nothing; its start tells why. */
  async function agents(): Promise<string[]> {
    const asked = await Promise.all(
      (await deps.registry.list()).map((agent) =>
        deps.planner.load(agent).then(
          ({ manifest }) => (manifest.liteSandbox ? [agent.name] : []),
          () => [],
        ),
      ),
    )
    return asked.flat()
  }

  return {
    runtime: SANDBOX_RUNTIME,
    get enabled() {
      return deps.settings.sandbox && !isForbidden()
    },
    async state(setting) {
      const started = deps.explained.find(({ name }) => name === 'sandbox')
      // The environment counts for more than what has just been written.
      const known = setting === undefined || started?.source === 'environment' ? started : setting
      const [found, asked] = await Promise.all([deps.runtimes.look(SANDBOX_RUNTIME), agents()])
      const { detection } = found
      return {
        enabled: known?.value === true && !isForbidden(),
        from: isForbidden() ? FORBIDS : (known?.from ?? 'default'),
        runtime: found.displayName,
        usable: detection.available,
        detail: detection.available ? detection.version : detection.message,
        hint: detection.available ? null : detection.hint,
        notes: detection.available ? detection.notes : [],
        agents: asked,
      }
    },
  }
}
