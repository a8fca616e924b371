/** Help: the table of commands described as data, and that data as text. Pure. */
import type { Command } from './command.ts'
import { displayWidth, padEnd, paint, wrap } from './text.ts'
import {
  flaggedPositionals,
  GLOBAL_OPTIONS,
  type Option,
  optionText,
  optionsOf,
  positionalsOf,
  PROGRAM,
  usageLine,
} from './usage.ts'
import { rangeText } from './values.ts'

const GROUPS: readonly Command<never>['group'][] = ['Workspace', 'Agents', 'Use an agent', 'Router', 'Settings', 'Help']

export interface TermDoc {
  readonly term: string
  readonly summary: string
}

/** One command, described; what `help <command> --json` prints. */
export interface CommandDoc {
  readonly name: string
  readonly group: string
  readonly summary: string
  readonly description: string
  readonly aliases: readonly string[]
  readonly usage: string
  readonly arguments: readonly TermDoc[]
  readonly options: readonly TermDoc[]
  readonly examples: readonly { readonly run: string; readonly does: string }[]
}

export interface HelpDoc {
  readonly kind: 'overview' | 'topic' | 'command'
  readonly commands: readonly CommandDoc[]
  readonly globals: readonly TermDoc[]
}

interface HelpView {
  readonly color: boolean
  readonly columns: number
}

type AnyCommand = Omit<Command<never>, 'run' | 'render' | 'exitCode'>

function describeCommand(command: AnyCommand): CommandDoc {
  return {
    name: command.name,
    group: command.group,
    summary: command.summary,
    description: command.description ?? '',
    aliases: command.aliases ?? [],
    // Worked out when they are asked for: the overview shows none of them, and is what a new user waits for first.
    get usage() {
      return usageLine(command)
    },
    get arguments() {
      return positionalsOf(command).map(({ key, param }) => ({
        term: param.placeholder ?? key,
        summary: withRange(param.summary, [rangeText(param), flagOf(command, key)].filter(Boolean).join('; ')),
      }))
    },
    get options() {
      return optionsOf(command).map(describeOption)
    },
    examples: command.examples ?? [],
  }
}

const describeOption = (option: Option): TermDoc => ({
  term: optionText(option),
  summary: withRange(option.param.summary, rangeText(option.param)),
})

function flagOf(command: AnyCommand, key: string): string {
  const option = flaggedPositionals(command).find((candidate) => candidate.key === key)
  if (option === undefined) return ''
  return `also ${option.param.short === undefined ? '' : `-${option.param.short}, `}--${option.flag}`
}

const withRange = (summary: string, range: string): string => (range === '' ? summary : `${summary} (${range})`)

/** Describes all commands, those under a first word (`list`), or one. Null when nothing has that name. */
export function describeHelp(commands: readonly AnyCommand[], words: readonly string[] = []): HelpDoc | null {
  const globals = GLOBAL_OPTIONS.map(describeOption)
  const name = words.join(' ')
  const visible = commands.filter((command) => command.hidden !== true)
  if (name === '') return { kind: 'overview', commands: visible.map(describeCommand), globals }
  const exact = commands.find((command) => command.name === name || command.aliases?.includes(name) === true)
  if (exact !== undefined) return { kind: 'command', commands: [describeCommand(exact)], globals }
  const members = visible.filter((command) => command.name.startsWith(`${name} `))
  return members.length === 0 ? null : { kind: 'topic', commands: members.map(describeCommand), globals }
}

/** Text of a description, at most `columns` (and never more than 100) wide. */
export function renderHelp(doc: HelpDoc, view: HelpView): string {
  const width = Math.max(40, Math.min(view.columns, 100))
  const heading = (text: string): string => paint('bold', text, view.color)
  const [first] = doc.commands
  if (doc.kind === 'command' && first !== undefined) return commandHelp(first, width, heading)
  const list = (commands: readonly CommandDoc[]): TermDoc[] =>
    commands.map(({ name, summary }) => ({ term: name, summary }))
  if (doc.kind === 'topic') {
    return [
      ...terms(list(doc.commands), width),
      '',
      `Run "${PROGRAM} help <command>" for its options and examples`,
    ].join('\n')
  }
  const column = Math.max(...doc.commands.map(({ name }) => name.length), 0)
  const lines = [`${heading('Usage:')} ${PROGRAM} <command> [arguments] [options]`]
  for (const group of GROUPS) {
    const members = doc.commands.filter((command) => command.group === group)
    if (members.length > 0) lines.push('', heading(group), ...terms(list(members), width, column))
  }
  lines.push('', heading('Options of every command'), ...terms(doc.globals, width))
  lines.push(
    '',
    ...wrap(`Run "${PROGRAM} help <command>" for its options and examples. "${PROGRAM}" alone opens a prompt.`, width),
  )
  return lines.join('\n')
}

function commandHelp(doc: CommandDoc, width: number, heading: (text: string) => string): string {
  const lines = [`${heading('Usage:')} ${doc.usage}`, '', ...wrap(doc.summary, width)]
  if (doc.description !== '') lines.push('', ...doc.description.split('\n\n').flatMap((part) => wrap(part, width)))
  if (doc.aliases.length > 0) lines.push('', `Also: ${doc.aliases.map((alias) => `${PROGRAM} ${alias}`).join(', ')}`)
  if (doc.arguments.length > 0) lines.push('', heading('Arguments'), ...terms(doc.arguments, width))
  if (doc.options.length > 0) lines.push('', heading('Options'), ...terms(doc.options, width))
  if (doc.examples.length > 0) {
    lines.push('', heading('Examples'))
    for (const { run, does } of doc.examples) {
      lines.push(`  ${run}`, ...wrap(does, width - 6).map((line) => `      ${line}`))
    }
  }
  const globals = GLOBAL_OPTIONS.filter(({ flag }) => flag !== 'version').map(({ flag }) => `--${flag}`)
  return [...lines, '', ...wrap(`Every command also takes ${globals.join(', ')}`, width)].join('\n')
}

/** Terms with their summaries in a second column; a long term gets a line of its own. */
function terms(docs: readonly TermDoc[], width: number, least = 0): string[] {
  const column = Math.min(26, Math.max(least, ...docs.map(({ term }) => displayWidth(term))))
  return docs.flatMap(({ term, summary }) => {
    const text = wrap(summary, width - column - 4)
    const indent = ' '.repeat(column + 4)
    if (displayWidth(term) > column) return [`  ${term}`, ...text.map((line) => indent + line)]
    return text.map((line, index) => (index === 0 ? `  ${padEnd(term, column)}  ${line}` : indent + line))
  })
}
