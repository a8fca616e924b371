/** Secrets that nobody sets: which ones a request needs, and the names under which they are kept. Pure. */
import type { SecretOrigin } from '../../config/manifest/types.ts'
import { own } from '../../core/id.ts'
import { storedName } from './names.ts'
import { placeholdersOf } from './placeholders.ts'
import type { EnvironmentRequest, Sources } from './types.ts'

type Asker = Pick<EnvironmentRequest, 'agent' | 'repo' | 'definition'>

/** What `{{derivedMasterSecret:N}}` and `{{generatedSecret:N}}` stand for. */
export function templateOrigin(kind: string, name: string): SecretOrigin | null {
  if (kind === 'derivedMasterSecret')
    return { kind: 'derived', name, repo: null, agent: null, bytes: 32, format: 'hex' }
  return kind === 'generatedSecret' ? { kind: 'generated', name, shared: false } : null
}

export function derivedFor(origin: SecretOrigin & { kind: 'derived' }, asker: Asker) {
  return { ...origin, repo: origin.repo ?? asker.repo, agent: origin.agent ?? asker.definition ?? asker.agent }
}

/** Name in `.ploinky/.secrets`. One that is not shared belongs to this agent of this repository alone. */
export function generatedName(origin: SecretOrigin & { kind: 'generated' }, asker: Asker): string {
  return origin.shared
    ? storedName('GENERATED_SHARED', [origin.name])
    : storedName('GENERATED', [asker.repo, asker.agent, origin.name])
}

/** Equal exactly for the same secret. */
export function originKey(origin: SecretOrigin, asker: Asker): string {
  if (origin.kind === 'generated') return generatedName(origin, asker)
  const { repo, agent, name, bytes, format } = derivedFor(origin, asker)
  return JSON.stringify([repo, agent, name, bytes, format])
}

/** What the workspace exposes to exactly this agent: variable -> name that is looked up. */
export function exposedTo(asker: Asker, exposed: Sources['exposed']): Readonly<Record<string, string>> {
  const found = own(exposed, asker.agent)
  return found?.definition === `${asker.repo}/${asker.definition ?? asker.agent}` ? found.variables : {}
}

/** All that a request needs, but for what the workspace gives in its place. */
export function originsOf(request: EnvironmentRequest, exposed: Sources['exposed']): SecretOrigin[] {
  const replaced = exposedTo(request, exposed)
  const ofEntries = request.env.flatMap(({ name, origin }) =>
    origin === null || Object.hasOwn(replaced, name) ? [] : [origin],
  )
  const ofTemplates = request.resourceEnv
    .filter(({ name }) => !Object.hasOwn(replaced, name))
    .flatMap(({ template }) => placeholdersOf(template))
    .flatMap(({ kind, name }) => (name === null ? [] : (templateOrigin(kind, name) ?? [])))
  return [...ofEntries, ...ofTemplates]
}
