/** What agents ask for, where values may come from, and what came of it. Plain data. */
import type { ExposedTo } from '../../config/documents.ts'
import type { Problem } from '../../config/check.ts'
import type { Manifest } from '../../config/manifest/types.ts'
import type { MaybeSecret, Secret } from '../../core/secret.ts'

/** What one agent needs to be given. */
export interface EnvironmentRequest extends Pick<Manifest, 'env' | 'secrets' | 'resourceEnv'> {
  /** Name in this workspace. */
  readonly agent: string
  readonly repo: string
  /** Name in its repository; absent: the same. Derived secrets belong to it. */
  readonly definition?: string
  /** Manifest, for messages. */
  readonly file?: string
  /** The first persistent storage folder: its places on this host and in the container. */
  readonly storage?: { readonly host: string; readonly container: string } | null
  /** Names that the workspace itself gives to every agent; they are never missing. */
  readonly given?: ReadonlySet<string>
}

export interface DotEnv {
  readonly file: string
  readonly values: ReadonlyMap<string, { readonly value: Secret; readonly line: number }>
}

/** All that values may come from, loaded once for all agents of a start. */
export interface Sources {
  readonly workspaceRoot: string
  /** Of `.ploinky/.secrets`, as written: a value may be `$OTHER`. */
  readonly secrets: ReadonlyMap<string, Secret>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly dotenv: DotEnv | null
  /** Derived and generated secrets by `originKey`; null: made at the first start. */
  readonly made: ReadonlyMap<string, Secret | null>
  /** By name of the agent. */
  readonly exposed: Readonly<Record<string, ExposedTo>>
}

export interface ValueSource {
  readonly kind: 'derived' | 'generated' | 'secrets' | 'environment' | 'dotenv' | 'default' | 'template'
  /** In words, for people: `.ploinky/.secrets`, `/w/.env line 3`, `API_KEY -> OPENAI_KEY: environment`. */
  readonly text: string
  /** Names that were looked up one after another: the variable, then each `$REF`. Empty: nothing was looked up. */
  readonly chain: readonly string[]
}

export interface ResolvedValue {
  readonly value: MaybeSecret
  readonly from: ValueSource
}

export interface MissingValue {
  readonly agent: string
  /** Name to set. */
  readonly variable: string
  /** Key path in the manifest, or who else asks. */
  readonly neededBy: string
  /** Manifest, where it is known. */
  readonly file: string | null
  /** `reserved`: a name of the workspace's own, which nobody can set. */
  readonly kind: 'required' | 'secret' | 'template' | 'image' | 'exposed' | 'reserved'
  /** It has a value, which is empty. */
  readonly empty: boolean
}

export interface Resolution {
  readonly agent: string
  readonly values: ReadonlyMap<string, ResolvedValue>
  readonly missing: readonly MissingValue[]
  /** What keeps the agent from starting: references that lead nowhere or in a circle, placeholders that nobody knows. */
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}
