/** Checks manifests under every profile that they declare, and plans agents without changing anything. */
import { basename, dirname, isAbsolute, join } from 'node:path'
import { type Dependency, MAX_BYTES, parseDependency, parseManifest } from '../../config/manifest/index.ts'
import type { Problem } from '../../config/check.ts'
import { manifestJsonSchema } from '../../config/manifest/json-schema.ts'
import { isPloinkyError, PloinkyError } from '../../core/error.ts'
import type { FileSystem } from '../../platform/index.ts'
import type { Catalog } from '../repos/index.ts'

export interface Finding extends Problem {
  readonly severity: 'error' | 'warning'
  /** Under which profiles. */
  readonly profiles: readonly string[]
}

export interface Validation {
  readonly file: string
  readonly valid: boolean
  readonly profiles: readonly string[]
  readonly findings: readonly Finding[]
}

export interface ManifestService {
  /** `what`: an agent of the catalog, a manifest.json, or a folder that holds one. */
  validate(what: string): Promise<Validation>
  /** JSON Schema of a manifest, for editors. */
  schema(): Record<string, unknown>
  /** The words of `enable` in a manifest and on the command line. USAGE_INVALID when they are not understood. */
  needOf(words: string): Dependency
}

interface Deps {
  fs: FileSystem
  catalog: Catalog
  cwd: string
  readonly profile: string
}

/** What one profile gives: findings without repeating the profile in their words. */
function check(
  text: string,
  file: string,
  profile: string,
): { findings: Omit<Finding, 'profiles'>[]; declared: readonly string[] } {
  try {
    const { warnings, declaredProfiles } = parseManifest(text, { file, profile })
    return { findings: warnings.map((item) => ({ ...item, severity: 'warning' as const })), declared: declaredProfiles }
  } catch (error) {
    if (!isPloinkyError(error) || error.code !== 'MANIFEST_INVALID') throw error
    const listed = (error.details['problems'] as Problem[] | undefined) ?? [
      { path: '(root)', message: error.message, ...placeOf(error) },
    ]
    return { findings: listed.map((item) => ({ ...item, severity: 'error' as const })), declared: [] }
  }
}

function placeOf(error: PloinkyError): { line?: number } {
  const line = error.details['line']
  return typeof line === 'number' ? { line } : {}
}

/** Profile names of a text that may be wrong everywhere else. */
function declaredIn(text: string): string[] {
  try {
    const { profiles } = JSON.parse(text) as { profiles?: unknown }
    return typeof profiles === 'object' && profiles !== null ? Object.keys(profiles) : []
  } catch {
    // Not JSON: said by the check.
    return []
  }
}

export function createManifestService(deps: Deps): ManifestService {
  const { fs } = deps

  async function fileOf(what: string): Promise<string> {
    const path = isAbsolute(what) ? what : join(deps.cwd, what)
    const kind = (await fs.stat(path))?.kind
    if (kind === 'file') return path
    const inside = join(path, 'manifest.json')
    // A word that is no path is an agent, whatever the current folder holds.
    const isPath = what.includes('/') || what.startsWith('.') || basename(what) === 'manifest.json'
    if (kind === 'directory' && (await fs.stat(inside))?.kind === 'file') return inside
    if (isPath && kind !== undefined) {
      throw new PloinkyError('MANIFEST_INVALID', `No manifest.json in "${path}"`, {
        hint: `Make one: ploinky init agent ${basename(dirname(inside))}`,
      })
    }
    return (await deps.catalog.resolve(what)).manifestFile
  }

  return {
    schema: manifestJsonSchema,
    needOf(words) {
      const problems: Problem[] = []
      const need = parseDependency(words, 'agent', problems)
      const [problem] = problems
      if (need !== null && problem === undefined) return need
      throw new PloinkyError('USAGE_INVALID', `Cannot enable "${words.slice(0, 100)}": ${problem?.message ?? ''}`, {
        hint: 'For example: ploinky enable agent demo global as helper',
      })
    },
    async validate(what) {
      const file = await fileOf(what)
      const text = await fs.readText(file, { maxBytes: MAX_BYTES })
      if (text === null)
        throw new PloinkyError('AGENT_NOT_FOUND', `"${file}" is gone`, { hint: 'Run: ploinky list agents' })
      const profiles = [...new Set(['default', deps.profile, ...declaredIn(text)])]
      const merged = new Map<string, Finding>()
      for (const profile of profiles) {
        for (const finding of check(text, file, profile).findings) {
          const key = `${finding.severity} ${finding.path} ${finding.message}`
          const known = merged.get(key)
          merged.set(key, { ...finding, profiles: [...(known?.profiles ?? []), profile] })
        }
      }
      const findings = [...merged.values()].toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
      return { file, valid: findings.every(({ severity }) => severity !== 'error'), profiles, findings }
    },
  }
}
