/** `network`, `containerSecurity` and `hardwareLimits`. */
import { isName } from '../../core/id.ts'
import { childPath } from '../../core/json.ts'
import { type Problem, show } from '../check.ts'
import type { Layers } from './layers.ts'
import { isTrue, type Raw } from './schema.ts'
import type { Manifest, NetworkNeed, Security } from './types.ts'

const MIN_MEMORY = 6 * 1024 * 1024
/** A name that a resolver takes. */
const ALIAS = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/

/** Bytes of `512m`, `2g`, `1024`; null when it is not a size. */
export function parseBytes(value: string | number): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(String(value).trim())
  if (match === null) return null
  const power = ['', 'k', 'm', 'g', 't'].indexOf((match[2] ?? '').toLowerCase())
  const bytes = Math.round(Number(match[1]) * 1024 ** power)
  return Number.isSafeInteger(bytes) ? bytes : null
}

const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value

interface Attachment {
  readonly name: string
  readonly aliases: readonly string[]
  readonly primary: boolean
}

function checkAttachment({ name, aliases }: Attachment, path: string, problems: Problem[]): void {
  if (!isName(name)) problems.push({ path, message: `expected the name of a network, found ${show(name)}` })
  for (const alias of aliases)
    if (!ALIAS.test(alias)) problems.push({ path, message: `expected a host name as alias, found ${show(alias)}` })
}

export function networkOf(layers: Layers, problems: Problem[]): { need: NetworkNeed; path: string | null } {
  const picked = layers.pick('network')
  if (picked === null) return { need: { mode: 'default' }, path: null }
  const { path } = picked
  const given = typeof picked.value === 'string' ? { name: picked.value } : picked.value
  const attachments: Attachment[] = [
    ...(given.name === undefined ? [] : [{ name: given.name, aliases: listOf(given.aliases), primary: true }]),
    ...(given.attachments ?? []).map((item) =>
      typeof item === 'string'
        ? { name: item, aliases: [], primary: false }
        : { name: item.name, aliases: listOf(item.aliases), primary: item.primary === true },
    ),
  ]
  attachments.forEach((item) => checkAttachment(item, path, problems))
  const mode = given.mode === 'bridge' ? 'default' : (given.mode ?? 'default')
  if (attachments.length === 0) return { need: { mode }, path }
  if (mode !== 'default') {
    problems.push({ path: childPath(path, 'mode'), message: `"${mode}" and named networks exclude each other` })
    return { need: { mode }, path }
  }
  const ordered = attachments.toSorted((a, b) => Number(b.primary) - Number(a.primary))
  return { need: { mode: 'networks', attachments: ordered.map(({ name, aliases }) => ({ name, aliases })) }, path }
}

export function securityOf(layers: Layers, problems: Problem[]): Security {
  const merged: Record<string, unknown> = {}
  let path = 'containerSecurity'
  // Field by field: an active profile adds to what the default one asks for.
  for (const layer of layers.every('containerSecurity')) {
    Object.assign(merged, layer.value)
    path = layer.path
  }
  const shm = merged['shmSize'] as string | number | undefined
  const shmBytes = shm === undefined ? null : parseBytes(shm)
  if (shm !== undefined && (shmBytes === null || shmBytes <= 0))
    problems.push({ path: `${path}.shmSize`, message: `expected a size such as "256m", found ${show(shm)}` })
  return { privileged: isTrue(merged['privileged']), gpu: isTrue(merged['gpu']), shmBytes }
}

export function limitsOf(raw: Raw, problems: Problem[]): Manifest['limits'] {
  const { memory, cpus, pidsLimit } = raw.hardwareLimits ?? {}
  const memoryBytes = memory === undefined ? null : parseBytes(memory)
  if (memory !== undefined && (memoryBytes === null || memoryBytes < MIN_MEMORY)) {
    problems.push({
      path: 'hardwareLimits.memory',
      message: `expected a size of at least 6m such as "512m", found ${show(memory)}`,
    })
  }
  const cpuCount = cpus === undefined ? null : /^\d+(?:\.\d+)?$/.test(String(cpus)) ? Number(cpus) : Number.NaN
  if (cpuCount !== null && !(cpuCount > 0 && cpuCount <= 1024)) {
    problems.push({
      path: 'hardwareLimits.cpus',
      message: `expected a number of processors, found ${show(cpus)}`,
    })
  }
  return { memoryBytes, cpus: cpuCount, pids: pidsLimit ?? null }
}
