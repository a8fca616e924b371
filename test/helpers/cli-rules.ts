/** What every table of commands has to keep, beyond what its types say. */
import type { Command, Param } from '../../src/cli/command.ts'
import { parseArgv } from '../../src/cli/parse.ts'
import { splitWords } from '../../src/cli/shell-words.ts'
import { flagName, flagsOf, GLOBAL_OPTIONS, positionalsOf } from '../../src/cli/usage.ts'

const LONGEST_SUMMARY = 90

/** Every rule that a table breaks, in words; empty when it is good. */
export function tableProblems<S>(commands: readonly Command<S>[]): string[] {
  const names = commands.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])])
  const repeated = names.filter((name, index) => names.indexOf(name) !== index)
  return [
    ...repeated.map((name) => `${name}: two commands have this name`),
    ...commands.flatMap((command) =>
      [
        ...wordProblems(command),
        ...positionalProblems(command),
        ...optionProblems(command),
        ...exampleProblems(command, commands),
      ].map((problem) => `${command.name}: ${problem}`),
    ),
  ]
}

function wordProblems<S>(command: Command<S>): string[] {
  const problems: string[] = []
  if (!/^[a-z]+(?:-[a-z]+)*(?: [a-z]+(?:-[a-z]+)*)*$/.test(command.name) && command.hidden !== true) {
    problems.push('the name is not made of lower-case words')
  }
  if (!/^[A-Z]/.test(command.summary)) problems.push(`"${command.summary}" does not begin like a sentence`)
  for (const text of [command.summary, ...Object.values(command.params ?? {}).map(({ summary }) => summary)]) {
    if (!/[^.\s]$/.test(text)) problems.push(`"${text}" is empty or ends in a full stop`)
    if (text.length > LONGEST_SUMMARY) problems.push(`"${text}" is longer than ${LONGEST_SUMMARY} characters`)
  }
  return problems
}

function positionalProblems<S>(command: Command<S>): string[] {
  const problems: string[] = []
  const positionals = positionalsOf(command)
  let optional: string | null = null
  for (const [index, { key, param }] of positionals.entries()) {
    if (command.params === undefined || !(key in command.params)) problems.push(`positional "${key}" is not described`)
    if (param.type === 'rest' && index !== positionals.length - 1)
      problems.push(`rest "${key}" is not the last positional`)
    if (param.type === 'boolean') problems.push(`positional "${key}" is a boolean`)
    if (param.required === true && optional !== null) problems.push(`required "${key}" follows optional "${optional}"`)
    if (param.required !== true) optional = key
  }
  for (const key of command.http?.path.match(/(?<=\{)\w+(?=\})/g) ?? []) {
    if (command.params === undefined || !(key in command.params))
      problems.push(`path parameter "${key}" is not described`)
  }
  return problems
}

function optionProblems<S>(command: Command<S>): string[] {
  const problems: string[] = []
  const all = [...GLOBAL_OPTIONS, ...flagsOf(command)]
  const flags = all.map(({ flag }) => `--${flag}`)
  const letters = all.flatMap(({ param }) => (param.short === undefined ? [] : [`-${param.short}`]))
  for (const list of [flags, letters]) {
    for (const flag of list.filter((item, index) => list.indexOf(item) !== index)) problems.push(`${flag} is taken`)
  }
  for (const [key, param] of Object.entries(command.params ?? {})) {
    if (!/^[a-z][a-z0-9-]*$/.test(flagName(key))) problems.push(`"${key}" is no name of a flag`)
    if (param.short !== undefined && !/^[A-Za-z]$/.test(param.short)) problems.push(`"${param.short}" is no letter`)
    if (flagName(key).startsWith('no-')) problems.push(`"${key}" would be the opposite of another flag`)
    problems.push(...valueProblems(key, param))
  }
  return problems
}

function valueProblems(key: string, param: Param): string[] {
  const problems: string[] = []
  const number = param.type === 'integer' || param.type === 'port'
  if (!number && (param.min !== undefined || param.max !== undefined))
    problems.push(`"${key}" has limits but is no number`)
  if ((param.min ?? -Infinity) > (param.max ?? Infinity)) problems.push(`the limits of "${key}" leave nothing`)
  if (param.choices !== undefined && (param.choices.length === 0 || param.type === 'boolean')) {
    problems.push(`the choices of "${key}" make no sense`)
  }
  return problems
}

/** Each example has to be a command line that parses to its own command. */
function exampleProblems<S>(command: Command<S>, commands: readonly Command<S>[]): string[] {
  return (command.examples ?? []).flatMap(({ run, does }) => {
    if (does === '') return [`example "${run}" does not say what it does`]
    const words = splitWords(run)
    const start = words.indexOf('ploinky')
    if (start === -1) return [`example "${run}" does not run ploinky`]
    // What a shell takes for itself ends our words; before our name there may be another program's output.
    const end = words.findIndex((word, index) => index > start && /^(?:\||>|>>|<|&&|;)$/.test(word))
    const parsed = parseArgv(words.slice(start + 1, end === -1 ? undefined : end), commands)
    if (parsed.error !== null) return [`example "${run}": ${parsed.error.message}`]
    return parsed.command === command ? [] : [`example "${run}" runs "${parsed.command?.name ?? 'nothing'}"`]
  })
}
