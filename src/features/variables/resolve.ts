/**
 * The environment of one agent: every value with where it comes from, and all that is missing. Pure: `load` of the service
 * has read and made everything before.
 *
 * Of one variable: derived or generated > `.ploinky/.secrets` (with `$REF` chains) > environment > nearest `.env` > default.
 * Of one name given twice: patterns < named variables < templates < secrets < what the workspace exposes.
 */
import type { Problem } from '../../config/check.ts'
import type { EnvEntry } from '../../config/manifest/types.ts'
import { type MaybeSecret, revealed, Secret } from '../../core/secret.ts'
import { chainProblem, type Found, guarded, lookup, sourceOf } from './lookup.ts'
import { isReserved, storedName, takes, takesFromEnvironment } from './names.ts'
import { derivedFor, exposedTo, originKey } from './origins.ts'
import { expandTemplate } from './template.ts'
import type { EnvironmentRequest, MissingValue, Resolution, ResolvedValue, Sources, ValueSource } from './types.ts'

interface Work {
  readonly request: EnvironmentRequest
  readonly sources: Sources
  readonly exposed: Readonly<Record<string, string>>
  readonly values: Map<string, ResolvedValue>
  readonly missing: Map<string, MissingValue>
  readonly problems: Problem[]
  readonly warnings: Problem[]
}

export function resolveEnvironment(request: EnvironmentRequest, sources: Sources): Resolution {
  const work: Work = {
    request,
    sources,
    exposed: exposedTo(request, sources.exposed),
    values: new Map(),
    missing: new Map(),
    problems: [],
    warnings: [],
  }
  for (const entry of request.env) if (entry.source.includes('*')) addPattern(work, entry)
  for (const entry of request.env) if (!entry.source.includes('*')) addEntry(work, entry)
  for (const entry of request.resourceEnv) addTemplate(work, entry)
  for (const { name, path } of request.secrets) addSecret(work, name, path)
  for (const [name, reference] of Object.entries(work.exposed)) addExposed(work, name, reference)
  return { ...work, agent: request.agent, missing: [...work.missing.values()] }
}

/** Whether something that comes later gives this variable, so that nobody has to set it. */
const isReplaced = ({ request, exposed }: Work, name: string): boolean =>
  Object.hasOwn(exposed, name) ||
  request.given?.has(name) === true ||
  request.resourceEnv.some((template) => template.name === name)

interface Need {
  readonly variable: string
  readonly path: string
  readonly kind: MissingValue['kind']
  readonly empty?: boolean
}

function miss({ request, missing }: Work, { variable, path, kind, empty = false }: Need): void {
  // One variable is set once, however many ask for it.
  if (missing.has(variable)) return
  const known = { agent: request.agent, file: request.file ?? null }
  missing.set(variable, { ...known, variable, neededBy: path, kind: isReserved(variable) ? 'reserved' : kind, empty })
}

/** Every name of the three places that fits; one that leads nowhere is left out, as nobody asked for it by name. */
function addPattern(work: Work, entry: EnvEntry): void {
  const { sources } = work
  const names = new Set([
    ...[...sources.secrets.keys(), ...(sources.dotenv?.values.keys() ?? [])].filter((name) =>
      takes(entry.source, name),
    ),
    ...Object.keys(sources.environment).filter((name) => takesFromEnvironment(entry.source, name)),
  ])
  let count = 0
  for (const name of [...names].sort()) {
    const found = lookup(name, sources)
    if (found.ok) {
      work.values.set(name, { value: guarded(name, found.value), from: sourceOf(name, found) })
      count += 1
      continue
    }
    const message = chainProblem(found)
    if (message !== null) work.warnings.push({ path: entry.path, message: `${message}; left out of "${entry.source}"` })
  }
  if (count === 0 && entry.required) miss(work, { variable: entry.source, path: entry.path, kind: 'required' })
}

