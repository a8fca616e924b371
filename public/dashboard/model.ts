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
  /** Agents that are started with it. */
  readonly needs: readonly string[]
  /** What it may call; `tools` null: everything of that agent. */
  readonly calls: readonly { readonly agent: string; readonly tools: readonly string[] | null }[]
  readonly ports: readonly { readonly host: number; readonly container: number }[]
  /** By the supervisor, since a person started it. */
  readonly restarts: number
  readonly nextRestartAt: string | null
  /** Of its log, when it ended last. */
  readonly lastLines: readonly string[]
}
export interface Status {
  readonly workspace: { readonly name: string; readonly root: string }
  readonly router: { readonly version: string; readonly port: number; readonly pid: number; readonly startedAt: number }
  readonly profile: string
  readonly agents: readonly Agent[]
}

/** Agents as they were read before, by what was sent: what did not change is the same object, and is not drawn again. */
export type ReadBefore = Map<string, { readonly sent: string; readonly agent: Agent }>

/** Of one router, as two answers tell it (rounded seconds and their way here), milliseconds. */
const SAME_START_MS = 2500

/** Reads `GET /api/v1/status`; what is missing or of another type becomes empty. `now` in milliseconds since 1970. */
export function readStatus(
  body: unknown,
  now: number,
  { before = null, known = new Map() }: { before?: Status | null; known?: ReadBefore } = {},
): Status {
  const { workspace, router, profile, agents } = asRecord(body)
  const next: Status = {
    workspace: { name: clean(asRecord(workspace)['name']), root: clean(asRecord(workspace)['root']) },
    router: readRouter(router, now, before),
    profile: clean(profile),
    agents: readAgents(listOf(agents), before, known),
  }
  return before !== null && next.agents === before.agents && isSame(next, before) ? before : next
}

function readRouter(value: unknown, now: number, before: Status | null): Status['router'] {
  const { version, port, pid, uptimeSeconds } = asRecord(value)
  const startedAt = now - numberOr(uptimeSeconds, 0) * 1000
  const old = before?.router.startedAt ?? 0
  return {
    ...{ version: clean(version), port: numberOr(port, 0), pid: numberOr(pid, 0) },
    startedAt: Math.abs(startedAt - old) < SAME_START_MS ? old : startedAt,
  }
}

function readAgents(list: readonly unknown[], before: Status | null, known: ReadBefore): readonly Agent[] {
  const read = list.map((value) => {
    const name = textOr(asRecord(value)['name'], '')
    const sent = JSON.stringify(value)
    const old = known.get(name)
    if (old?.sent === sent) return old.agent
    const agent = readAgent(value)
    known.set(name, { sent, agent })
    return agent
  })
  const sorted = read.sort(byImportance)
  const isUnchanged =
    before?.agents.length === sorted.length && sorted.every((agent, index) => agent === before.agents[index])
  return isUnchanged ? before.agents : sorted
}

const isSame = ({ agents: _a, ...one }: Status, { agents: _b, ...other }: Status): boolean =>
  JSON.stringify(one) === JSON.stringify(other)

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
    ...readRelations(agent),
    ...readSupervision(agent['supervision']),
  }
}

function readRelations(agent: Record<string, unknown>): Pick<Agent, 'needs' | 'calls' | 'ports'> {
  return {
    needs: textsOf(agent['needs']),
    calls: listOf(agent['calls']).flatMap((value) => {
      const { agent: name, tools } = asRecord(value)
      return typeof name === 'string' ? [{ agent: name, tools: Array.isArray(tools) ? textsOf(tools) : null }] : []
    }),
    ports: listOf(agent['ports']).map((value) => {
      const { host, container } = asRecord(value)
      return { host: numberOr(host, 0), container: numberOr(container, 0) }
    }),
  }
}

function readSupervision(value: unknown): Pick<Agent, 'restarts' | 'nextRestartAt' | 'lastLines'> {
  const { restarts, nextRestartAt, lastExit } = asRecord(value)
  return {
    restarts: numberOr(restarts, 0),
    nextRestartAt: textOrNull(nextRestartAt),
    lastLines: textsOf(asRecord(lastExit)['lines']).map(plainText),
  }
}

const textsOf = (value: unknown): string[] => listOf(value).filter((item) => typeof item === 'string')

/** Ended and started again so often that starting once more will not help. */
const CRASH_LOOP = 3
export const isCrashLooping = ({ restarts, state }: Agent): boolean =>
  restarts >= CRASH_LOOP && (state === 'failed' || state === 'starting' || state === 'unready')

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
