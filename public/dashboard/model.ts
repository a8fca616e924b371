/** What the page knows, without DOM: reading the API's answers and deriving what is shown. Nothing in an answer is trusted. */
import { asRecord, listOf, numberOr, textOr, textOrNull } from '../shared/api.ts'
import { plainText, shellWord } from '../shared/format.ts'
import type { IconName } from '../shared/icons.tsx'
import type { Tone } from '../shared/ui.tsx'

export const AGENT_STATES = [
  'ready',
  'starting',
  'unready',
  'paused',
  'lost',
  'failed',
  'stopped',
  'disabled',
  'unknown',
] as const
export type AgentState = (typeof AGENT_STATES)[number]
export type Action = 'start' | 'stop' | 'restart'

export interface Problem {
  readonly code: string
  readonly message: string
  readonly hint: string | null
}
export interface Agent {
  readonly name: string
  readonly ref: string
  readonly about: string
  readonly state: AgentState
  readonly runtime: string
  readonly image: string
  readonly container: string
  readonly isStatic: boolean
  readonly mcpUrl: string | null
  readonly pageUrl: string | null
  readonly startedAt: string | null
  readonly lastError: Problem | null
}
export interface Status {
  readonly workspace: { readonly name: string; readonly root: string }
  readonly router: { readonly version: string; readonly port: number; readonly pid: number; readonly startedAt: number }
  readonly profile: string
  readonly agents: readonly Agent[]
}

/** Reads `GET /api/v1/status`; what is missing or of another type becomes empty. `now` in milliseconds since 1970. */
export function readStatus(body: unknown, now: number): Status {
  const { workspace, router, profile, agents } = asRecord(body)
  const { version, port, pid, uptimeSeconds } = asRecord(router)
  return {
    workspace: { name: clean(asRecord(workspace)['name']), root: clean(asRecord(workspace)['root']) },
    router: {
      version: clean(version),
      port: numberOr(port, 0),
      pid: numberOr(pid, 0),
      startedAt: now - numberOr(uptimeSeconds, 0) * 1000,
    },
    profile: clean(profile),
    agents: listOf(agents).map(readAgent).sort(byImportance),
  }
}

function readAgent(value: unknown): Agent {
  const agent = asRecord(value)
  const state = AGENT_STATES.find((known) => known === agent['state']) ?? 'unknown'
  return {
    name: textOr(agent['name'], ''),
    ref: clean(agent['ref']),
    about: clean(agent['about']),
    state,
    runtime: clean(agent['runtime']),
    image: clean(agent['image']),
    container: clean(agent['container']),
    isStatic: agent['static'] === true,
    mcpUrl: localPath(agent['mcpUrl']),
    pageUrl: localPath(agent['pageUrl']),
    startedAt: textOrNull(agent['startedAt']),
    lastError: readProblem(agent['lastError']),
  }
}

function readProblem(value: unknown): Problem | null {
  if (typeof value !== 'object' || value === null) return null
  const { code, message, hint } = asRecord(value)
  return { code: clean(code), message: clean(message), hint: textOrNull(hint) === null ? null : clean(hint) }
}

const clean = (value: unknown): string => plainText(textOr(value, ''))

/** Only a path inside this router may become a link: a `javascript:` or foreign address is dropped. */
export function localPath(value: unknown): string | null {
  return typeof value === 'string' && /^\/(?![/\\])[\w/.~%:@!$&'()*+,;=-]*$/.test(value) ? value : null
}

function byImportance(a: Agent, b: Agent): number {
  return Number(b.isStatic) - Number(a.isStatic) || a.name.localeCompare(b.name, 'en')
}

export function matches(agent: Agent, filter: string, stateLabel: string): boolean {
  const text = `${agent.name} ${agent.ref} ${agent.about} ${agent.image} ${agent.runtime} ${stateLabel}`.toLowerCase()
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

/** How many agents are in each state, in the order of the table of states, without the empty ones. */
export function countStates(agents: readonly Agent[]): { state: AgentState; count: number }[] {
  return AGENT_STATES.map((state) => ({ state, count: agents.filter((agent) => agent.state === state).length })).filter(
    ({ count }) => count > 0,
  )
}

const LOOKS: Record<AgentState, { tone: Tone; icon: IconName }> = {
  ready: { tone: 'ok', icon: 'ready' },
  starting: { tone: 'info', icon: 'starting' },
  unready: { tone: 'warn', icon: 'unready' },
  paused: { tone: 'warn', icon: 'unready' },
  lost: { tone: 'warn', icon: 'unready' },
  failed: { tone: 'bad', icon: 'failed' },
  stopped: { tone: 'idle', icon: 'stopped' },
  disabled: { tone: 'idle', icon: 'disabled' },
  unknown: { tone: 'warn', icon: 'unready' },
}
export const lookOf = (state: AgentState): { tone: Tone; icon: IconName } => LOOKS[state]

/** An image as people say it: the default registry is left out. The full name stays in the tooltip. */
export const shortImage = (image: string): string => image.replace(/^docker\.io\/(?:library\/)?/, '')

/** The buttons of an agent. A disabled one has none: enabling grants permissions, which is a decision of its own. */
export function actionsFor(state: AgentState): readonly Action[] {
  if (state === 'disabled') return []
  return state === 'stopped' ? ['start'] : state === 'failed' ? ['restart'] : ['restart', 'stop']
}

export const commandFor = (action: Action, agent: string): string => `ploinky ${action} ${shellWord(agent)}`

/** A hint is a sentence, or a command that can be copied. */
export function commandIn(hint: string): string | null {
  const match = /^(?:[^:]{0,80}: )?(ploinky [^\n]{1,200})$/.exec(hint)
  return match?.[1] ?? null
}

export interface Activity {
  readonly key: string
  readonly at: string
  readonly subject: string
  readonly what: string
  readonly who: string | null
  readonly tone: Tone
}

/** One event of the stream, or null for what is none. */
export function readActivity(data: string): Activity | null {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    return null
  }
  const { seq, type, at, subject, principal } = asRecord(value)
  const name = clean(type)
  if (name === '') return null
  const kind = name.slice(0, name.indexOf('.') + 1)
  // "agent.started" of demo is "demo started"; "routing.changed" of the router stays "router routing changed".
  const isPlain = kind === 'agent.' || kind === `${clean(subject)}.`
  const what = name.slice(isPlain ? kind.length : 0).replace(/[._-]+/g, ' ')
  return {
    key: `${numberOr(seq, 0)}:${name}:${textOr(at, '')}`,
    at: textOr(at, ''),
    subject: clean(subject),
    what,
    who: textOrNull(principal) === null ? null : clean(principal),
    tone: toneOf(what),
  }
}

function toneOf(what: string): Tone {
  if (/fail|error|lost|crash|denied/.test(what)) return 'bad'
  if (/unready|killed|restart/.test(what)) return 'warn'
  if (/ready|started|enabled/.test(what)) return 'ok'
  return /starting|pull|creat/.test(what) ? 'info' : 'idle'
}

export interface LogLine {
  readonly at: string
  readonly isError: boolean
  readonly text: string
}

/** Reads `GET /api/v1/agents/{agent}/logs`. */
export function readLog(body: unknown): LogLine[] {
  return listOf(asRecord(body)['lines']).map((value) => {
    const { stream, at, text } = asRecord(value)
    return { at: textOr(at, ''), isError: stream === 'stderr', text: clean(text) }
  })
}
