/** Texts of a manifest with values in them: templates of variables (`{{secret:N}}`) and image references (`${TAG}`). Pure. */
import type { Problem } from '../../config/check.ts'
import { type MaybeSecret, revealed, Secret } from '../../core/secret.ts'
import { chainProblem, lookup } from './lookup.ts'
import { isVariableName, looksSecret } from './names.ts'
import { originKey, templateOrigin } from './origins.ts'
import { isKind, isPlace, type Place, type Placeholder, replacePlaceholders, templateProblems } from './placeholders.ts'
import type { EnvironmentRequest, ResolvedValue, Sources, ValueSource } from './types.ts'

interface TemplateContext {
  readonly request: EnvironmentRequest
  readonly sources: Sources
  /** Key path of the template. */
  readonly path: string
}

export interface Expansion {
  /** Null when something is missing or wrong. */
  readonly value: MaybeSecret | null
  readonly from: ValueSource
  /** Names that have no value. */
  readonly missing: readonly string[]
  readonly problems: readonly Problem[]
}

/** The text that a template stands for. It is a secret when anything in it is. */
export function expandTemplate(template: string, context: TemplateContext): Expansion {
  const { path } = context
  const problems: Problem[] = templateProblems(template).map((message) => ({ path, message }))
  const missing: string[] = []
  const used: string[] = []
  let isSecret = false
  const text = replacePlaceholders(template, (placeholder) => {
    const part = partOf(placeholder, context)
    if (part === null) return ''
    if ('problem' in part) problems.push({ path, message: part.problem })
    else if ('missing' in part) missing.push(part.missing)
    else {
      if (typeof part.value !== 'string') isSecret = true
      if (part.from !== null) used.push(part.from)
      return revealed(part.value)
    }
    return ''
  })
  const isComplete = problems.length === 0 && missing.length === 0
  const from = [`template of ${path}`, ...used].join(', ')
  return {
    value: isComplete ? (isSecret ? new Secret(text) : text) : null,
    from: { kind: 'template', text: from, chain: [] },
    missing,
    problems,
  }
}

type Part =
  | { readonly value: MaybeSecret; readonly from: string | null }
  | { readonly missing: string }
  | { readonly problem: string }

/** Null: reported already, as it is written wrong. */
function partOf({ text, kind, name }: Placeholder, { request, sources }: TemplateContext): Part | null {
  if (name === null) return isPlace(kind) ? placeOf(kind, request, sources) : null
  if (!isKind(kind) || name === '') return null
  const origin = templateOrigin(kind, name)
  if (origin !== null) {
    const value = sources.made.get(originKey(origin, request))
    if (value === undefined) throw new Error(`The sources were not loaded for agent "${request.agent}"`)
    return { value: value ?? new Secret(''), from: `${name}: ${origin.kind}` }
  }
  if (!isVariableName(name)) return { problem: `not the name of a variable in ${JSON.stringify(text.slice(0, 60))}` }
  const found = lookup(name, sources)
  if (!found.ok) {
    const problem = chainProblem(found)
    return problem === null ? { missing: name } : { problem }
  }
  const { value, chain, place } = found
  const isSecret = kind === 'secret' && typeof value === 'string'
  return { value: isSecret ? new Secret(value) : value, from: `${chain.join(' -> ')}: ${place}` }
}

function placeOf(kind: Place, { storage }: EnvironmentRequest, { workspaceRoot }: Sources): Part {
  if (kind === 'WORKSPACE_ROOT' || kind === 'PLOINKY_WORKSPACE_ROOT') return { value: workspaceRoot, from: null }
  if (storage === undefined || storage === null) return { problem: `{{${kind}}} needs a persistent storage folder` }
  return { value: kind === 'STORAGE_HOST_PATH' ? storage.host : storage.container, from: null }
}

export interface ReferenceExpansion {
  /** Null when something is missing or wrong. */
  readonly value: string | null
  readonly missing: readonly string[]
  readonly problems: readonly string[]
}

/** What may stand in an image reference. */
const IMAGE_PART = /^[A-Za-z0-9._:/@-]{0,512}$/

/**
 * `registry/${NAME}:${TAG}` with values from the agent's own variables (`values`, defaults included), else from where
 * variables are set. An image reference shows in process lists and logs: a name that looks secret is refused.
 */
export function expandReference(
  text: string,
  sources: Pick<Sources, 'secrets' | 'environment' | 'dotenv'>,
  values: ReadonlyMap<string, ResolvedValue> = new Map(),
): ReferenceExpansion {
  const missing = new Set<string>()
  const problems: string[] = []
  const value = text.replace(/\$\{([^{}]*)\}/g, (whole, name: string) => {
    if (!isVariableName(name)) problems.push(`not the name of a variable: ${JSON.stringify(whole.slice(0, 60))}`)
    else if (looksSecret(name, '')) problems.push(`"${name}" looks like a secret, which must not be part of an image`)
    else return readReference(name)
    return ''
  })
  function readReference(name: string): string {
    const known = values.get(name)
    const found = known === undefined ? lookup(name, sources) : { ok: true as const, value: known.value }
    if (!found.ok) {
      const problem = chainProblem(found)
      if (problem === null) missing.add(name)
      else problems.push(problem)
      return ''
    }
    const part = revealed(found.value)
    if (part === '') missing.add(name)
    if (!IMAGE_PART.test(part)) problems.push(`the value of "${name}" cannot be part of an image reference`)
    return part
  }
  if (/\$\{/.test(text.replace(/\$\{[^{}]*\}/g, ''))) problems.push('"${" is not closed')
  return { value: missing.size + problems.length === 0 ? value : null, missing: [...missing], problems }
}
