/** What a workspace gives to its agents over their manifests: which variable, and where it is looked up. */
import { exposedDocument } from '../../config/documents.ts'
import { own } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import type { SecretStore } from '../secrets/index.ts'
import { assertSettable, type Given, kept } from './given.ts'
import { referenceOf } from './lookup.ts'
import { isReserved } from './names.ts'
import { exposedName } from './resolve.ts'

export interface Exposure {
  readonly agent: string
  readonly name: string
  /** Name of the variable that it is given from; null: it was given a value of its own. */
  readonly from: string | null
}

/** An enabled agent, as the registry knows it. */
export interface ExposedAgent {
  /** In this workspace. */
  readonly name: string
  readonly repo: string
  /** In its repository. */
  readonly agent: string
}

interface ExposingOptions {
  readonly store: Store
  readonly secrets: SecretStore
  readonly changed: (type: string, subject: string, data: Record<string, unknown>) => void
}

export function createExposing({ store, secrets, changed }: ExposingOptions) {
  return {
    async exposures(): Promise<Exposure[]> {
      const { exposed } = await store.read(exposedDocument)
      return Object.entries(exposed).flatMap(([agent, { variables }]) =>
        Object.entries(variables).map(([name, from]) => ({ agent, name, from: isReserved(from) ? null : from })),
      )
    },
    async expose(agent: ExposedAgent, name: string, value: Given): Promise<Exposure> {
      assertSettable(name)
      const reference = 'word' in value ? referenceOf(value.word) : null
      if (reference !== null) assertSettable(reference)
      const stored = exposedName(agent.name, name)
      // The value first: a name without one would keep the agent from starting.
      if (reference === null) await secrets.set(stored, kept(value))
      const definition = `${agent.repo}/${agent.agent}`
      let left: string[] = []
      await store.update(exposedDocument, ({ exposed }) => {
        const before = own(exposed, agent.name)
        const isSame = before?.definition === definition
        left = isSame ? [] : Object.keys(before?.variables ?? {}).filter((other) => other !== name)
        const variables = { ...(isSame ? before.variables : {}), [name]: reference ?? stored }
        return { exposed: { ...exposed, [agent.name]: { definition, variables } } }
      })
      for (const other of left) await secrets.unset(exposedName(agent.name, other))
      if (reference !== null) await secrets.unset(stored)
      changed('variable.exposed', agent.name, { name })
      return { agent: agent.name, name, from: reference }
    },
    async unexpose(agent: string, name: string): Promise<boolean> {
      assertSettable(name)
      let removed = false
      await store.update(exposedDocument, ({ exposed }) => {
        const { [agent]: mine, ...rest } = exposed
        if (mine === undefined) return { exposed }
        const { [name]: old, ...others } = mine.variables
        removed = old !== undefined
        return {
          exposed: Object.keys(others).length === 0 ? rest : { ...rest, [agent]: { ...mine, variables: others } },
        }
      })
      await secrets.unset(exposedName(agent, name))
      if (removed) changed('variable.hidden', agent, { name })
      return removed
    },
  }
}
