/** What to say about a command that does not exist: the nearest name, or what its first words could have become. */
import { PloinkyError } from '../core/error.ts'
import { nearest } from '../core/id.ts'
import type { Command } from './command.ts'
import { quoted } from './text.ts'
import { PROGRAM } from './usage.ts'

type Named = Pick<Command<never>, 'name' | 'aliases' | 'hidden'>

/** `prefix` are the words that began a name of the table, `rest` those that did not fit. */
export function unknownCommand(
  prefix: readonly string[],
  rest: readonly string[],
  commands: readonly Named[],
): PloinkyError {
  const names = commands
    .filter((command) => command.hidden !== true)
    .flatMap(({ name, aliases }) => [name, ...(aliases ?? [])])
  const start = prefix.join(' ')
  const members = prefix.length === 0 ? names : names.filter((name) => name.startsWith(`${start} `))
  // Only hidden commands begin like this: nobody is told of them.
  if (prefix.length > 0 && members.length === 0 && !names.includes(start)) {
    return unknownCommand([], [...prefix, ...rest], commands)
  }
  const tails = members.map((name) => name.split(' ').slice(prefix.length))
  const near = nearestTail(rest, prefix.length === 0 ? [...tails, ...firstWords(tails)] : tails)
  const name = [...prefix, ...near].join(' ')
  if (near.length > 0) {
    const run = names.includes(name) ? `${PROGRAM} ${name}` : `${PROGRAM} help ${name}`
    return unknown([...prefix, ...rest.slice(0, near.length)], `Did you mean ${quoted(name)}? Run "${run}"`, [name])
  }
  if (prefix.length === 0 || members.length === 0) {
    const topic = ['help', ...prefix].join(' ')
    return unknown([...prefix, ...rest.slice(0, 1)], `Run "${PROGRAM} ${topic}" to see what there is`, [])
  }
  // `enable demo` where only `enable agent` exists: the word that was given is its argument.
  const argument = members.length === 1 && /^[\w./:-]+$/.test(rest[0] ?? '') ? ` ${rest[0]}` : ''
  const choices = members.map((member) => `"${PROGRAM} ${member}${argument}"`)
  const hint =
    choices.length === 1 ? `Run ${choices[0]}` : `Run ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`
  if (rest.length > 0) return unknown([...prefix, ...rest.slice(0, 1)], hint, members)
  const details = { found: start, nearest: members }
  return new PloinkyError('COMMAND_UNKNOWN', `Incomplete command ${quoted(start)}`, { hint, details })
}

function unknown(words: readonly string[], hint: string, near: readonly string[]): PloinkyError {
  const command = words.join(' ')
  return new PloinkyError('COMMAND_UNKNOWN', `Unknown command ${quoted(command)}`, {
    hint,
    details: { found: command, nearest: near },
  })
}

/** A mistyped first word of a longer name alone (`lsit`) leads to the help of that word. */
const firstWords = (tails: readonly (readonly string[])[]): string[][] =>
  [...new Set(tails.filter((tail) => tail.length > 1).map((tail) => tail[0] ?? ''))].map((word) => [word])

/** Compares the same number of words, longest first, so that `lst agents` finds `list agents`. */
function nearestTail(words: readonly string[], tails: readonly (readonly string[])[]): string[] {
  const longest = Math.max(0, ...tails.map((tail) => tail.length))
  for (let count = Math.min(longest, words.length); count > 0; count--) {
    const candidates = tails.filter((tail) => tail.length === count).map((tail) => tail.join(' '))
    const found = nearest(words.slice(0, count).join(' '), candidates)
    if (found !== null) return found.split(' ')
  }
  return []
}
