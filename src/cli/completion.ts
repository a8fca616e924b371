/** What could come next on an unfinished command line. The scripts of the shells and the prompt ask here. */
import type { Command, Param } from './command.ts'
import { type Globals, NO_GLOBALS } from './parse.ts'
import { flaggedPositionals, GLOBAL_OPTIONS, type Option, optionsOf, passesOn } from './usage.ts'
import { openPositionals, walk, type Walk } from './walk.ts'

export interface Candidate {
  readonly value: string
  readonly summary: string
}

interface Completion {
  readonly candidates: readonly Candidate[]
  /** The shell completes names of its own file system. */
  readonly files: 'files' | 'directories' | null
}

export type CompletionKind = Exclude<Param['complete'], 'commands' | undefined>
/** Names known only at run time; `globals` carries `--workspace`. A failure counts as no names. */
export type CompletionSource = (kind: CompletionKind, globals: Globals) => Promise<readonly (string | Candidate)[]>

interface CompletionRequest<Services> {
  readonly commands: readonly Command<Services>[]
  /** Finished words after the program's name. */
  readonly words: readonly string[]
  /** The word under the cursor up to the cursor. */
  readonly current: string
  readonly source?: CompletionSource | undefined
  readonly globals?: Globals | undefined
}

const NOTHING: Completion = { candidates: [], files: null }
/** Values go onto somebody's command line: a name with anything a shell obeys is not offered. */
const SAFE = /^[\w@%+=:,./-]+$/

export async function complete<Services>(request: CompletionRequest<Services>): Promise<Completion> {
  const { current } = request
  const state = walk(request.words, request.commands)
  if (state.unknown || state.passing) return NOTHING
  if (state.awaiting !== null) return matching(await valuesOf(state.awaiting.param, state, request), current)
  if (!state.ended && current.startsWith('--') && current.includes('=')) {
    const equals = current.indexOf('=') + 1
    const option = allOptions(state).find(({ flag }) => `--${flag}=` === current.slice(0, equals))
    if (option === undefined || option.param.type === 'boolean') return NOTHING
    return matching(await valuesOf(option.param, state, request), current, current.slice(0, equals))
  }
  if (!state.ended && current.startsWith('-')) return matching({ candidates: flags(state), files: null }, current)
  const names = state.open && !state.ended ? nextWords(state) : []
  const positional = await nextPositional(state, request)
  return matching({ candidates: [...names, ...positional.candidates], files: positional.files }, current)
}

function matching(completion: Completion, current: string, prefix = ''): Completion {
  const seen = new Set<string>()
  const candidates = completion.candidates
    .map(({ value, summary }) => ({ value: prefix + value, summary }))
    .filter(({ value }) => {
      const fits = value.startsWith(current) && SAFE.test(value) && !seen.has(value)
      seen.add(value)
      return fits
    })
  return { candidates, files: completion.files }
}

const allOptions = <S>({ command }: Walk<S>): Option[] => [
  ...(command === null ? [] : [...optionsOf(command), ...flaggedPositionals(command)]),
  ...GLOBAL_OPTIONS,
]

/** Options that were not given yet; lists may be given again. */
function flags<S>(state: Walk<S>): Candidate[] {
  return allOptions(state)
    .filter(({ key, param }) => param.type === 'rest' || !(state.options.has(key) || state.globals.has(key)))
    .map(({ flag, param }) => ({ value: `--${flag}`, summary: param.summary }))
}

/** The words that may continue the command's name; a word that several names share shows what follows it. */
function nextWords<S>(state: Walk<S>): Candidate[] {
  const found = new Map<string, { summary: string | null; tails: string[] }>()
  for (const command of state.commands) {
    const name = command.name.split(' ')
    const word = name[state.words.length]
    if (command.hidden === true || word === undefined) continue
    if (state.words.some((typed, index) => name[index] !== typed)) continue
    const entry = found.get(word) ?? { summary: null, tails: [] }
    const tail = name.slice(state.words.length + 1).join(' ')
    if (tail === '') entry.summary = command.summary
    else entry.tails.push(tail)
    found.set(word, entry)
  }
  return [...found].map(([value, { summary, tails }]) => ({ value, summary: summary ?? tails.join(', ') }))
}

async function nextPositional<S>(state: Walk<S>, request: CompletionRequest<S>): Promise<Completion> {
  if (state.command === null) return NOTHING
  const positionals = openPositionals(state, state.command)
  const last = positionals.at(-1)
  const next = positionals[state.positionals.length] ?? (last?.param.type === 'rest' ? last : undefined)
  // Another program's words: only it knows them.
  if (next === undefined || (next === last && passesOn(state.command) !== null)) return NOTHING
  const given = new Set(state.positionals)
  const values = await valuesOf(next.param, state, request)
  const isList = next.param.type === 'rest' && next.param.complete !== 'commands'
  return isList ? { ...values, candidates: values.candidates.filter(({ value }) => !given.has(value)) } : values
}

async function valuesOf<S>(param: Param, state: Walk<S>, request: CompletionRequest<S>): Promise<Completion> {
  if (param.choices !== undefined) {
    return { candidates: param.choices.map((value) => ({ value, summary: '' })), files: null }
  }
  if (param.complete === 'commands') {
    const topic = walk(state.positionals, state.commands)
    return { candidates: topic.open ? nextWords(topic) : [], files: null }
  }
  if (param.complete !== undefined) return { candidates: await namesOf(param.complete, state, request), files: null }
  if (param.placeholder === 'DIR') return { candidates: [], files: 'directories' }
  return { candidates: [], files: param.placeholder === 'FILE' || param.placeholder === 'PATH' ? 'files' : null }
}

async function namesOf<S>(kind: CompletionKind, state: Walk<S>, request: CompletionRequest<S>): Promise<Candidate[]> {
  const base = request.globals ?? NO_GLOBALS
  const workspace = state.globals.get('workspace')
  const globals = typeof workspace === 'string' ? { ...base, workspace } : base
  try {
    const names = (await request.source?.(kind, globals)) ?? []
    return names.map((name) => (typeof name === 'string' ? { value: name, summary: '' } : name))
  } catch {
    // A broken workspace must not print errors into the line that somebody is typing.
    return []
  }
}
