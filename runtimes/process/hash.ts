import { canonicalJson } from '../../src/core/id.ts'
import { revealed } from '../../src/core/secret.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { WorkloadSpec } from '../adapter.ts'

/** Tells one spec from another, secrets included; `format` is the kind's own. */
export function specHash(platform: Platform, format: string, spec: WorkloadSpec): string {
  const env = Object.fromEntries(Object.entries(spec.env).map(([name, value]) => [name, revealed(value)]))
  return platform.hash.sha256Hex(`${format}\n${canonicalJson({ ...spec, env })}`)
}
