/** Grants of the workspace, `.ploinky/grants.json`: commands change them, the router follows them. */
import { type AgentRecord, type Granted, grantsDocument } from '../../config/documents.ts'
import { PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { own } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import type { CallTarget } from './target.ts'

export interface Grant {
  readonly caller: string
  readonly agent: string
  /** Null: all that other agents may call. */
  readonly tools: readonly string[] | null
  /** Who says so: the caller's manifest, or the workspace. */
  readonly from: 'manifest' | 'workspace'
}

export type Caller = Pick<AgentRecord, 'repo' | 'agent' | 'calls'> & { readonly name: string }

/** `agent`, or `agent/tool`. */

export interface Grants {
  list(callers: readonly Caller[]): Promise<Grant[]>
  /** What the workspace grants a caller afterwards. */
  add(caller: Caller, targets: readonly CallTarget[]): Promise<Grant[]>
  /** Takes grants of the workspace back; what the manifest says stays. False: there was none of these. */
  remove(caller: Caller, targets: readonly CallTarget[]): Promise<boolean>
}

const definitionOf = ({ repo, agent }: Caller): string => `${repo}/${agent}`

type Call = Granted['calls'][number]

function withTarget(calls: readonly Call[], { agent, tool }: CallTarget): Call[] {
  const before = calls.find((call) => call.agent === agent)
  const others = calls.filter((call) => call.agent !== agent)
  if (tool === null || before?.tools === null) return [...others, { agent, tools: null }]
  return [...others, { agent, tools: [...new Set([...(before?.tools ?? []), tool])].toSorted() }]
}

function withoutTarget(calls: readonly Call[], { agent, tool }: CallTarget): Call[] {
  return calls.flatMap((call) => {
    if (call.agent !== agent) return [call]
    if (tool === null) return []
    const tools = call.tools?.filter((each) => each !== tool) ?? null
    return tools?.length === 0 ? [] : [{ agent, tools }]
  })
}

const toGrants = (name: string, calls: readonly Call[], from: Grant['from']): Grant[] =>
  calls.map(({ agent, tools }) => ({ caller: name, agent, tools, from }))

export function createGrants({ store, events }: { store: Store; events: EventBus }): Grants {
  const ofWorkspace = (grants: Readonly<Record<string, Granted>>, caller: Caller): readonly Call[] => {
    const granted = own(grants, caller.name)
    return granted?.definition === definitionOf(caller) ? granted.calls : []
  }

  async function change(caller: Caller, make: (calls: readonly Call[]) => readonly Call[]): Promise<boolean> {
    let changed = false
    await store.update(grantsDocument, ({ grants }) => {
      const before = ofWorkspace(grants, caller)
      const calls = make(before)
      changed = JSON.stringify(before) !== JSON.stringify(calls)
      const { [caller.name]: _mine, ...rest } = grants
      if (calls.length === 0) return { grants: rest }
      return { grants: { ...rest, [caller.name]: { definition: definitionOf(caller), calls: [...calls] } } }
    })
    return changed
  }

  const tell = (type: string, caller: Caller, targets: readonly CallTarget[]): void => {
    const calls = targets.map(({ agent, tool }) => (tool === null ? agent : `${agent}/${tool}`))
    events.emit({ type, subject: caller.name, data: { calls } })
  }

  return {
    async list(callers) {
      const { grants } = await store.read(grantsDocument)
      return callers.flatMap((caller) => [
        ...toGrants(caller.name, caller.calls ?? [], 'manifest'),
        ...toGrants(caller.name, ofWorkspace(grants, caller), 'workspace'),
      ])
    },
    async add(caller, targets) {
      const changed = await change(caller, (calls) => targets.reduce<readonly Call[]>(withTarget, calls))
      if (changed) tell('call.granted', caller, targets)
      const { grants } = await store.read(grantsDocument)
      return toGrants(caller.name, ofWorkspace(grants, caller), 'workspace')
    },
    async remove(caller, targets) {
      for (const { agent, tool } of targets) {
        // A whole agent holds all of its tools: taking one of them back would leave it callable.
        const { grants } = await store.read(grantsDocument)
        const whole = ofWorkspace(grants, caller).some((call) => call.agent === agent && call.tools === null)
        if (tool !== null && whole)
          throw new PloinkyError('CONFLICT', `"${caller.name}" may call everything of "${agent}"`, {
            hint: `Run: ploinky revoke ${caller.name} ${agent}, then grant the tools one by one`,
          })
      }
      const changed = await change(caller, (calls) => targets.reduce<readonly Call[]>(withoutTarget, calls))
      if (changed) tell('call.revoked', caller, targets)
      return changed
    },
  }
}
