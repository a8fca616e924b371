/**
 * Walks over the words of a command line and sorts them into command name, options, positionals and words for another
 * program. It never throws: the first mistake is kept, so that `--help` and `--json` after it still count, and completion
 * can ask where an unfinished line stands.
 */
import { PloinkyError } from '../core/error.ts'
import { nearest } from '../core/id.ts'
import type { Command } from './command.ts'
import {
  flagsOf,
  GLOBAL_OPTIONS,
  type Option,
  passesOn,
  type Positional,
  positionalsOf,
  PROGRAM,
  usageLine,
} from './usage.ts'
import { quoted } from './text.ts'
import { readValue } from './values.ts'

export type Value = string | number | boolean | readonly string[]

export interface Walk<Services> {
  readonly argv: readonly string[]
  readonly commands: readonly Command<Services>[]
  at: number
  /** Words of the command's name so far; may be the start of a longer name (`list`). */
  words: string[]
  command: Command<Services> | null
  /** The next word may still belong to the name. */
  open: boolean
  /** No command has the name; what follows is kept for the suggestion. */
  unknown: boolean
  /** After `--`: nothing is an option any more. */
  ended: boolean
  /** Everything from here on belongs to another program. */
  passing: boolean
  positionals: string[]
  options: Map<string, Value>
  globals: Map<string, Value>
  /** The last word was an option that still wants its value. */
  awaiting: Option | null
  problem: PloinkyError | null
}

export function walk<Services>(argv: readonly string[], commands: readonly Command<Services>[]): Walk<Services> {
  const state: Walk<Services> = {
    argv,
    commands,
    at: 0,
    words: [],
    command: null,
    open: true,
    unknown: false,
    ended: false,
    passing: false,
    positionals: [],
    options: new Map(),
    globals: new Map(),
    awaiting: null,
    problem: null,
  }
  for (let token = argv[0]; token !== undefined; token = argv[state.at]) {
    state.at += 1
    step(state, token)
  }
  return state
}

function step<S>(state: Walk<S>, token: string): void {
  if (state.passing) {
    state.positionals.push(token)
  } else if (token === '--' && !state.ended) {
    endOptions(state)
  } else if (!state.ended && token.startsWith('--')) {
    longOption(state, token)
  } else if (!state.ended && /^-[^-\d]/.test(token)) {
    shortOptions(state, token)
  } else {
    word(state, token)
  }
}

function endOptions<S>(state: Walk<S>): void {
  settleName(state)
  state.ended = true
  if (state.command !== null && passesOn(state.command) !== null && restIsNext(state, state.command)) {
    state.passing = true
  }
}

/** The positionals that were not given by flag. */
export const openPositionals = <S>(state: Walk<S>, command: Command<S>): Positional[] =>
  positionalsOf(command).filter(({ key }) => !state.options.has(key))

/** Whether the positionals before the last one are all given. */
const restIsNext = <S>(state: Walk<S>, command: Command<S>): boolean =>
  state.positionals.length >= openPositionals(state, command).length - 1

function word<S>(state: Walk<S>, token: string): void {
  if (state.open && !state.ended) {
    const name = [...state.words, token].join(' ')
    const exact = state.commands.find((command) => command.name === name || command.aliases?.includes(name) === true)
    if (exact !== undefined || state.commands.some((command) => command.name.startsWith(`${name} `))) {
      state.words.push(token)
      if (exact !== undefined) state.command = exact
      return
    }
    settleName(state)
  }
  state.positionals.push(token)
  if (state.command === null) {
    state.unknown = true
    state.open = false
    return
  }
  // Words for another program begin as soon as they can, so that its options are never taken for ours: with `exec` at
  // the program's name (which has no dash), with `cli` right after the agent.
  const kind = passesOn(state.command)
  const count = openPositionals(state, state.command).length
  if (kind === 'program') state.passing = state.positionals.length >= count
  if (kind === 'arguments' && state.positionals.length >= count - 1) {
    state.passing = true
    if (state.argv[state.at] === '--') state.at += 1
  }
}

/** Decides that the name is over. Words that began a longer name which never came are arguments of the shorter one. */
export function settleName<S>(state: Walk<S>): void {
  if (!state.open || state.command === null) return
  state.open = false
  const { name, aliases } = state.command
  const taken = [name, ...(aliases ?? [])].find((text) => `${state.words.join(' ')} `.startsWith(`${text} `)) ?? name
  state.positionals.push(...state.words.splice(taken.split(' ').length))
}

function known<S>(state: Walk<S>): Option[] {
  return [...(state.command === null ? [] : flagsOf(state.command)), ...GLOBAL_OPTIONS]
}

