/** From the words of a command line to a command and its typed input. Pure: reads nothing but its arguments. */
import type { PloinkyError } from '../core/error.ts'
import { nearest } from '../core/id.ts'
import type { Command, Input } from './command.ts'
import { quoted } from './text.ts'
import { flagName, optionsOf, placeholderOf, type Positional, positionalsOf } from './usage.ts'
import { readValue } from './values.ts'
import { unknownCommand } from './unknown.ts'
import { fail, openPositionals, settleName, type Value, walk, type Walk } from './walk.ts'

/** The flags that every command takes. */
export interface Globals {
  readonly json: boolean
  readonly workspace: string | undefined
  readonly debug: boolean
  readonly yes: boolean
  readonly color: boolean
  readonly quiet: boolean
  readonly help: boolean
  readonly version: boolean
}

export const NO_GLOBALS: Globals = {
  json: false,
  workspace: undefined,
  debug: false,
  yes: false,
  color: true,
  quiet: false,
  help: false,
  version: false,
}

interface Parsed<Services> {
  /** Null: none was given, or it does not exist (then `error` says so). */
  readonly command: Command<Services> | null
  /** Words of the command line that began a command name; a help topic. */
  readonly words: readonly string[]
  readonly input: Input
  /** Valid even when there is an error, so that it can be shown as it was asked for. */
  readonly globals: Globals
  /** The first mistake: USAGE_INVALID or COMMAND_UNKNOWN. With `--help` only the latter is reported. */
  readonly error: PloinkyError | null
}

/**
 * Parses the words after the program's name. `base` holds flags that an enclosing prompt or script was started with.
 *
 * Options may stand anywhere before `--`, with two exceptions: words for another program (`cli <agent> [args...]`,
 * `exec <agent> -- <command...>`) are never read as options of ours.
 */
export function parseArgv<Services>(
  argv: readonly string[],
  commands: readonly Command<Services>[],
  base: Globals = NO_GLOBALS,
): Parsed<Services> {
  const state = walk(argv, commands)
  const globals = readGlobals(state.globals, base)
  const words = state.words
  if (state.command === null) {
    const isTopic = globals.help && !state.unknown
    const named = state.unknown || words.length > 0
    const error =
      named && !isTopic ? unknownCommand(words, state.positionals, commands) : isTopic ? null : state.problem
    return { command: null, words, input: {}, globals, error }
  }
  if (globals.help) return { command: state.command, words, input: {}, globals, error: null }
  const input = readInput(state, state.command)
  return { command: state.command, words, input, globals, error: state.problem }
}

function readGlobals(given: ReadonlyMap<string, Value>, base: Globals): Globals {
  const on = (key: string, fallback: boolean): boolean => {
    const value = given.get(key)
    return typeof value === 'boolean' ? value : fallback
  }
  const workspace = given.get('workspace')
  return {
    json: on('json', base.json),
    workspace: typeof workspace === 'string' ? workspace : base.workspace,
    debug: on('debug', base.debug),
    yes: on('yes', base.yes),
    color: !on('no-color', !base.color),
    quiet: on('quiet', base.quiet),
    help: on('help', false),
    version: on('version', false),
  }
}

function readInput<S>(state: Walk<S>, command: Command<S>): Input {
  settleName(state)
  const words = state.positionals
  const input = new Map<string, Value>()
  const positionals = openPositionals(state, command)
  for (const [index, positional] of positionals.entries()) {
    const isRest = positional.param.type === 'rest'
    readPositional(state, positional, isRest ? words.slice(index) : words.slice(index, index + 1)).forEach((value) =>
      input.set(positional.key, value),
    )
  }
  const takesMore = positionals.at(-1)?.param.type === 'rest'
  const surplus = takesMore ? undefined : words[positionals.length]
  if (surplus !== undefined) reportSurplus(state, command, surplus)
  for (const [key, value] of state.options) input.set(key, value)
  for (const { key, flag, param } of optionsOf(command)) {
    if (param.required === true && !input.has(key)) {
      fail(state, `Missing option "--${flag} ${placeholderOf(key, param)}"`, { found: null, expected: param.summary })
    }
  }
  return Object.fromEntries(input)
}

/** The checked value of one positional, as a list of none or one. */
function readPositional<S>(state: Walk<S>, { key, param }: Positional, words: readonly string[]): Value[] {
  const name = param.placeholder ?? key
  if (words.length === 0) {
    if (param.required === true)
      fail(state, `Missing argument ${quoted(name)}`, { found: null, expected: param.summary })
    return []
  }
  const values: (string | number | boolean)[] = []
  for (const text of words) {
    const result = readValue(param, text)
    if ('value' in result && (text !== '' || param.type === 'rest')) {
      values.push(result.value)
      continue
    }
    // An empty word is almost always an unset variable of a script; acting on "no agent given" would be worse.
    const expected = 'value' in result ? 'a value that is not empty' : result.expected
    const near = 'value' in result ? null : (result.near ?? null)
    fail(state, `Invalid ${name} ${quoted(text)}: expected ${expected}`, { found: text, expected, near })
  }
  if (param.type === 'rest') return [values.map(String)]
  return values
}

function reportSurplus<S>(state: Walk<S>, command: Command<S>, word: string): void {
  const longer = state.commands.map(({ name }) => name).filter((name) => name.startsWith(`${command.name} `))
  const near = nearest(`${command.name} ${word}`, longer)
  const flagged = positionalsOf(command).find(({ key }) => state.options.has(key))
  if (flagged !== undefined) {
    const message = `Unexpected argument ${quoted(word)}: "--${flagName(flagged.key)}" is given as well`
    return fail(state, message, { found: word, expected: 'one of the two' })
  }
  const count = positionalsOf(command).length
  const expected = count === 0 ? 'no arguments' : count === 1 ? 'one argument' : `at most ${count} arguments`
  fail(state, `Unexpected argument ${quoted(word)}: "${command.name}" takes ${expected}`, {
    found: word,
    expected,
    near,
  })
}
