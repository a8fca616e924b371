/** Requests and sources with what a case is about; the rest is empty. */
import type { EnvEntry } from '../../../src/config/manifest/types.ts'
import { revealed, Secret } from '../../../src/core/secret.ts'
import type { EnvironmentRequest, Resolution, Sources } from '../../../src/features/variables/index.ts'

export const entry = (name: string, change: Partial<EnvEntry> = {}): EnvEntry => ({
  name,
  source: name,
  default: null,
  required: false,
  origin: null,
  path: `profiles.dev.env.${name}`,
  ...change,
})

export const request = (change: Partial<EnvironmentRequest> = {}): EnvironmentRequest => ({
  agent: 'demo',
  repo: 'basic',
  file: '/r/demo/manifest.json',
  env: [],
  secrets: [],
  resourceEnv: [],
  ...change,
})

export interface Given {
  secrets?: Record<string, string>
  environment?: Record<string, string>
  dotenv?: Record<string, string>
  made?: Record<string, string | null>
  exposed?: Sources['exposed']
}

export function sources({ secrets = {}, environment = {}, dotenv, made = {}, exposed = {} }: Given = {}): Sources {
  const written = Object.entries(dotenv ?? {}).map(
    ([name, value], index) => [name, { value: new Secret(value), line: index + 1 }] as const,
  )
  return {
    workspaceRoot: '/w',
    secrets: new Map(Object.entries(secrets).map(([name, value]) => [name, new Secret(value)])),
    environment,
    dotenv: dotenv === undefined ? null : { file: '/w/.env', values: new Map(written) },
    made: new Map(Object.entries(made).map(([name, value]) => [name, value === null ? null : new Secret(value)])),
    exposed,
  }
}

export const plain = ({ values }: Resolution): Record<string, string> =>
  Object.fromEntries([...values].map(([name, { value }]) => [name, revealed(value)]))

export const texts = ({ values }: Resolution): Record<string, string> =>
  Object.fromEntries([...values].map(([name, { from }]) => [name, from.text]))

/** Names whose values do not print. */
export const hidden = ({ values }: Resolution): string[] =>
  [...values].filter(([, { value }]) => value instanceof Secret).map(([name]) => name)
