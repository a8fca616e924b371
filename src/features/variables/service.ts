/** Variables of a workspace: reads and makes what agents need, and changes what people set. */
import { exposedDocument } from '../../config/documents.ts'
import type { WorkspacePaths } from '../../config/paths.ts'
import type { EventBus } from '../../core/events.ts'
import { revealed, Secret } from '../../core/secret.ts'
import type { Store } from '../../core/store.ts'
import type { Platform } from '../../platform/index.ts'
import type { SecretStore } from '../secrets/index.ts'
import { deriveSecret } from './derive.ts'
import { createExposing, type ExposedAgent, type Exposure } from './exposing.ts'
import { findDotEnv } from './find-dotenv.ts'
import { assertSettable, type Given, kept, unknownVariable } from './given.ts'
import { chainProblem, lookup, sourceOf } from './lookup.ts'
import { masterKey } from './master-key.ts'
import { isReserved, isVariableName, takes } from './names.ts'
import { derivedFor, generatedName, originKey, originsOf } from './origins.ts'
import type { DotEnv, EnvironmentRequest, Sources } from './types.ts'

/** 256 bits. */
const GENERATED_BYTES = 32

export interface Variable {
  readonly name: string
  readonly from: string
  /** Null: it leads nowhere, and `from` says how. */
  readonly value: Secret | null
  /** Without a value: the name that would have to be set. */
  readonly toSet: string | null
  /** As written in `.secrets`; null when it is not there. */
  readonly raw: Secret | null
}

export interface Variables {
  /**
   * All that the environments of these agents need; then `resolveEnvironment` decides without waiting. With `create`, missing
   * generated secrets and a missing master key are made and kept; without, they are told as "made at the next start".
   */
  load(requests: readonly EnvironmentRequest[], options: { readonly create: boolean }): Promise<Sources>
  /** Of `.secrets` and `.env`; with a pattern of the environment too. Never the workspace's own. */
  list(pattern: string | null): Promise<readonly Variable[]>
  /** CONFIG_INVALID when it is not set. */
  get(name: string): Promise<Variable>
  set(name: string, value: Given): Promise<void>
  /** False when `.secrets` has none. */
  unset(name: string): Promise<boolean>
  exposures(): Promise<readonly Exposure[]>
  /** Gives an agent a variable, over its manifest. */
  expose(agent: ExposedAgent, name: string, value: Given): Promise<Exposure>
  /** False when there was none. */
  unexpose(agent: string, name: string): Promise<boolean>
}

export interface VariablesOptions {
  readonly platform: Platform
  readonly paths: WorkspacePaths
  readonly store: Store
  readonly secrets: SecretStore
  readonly events: EventBus
  /** Told once each. */
  readonly onWarning: (message: string) => void
}

export function createVariables(options: VariablesOptions): Variables {
  const { platform, paths, store, secrets, events } = options
  const { fs, lock, env, os } = platform
  const told = new Set<string>()
  const onWarning = (message: string): void => {
    if (!told.has(message)) options.onWarning(message)
    told.add(message)
  }

  async function places() {
    const [all, dotenv] = await Promise.all([
      secrets.all(),
      findDotEnv({ fs, root: paths.root, home: os.homeDir, uid: os.uid, onWarning }),
    ])
    return { secrets: all, dotenv, environment: env }
  }

  const key = (dotenv: DotEnv | null, create: boolean): Promise<Secret | null> =>
    masterKey(
      { fs, lock, file: paths.masterKey, lockFile: `${paths.running}/master-key.lock`, environment: env, onWarning },
      { dotenv, create },
    )

  const describe = (name: string, at: Awaited<ReturnType<typeof places>>): Variable => {
    const found = lookup(name, at)
    const raw = at.secrets.get(name) ?? null
    if (!found.ok) {
      // The end of a chain; in a circle or at a name that nobody may use, the beginning is to be changed.
      const toSet = found.reason === 'unset' ? (found.chain.at(-1) ?? name) : name
      return { name, from: chainProblem(found) ?? 'not set', value: null, toSet, raw }
    }
    return { name, from: sourceOf(name, found).text, value: new Secret(revealed(found.value)), toSet: null, raw }
  }

  const changed = (type: string, subject: string, data: Record<string, unknown>): void =>
    void events.emit({ type, subject, data })

  const exposing = createExposing({ store, secrets, changed })

  return {
    async load(requests, { create }) {
      const [at, { exposed }] = await Promise.all([places(), store.read(exposedDocument)])
      const made = await makeAll(requests, { exposed, create, at, secrets, platform, key })
      return { ...at, workspaceRoot: paths.root, exposed, made }
    },
    async list(pattern) {
      const at = await places()
      const wanted = pattern ?? '*'
      const fits = (name: string): boolean =>
        pattern === null ? isVariableName(name) && !isReserved(name) : takes(wanted, name) || isEverything(wanted, name)
      const names = [
        ...at.secrets.keys(),
        ...(at.dotenv?.values.keys() ?? []),
        ...(pattern === null ? [] : Object.keys(env)),
      ]
      return [...new Set(names.filter(fits))].sort().map((name) => describe(name, at))
    },
    async get(name) {
      assertSettable(name)
      const at = await places()
      const variable = describe(name, at)
      if (variable.value !== null || variable.raw !== null) return variable
      const known = [...at.secrets.keys(), ...(at.dotenv?.values.keys() ?? [])].filter((other) => !isReserved(other))
      throw unknownVariable(name, known)
    },
    async set(name, value) {
      assertSettable(name)
      await secrets.set(name, kept(value))
      changed('variable.set', name, {})
    },
    async unset(name) {
      assertSettable(name)
      const removed = await secrets.unset(name)
      if (removed) changed('variable.removed', name, {})
      return removed
    },
    ...exposing,
  }
}

/** A pattern that was typed means what it says: API keys are left out of an agent's `*` only. */
const isEverything = (pattern: string, name: string): boolean =>
  /^\*+$/.test(pattern) && isVariableName(name) && !isReserved(name)

interface Making {
  readonly exposed: Sources['exposed']
  readonly create: boolean
  readonly at: Pick<Sources, 'secrets' | 'dotenv'>
  readonly secrets: SecretStore
  readonly platform: Platform
  key(dotenv: DotEnv | null, create: boolean): Promise<Secret | null>
}

/** All derived and generated secrets of all agents: one write for those that have to be made. */
async function makeAll(requests: readonly EnvironmentRequest[], making: Making): Promise<Map<string, Secret | null>> {
  const { exposed, create, at, secrets, platform, key } = making
  const wanted = requests.flatMap((request) => originsOf(request, exposed).map((origin) => ({ origin, request })))
  const made = new Map<string, Secret | null>()
  const generated = wanted.flatMap(({ origin, request }) =>
    origin.kind === 'generated' ? [generatedName(origin, request)] : [],
  )
  const missing = [...new Set(generated)].filter((name) => !at.secrets.has(name))
  const now =
    create && missing.length > 0
      ? await secrets.ensureAll(missing, () => platform.hash.randomToken(GENERATED_BYTES))
      : new Map<string, Secret>()
  for (const name of generated) made.set(name, at.secrets.get(name) ?? now.get(name) ?? null)
  let seed: Promise<Secret | null> | null = null
  for (const { origin, request } of wanted) {
    if (origin.kind !== 'derived') continue
    const from = await (seed ??= key(at.dotenv, create))
    const value = from === null ? null : await deriveSecret(from, derivedFor(origin, request))
    made.set(originKey(origin, request), value)
  }
  return made
}
