/** `volumes`, `volumeOptions` and persistent storage -> what is mounted where. */
import { childPath } from '../../core/json.ts'
import { isName } from '../../core/id.ts'
import { type Problem, show } from '../check.ts'
import type { Layers } from './layers.ts'
import { isTrue, type Raw } from './schema.ts'
import { textProblem } from './text.ts'
import type { Volume } from './types.ts'

/** Mode bits of `"0770"`, `"770"` or, as JSON cannot say octal, 770. Null when it is none. */
function parseMode(value: string | number): number | null {
  const text = String(value)
  return /^0?[0-7]{3,4}$/.test(text) ? Number.parseInt(text, 8) : null
}

/** An absolute path of the container that is nothing but a place: no way up, no engine's separator. */
function targetProblem(target: string): string | null {
  const found = textProblem(target)
  if (found !== null) return found
  if (!target.startsWith('/') || target === '/') return `expected an absolute path below "/", found ${show(target)}`
  return target.split('/').includes('..') ? 'a path may not go up ("..")' : null
}

type Options = Readonly<Record<string, unknown>>

interface Draft {
  readonly options: Options | undefined
  /** Key path of the options. */
  readonly at: string
  readonly host: string
  readonly target: string
  readonly readOnly: boolean
  readonly path: string
}

function hostProblem(host: string): string | null {
  if (host.trim() === '') return 'expected a folder or file of the workspace'
  return textProblem(host)
}

function withOptions(draft: Draft, problems: Problem[]): Volume {
  const { options, at } = draft
  const chmod = options?.['chmod']
  const mode = chmod === undefined ? null : parseMode(chmod as string | number)
  if (chmod !== undefined && mode === null)
    problems.push({ path: `${at}.chmod`, message: `expected a mode such as "0770", found ${show(chmod)}` })
  const below = (options?.['makeWorldWritableSubdirs'] as string[] | undefined) ?? []
  below.forEach((folder, index) => {
    if (folder.startsWith('/') || folder.split('/').includes('..') || textProblem(folder) !== null) {
      const path = `${at}.makeWorldWritableSubdirs[${index}]`
      problems.push({ path, message: `expected a folder below the volume, found ${show(folder)}` })
    }
  })
  return {
    host: draft.host,
    key: null,
    target: draft.target,
    readOnly: draft.readOnly || isTrue(options?.['readOnly']),
    chmod: mode,
    worldWritable: below,
    generated: isTrue(options?.['generated']),
    required: isTrue(options?.['required']),
    path: draft.path,
  }
}

function storageOf(raw: Raw, problems: Problem[]): Volume[] {
  const storage = raw.runtime?.resources?.persistentStorage
  if (storage === undefined) return []
  const path = 'runtime.resources.persistentStorage'
  if (!isName(storage.key))
    problems.push({ path: `${path}.key`, message: `expected a name, found ${show(storage.key)}` })
  const target = targetProblem(storage.containerPath)
  if (target !== null) problems.push({ path: `${path}.containerPath`, message: target })
  const chmod = storage.chmod === undefined ? null : parseMode(storage.chmod)
  if (storage.chmod !== undefined && chmod === null)
    problems.push({ path: `${path}.chmod`, message: `expected a mode such as "0770", found ${show(storage.chmod)}` })
  const common = { readOnly: false, worldWritable: [], generated: false, required: false, path }
  return [{ host: null, key: storage.key, target: storage.containerPath, chmod, ...common }]
}

const withoutSuffix = (written: string): [target: string, suffix: string | undefined] => {
  const [, target = '', suffix] = /^(.*?)(?::(ro|rw))?$/s.exec(written) ?? []
  return [target, suffix]
}

/** Places that some profile mounts at, the one at hand or another: options of the root may be meant for those. */
function everyTarget(raw: Raw): ReadonlySet<string> {
  const layers = [raw, ...Object.values(raw.profiles ?? {})]
  return new Set(
    layers.flatMap(({ volumes = {} }) => Object.values(volumes).map((written) => withoutSuffix(written)[0])),
  )
}

/** The same place given twice: the later layer wins. */
export function volumesOf(raw: Raw, layers: Layers, problems: Problem[]): Volume[] {
  const options = new Map<string, [Options, string]>()
  for (const { value, path } of layers.every('volumeOptions'))
    for (const [target, entry] of Object.entries(value)) options.set(target, [entry, childPath(path, target)])
  const volumes = new Map<string, Volume>()
  for (const { value, path: prefix } of layers.every('volumes')) {
    for (const [host, written] of Object.entries(value)) {
      const path = childPath(prefix, host)
      const [target, suffix] = withoutSuffix(written)
      const problem = hostProblem(host) ?? targetProblem(target)
      if (problem !== null) {
        problems.push({ path, message: problem })
        continue
      }
      const [entry, at] = options.get(target) ?? [undefined, path]
      volumes.set(target, withOptions({ options: entry, at, host, target, readOnly: suffix === 'ro', path }, problems))
    }
  }
  const known = everyTarget(raw)
  for (const [target, [, path]] of options)
    if (!known.has(target)) problems.push({ path, message: `no volume is mounted at ${show(target)}` })
  for (const storage of storageOf(raw, problems)) volumes.set(storage.target, storage)
  return [...volumes.values()]
}
