/** What an agent gets, as the router says it in plain words. DOM-free. */
import { asRecord, listOf, textOr, textOrNull } from '../shared/api.ts'
import { plainText } from '../shared/format.ts'
import type { IconName } from '../shared/icons.tsx'
import type { Tone } from '../shared/ui.tsx'

export interface PermissionLine {
  readonly topic: string
  readonly level: 'plain' | 'notable' | 'danger'
  readonly text: string
  readonly from: string
}
export interface Permissions {
  readonly agent: string
  readonly ref: string
  readonly lines: readonly PermissionLine[]
  /** Commands on this machine that wait for consent, with the digest of what is shown. Null: nothing waits. */
  readonly consent: { readonly digest: string; readonly commands: readonly string[] } | null
  readonly missing: readonly string[]
  readonly warnings: readonly string[]
}

const clean = (value: unknown): string => plainText(textOr(value, ''))
const LEVELS = ['danger', 'notable', 'plain'] as const

export function readPermissions(body: unknown): Permissions {
  const { agent, ref, permissions, onThisMachine, missing, warnings } = asRecord(body)
  const { lines, digest } = asRecord(onThisMachine)
  const commands = listOf(lines).map((item) => clean(asRecord(item)['line']))
  return {
    agent: clean(agent),
    ref: clean(ref),
    lines: listOf(permissions).map((item) => {
      const { topic, level, text, from } = asRecord(item)
      // What is not known is taken seriously.
      const known = LEVELS.find((one) => one === level) ?? 'danger'
      return { topic: clean(topic), level: known, text: clean(text), from: clean(from) }
    }),
    consent: textOrNull(digest) === null ? null : { digest: textOr(digest, ''), commands },
    missing: [...new Set(listOf(missing).map((item) => clean(asRecord(item)['variable'])))],
    warnings: listOf(warnings).map(clean),
  }
}

const TONES: Record<PermissionLine['level'], Tone> = { danger: 'bad', notable: 'warn', plain: 'idle' }
export const toneOf = ({ level }: PermissionLine): Tone => TONES[level]

const ICONS: Record<string, IconName> = {
  runtime: 'agents',
  network: 'routes',
  ports: 'open',
  files: 'repositories',
  secrets: 'variables',
  calls: 'topology',
  commands: 'terminal',
  machine: 'warning',
  limits: 'charts',
  agents: 'agents',
}
export const iconOf = ({ topic, level }: PermissionLine): IconName =>
  level === 'danger' ? 'warning' : (ICONS[topic] ?? 'info')