function longOption<S>(state: Walk<S>, token: string): void {
  const equals = token.indexOf('=')
  const flag = token.slice(2, equals === -1 ? undefined : equals)
  const text = equals === -1 ? null : token.slice(equals + 1)
  const options = known(state)
  const option = options.find((candidate) => candidate.flag === flag)
  if (option?.scope === 'command') settleName(state)
  if (option !== undefined)
    return option.param.type === 'boolean' ? flagged(state, option, text) : valued(state, option, text)
  const negated = flag.startsWith('no-') ? options.find((candidate) => candidate.flag === flag.slice(3)) : undefined
  if (negated?.param.type === 'boolean' && negated.scope === 'command' && text === null) {
    settleName(state)
    return store(state, negated, false)
  }
  fail(state, `Unknown option ${quoted(`--${flag}`)}`, {
    found: `--${flag}`,
    near: prefixed(
      nearest(
        flag,
        options.map((candidate) => candidate.flag),
      ),
    ),
  })
}

const prefixed = (flag: string | null): string | null => (flag === null ? null : `--${flag}`)

/** `-f`, `-n 5`, `-n5`, `-fn5`. */
function shortOptions<S>(state: Walk<S>, token: string): void {
  const letters = Array.from(token.slice(1))
  for (const [index, letter] of letters.entries()) {
    const option = known(state).find(({ param }) => param.short === letter)
    if (option === undefined) {
      return fail(state, `Unknown option ${quoted(`-${letter}`)}${letters.length > 1 ? ` in ${quoted(token)}` : ''}`, {
        found: `-${letter}`,
        near:
          letters.length > 1
            ? prefixed(
                nearest(
                  token.slice(1),
                  known(state).map(({ flag }) => flag),
                ),
              )
            : null,
      })
    }
    if (option.scope === 'command') settleName(state)
    if (option.param.type !== 'boolean') {
      const attached = letters
        .slice(index + 1)
        .join('')
        .replace(/^=/, '')
      return valued(state, option, index + 1 < letters.length ? attached : null)
    }
    flagged(state, option, null)
  }
}

function flagged<S>(state: Walk<S>, option: Option, text: string | null): void {
  if (text === null) return store(state, option, true)
  const result = readValue(option.param, text)
  if ('value' in result) return store(state, option, result.value)
  fail(state, `Option "--${option.flag}" takes no value, found ${quoted(text)}`, {
    found: text,
    expected: result.expected,
  })
}

function valued<S>(state: Walk<S>, option: Option, attached: string | null): void {
  const next = state.argv[state.at]
  const text = attached ?? (next !== undefined && !/^-[^\d]/.test(next) ? next : null)
  if (text === null) {
    state.awaiting = next === undefined ? option : null
    const found = next === undefined ? 'the end of the line' : quoted(next)
    return fail(state, `Option "--${option.flag}" needs a value, found ${found}`, {
      found: next ?? null,
      expected: option.param.summary,
    })
  }
  if (attached === null) state.at += 1
  const result = readValue(option.param, text)
  if (!('value' in result)) {
    return fail(state, `Invalid value ${quoted(text)} for "--${option.flag}": expected ${result.expected}`, {
      found: text,
      expected: result.expected,
      near: result.near ?? null,
    })
  }
  store(state, option, result.value)
}

function store<S>(state: Walk<S>, option: Option, value: string | number | boolean): void {
  const target = option.scope === 'global' ? state.globals : state.options
  const before = target.get(option.key)
  if (option.param.type === 'rest') {
    target.set(option.key, [...(Array.isArray(before) ? (before as readonly string[]) : []), String(value)])
  } else if (before !== undefined && before !== value) {
    // Taking the last one silently would hide a mistake in a script.
    fail(state, `Option "--${option.flag}" is given twice: ${quoted(String(before))} and ${quoted(String(value))}`, {
      found: String(value),
      expected: 'one value',
    })
  } else {
    target.set(option.key, value)
  }
}

interface Mistake {
  found: string | null
  expected?: string
  /** Nearest right spelling. */
  near?: string | null
}

/** Keeps the first mistake of a line. */
export function fail<S>(state: Walk<S>, message: string, mistake: Mistake): void {
  if (state.problem !== null || state.unknown) return
  const usage = state.command === null ? `${PROGRAM} <command> [arguments] [options]` : usageLine(state.command)
  const near = mistake.near ?? null
  const details: Record<string, unknown> = { found: mistake.found, usage }
  if (mistake.expected !== undefined) details['expected'] = mistake.expected
  if (near !== null) details['nearest'] = near
  const hint = `${near === null ? '' : `Did you mean ${quoted(near)}? `}Usage: ${usage}`
  state.problem = new PloinkyError('USAGE_INVALID', message, { hint, details })
}