function addEntry(work: Work, entry: EnvEntry): void {
  if (Object.hasOwn(work.exposed, entry.name)) return
  if (entry.origin !== null) return void work.values.set(entry.name, madeValue(work, entry.origin))
  const found = lookup(entry.source, work.sources)
  if (found.ok) {
    work.values.set(entry.name, { value: guarded(entry.name, found.value), from: sourceOf(entry.name, found) })
    if (entry.required && revealed(found.value) === '' && !isReplaced(work, entry.name))
      miss(work, { variable: entry.source, path: entry.path, kind: 'required', empty: true })
    return
  }
  const message = chainProblem(found)
  if (message !== null) return void work.problems.push({ path: entry.path, message })
  if (entry.default !== null) {
    const from: ValueSource = { kind: 'default', text: `default of ${entry.path}`, chain: [] }
    work.values.set(entry.name, { value: entry.default, from })
  } else if (entry.required && !isReplaced(work, entry.name)) {
    miss(work, { variable: entry.source, path: entry.path, kind: 'required' })
  }
}

function madeValue({ request, sources }: Work, origin: NonNullable<EnvEntry['origin']>): ResolvedValue {
  const value = sources.made.get(originKey(origin, request))
  if (value === undefined) throw new Error(`The sources were not loaded for agent "${request.agent}"`)
  return {
    value: value ?? new Secret(''),
    from: { kind: origin.kind, text: originText(origin, request, value), chain: [] },
  }
}

function originText(
  origin: NonNullable<EnvEntry['origin']>,
  request: EnvironmentRequest,
  value: Secret | null,
): string {
  const later = value === null ? ', made at the next start' : ''
  if (origin.kind === 'generated') return `generated${origin.shared ? ', shared' : ''}${later}`
  const { repo, agent } = derivedFor(origin, request)
  const isOwn = repo === request.repo && agent === (request.definition ?? request.agent)
  return `derived${isOwn ? '' : ` for ${repo}/${agent}`}${later}`
}

function addTemplate(work: Work, { name, template, path }: EnvironmentRequest['resourceEnv'][number]): void {
  if (Object.hasOwn(work.exposed, name)) return
  const { value, from, missing, problems } = expandTemplate(template, { ...work, path })
  for (const variable of missing) miss(work, { variable, path, kind: 'template' })
  work.problems.push(...problems)
  if (value !== null) work.values.set(name, { value, from })
}

/** Has to have a value of its own: a default in the manifest is none. */
function addSecret(work: Work, name: string, path: string): void {
  const { values } = work
  const before = values.get(name)?.from.kind
  if (isReplaced(work, name) || before === 'generated' || before === 'derived') return
  const found = lookup(name, work.sources)
  if (!found.ok) {
    const message = chainProblem(found)
    if (message === null) miss(work, { variable: name, path, kind: 'secret' })
    else if (!work.problems.some((problem) => problem.message === message)) work.problems.push({ path, message })
    return
  }
  values.set(name, { value: asSecret(found.value), from: sourceOf(name, found) })
  if (revealed(found.value) === '') miss(work, { variable: name, path, kind: 'secret', empty: true })
}

const asSecret = (value: MaybeSecret): Secret => (typeof value === 'string' ? new Secret(value) : value)

/** Where a value that was given to `expose` itself is kept. */
export const exposedName = (agent: string, name: string): string => storedName('EXPOSED', [agent, name])

function addExposed(work: Work, name: string, reference: string): void {
  const { request, sources } = work
  const stored = exposedName(request.agent, name)
  const found = lookup(reference, sources, stored)
  const path = `.ploinky/exposed.json ${request.agent}.${name}`
  if (found.ok) {
    const from = exposedSource(found, reference === stored)
    work.values.set(name, { value: guarded(name, found.value), from })
    return
  }
  const message = chainProblem(found)
  if (message === null) miss(work, { variable: reference === stored ? name : reference, path, kind: 'exposed' })
  else work.problems.push({ path, message })
}

function exposedSource(found: Found & { ok: true }, isStored: boolean): ValueSource {
  const { kind, chain, place } = found
  return isStored
    ? { kind, text: `exposed: ${place}`, chain: [] }
    : { kind, text: `exposed from ${chain.join(' -> ')}: ${place}`, chain }
}
