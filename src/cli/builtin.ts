/** The commands that belong to the command line itself: help, version, completion. */
import type { Command } from './command.ts'
import { complete, type CompletionSource } from './completion.ts'
import { completionScript, type Shell, SHELLS } from './completion-scripts.ts'
import { describeHelp, type HelpDoc, renderHelp } from './help.ts'
import type { Globals } from './parse.ts'
import { PROGRAM } from './usage.ts'
import { unknownCommand } from './unknown.ts'

interface BuiltinOptions {
  readonly version: string
  /** Names for completion that are known only at run time. */
  readonly source?: CompletionSource | undefined
  /** Flags of the enclosing prompt, for the workspace that names are taken from. */
  readonly globals?: Globals | undefined
}

/** The table with the built-in commands at its end; one that the table already has is kept. */
export function withBuiltins<S>(table: readonly Command<S>[], options: BuiltinOptions): readonly Command<S>[] {
  const taken = new Set(table.map(({ name }) => name))
  const all: Command<S>[] = [...table]
  all.push(...builtinCommands(() => all, options).filter(({ name }) => !taken.has(name)))
  return all
}

/** `table` gives the whole table, these commands included. */
function builtinCommands<S>(table: () => readonly Command<S>[], options: BuiltinOptions): Command<S>[] {
  return [helpCommand(table), versionCommand(options.version), completionCommand(), completeCommand(table, options)]
}

/** Help for a topic; COMMAND_UNKNOWN, with the nearest name, when there is none. */
export function helpFor<S>(commands: readonly Command<S>[], words: readonly string[]): HelpDoc {
  const doc = describeHelp(commands, words)
  if (doc !== null) return doc
  const fits = (count: number): boolean => describeHelp(commands, words.slice(0, count)) !== null
  const known = words.findIndex((_, index) => !fits(index + 1))
  throw unknownCommand(words.slice(0, known), words.slice(known), commands)
}

const local = { access: 'local', permission: 'read', group: 'Help' } as const

function helpCommand<S>(table: () => readonly Command<S>[]): Command<S> {
  return {
    ...local,
    name: 'help',
    summary: 'Show all commands, or one with its options and examples',
    positionals: ['command'],
    params: { command: { type: 'rest', summary: 'Words of a command: "logs", "enable agent"', complete: 'commands' } },
    examples: [
      { run: `${PROGRAM} help`, does: 'Lists all commands' },
      { run: `${PROGRAM} help enable agent`, does: 'Shows the options and examples of one command' },
    ],
    run: async (input) => helpFor(table(), Array.isArray(input['command']) ? input['command'].map(String) : []),
    render: (data, out) => renderHelp(data as HelpDoc, out),
  }
}

function versionCommand<S>(version: string): Command<S> {
  return {
    ...local,
    name: 'version',
    summary: 'Show the version',
    examples: [{ run: `${PROGRAM} version --json`, does: 'Prints the version for a program' }],
    run: async () => ({ version }),
    render: () => version,
  }
}

function completionCommand<S>(): Command<S> {
  return {
    ...local,
    name: 'completion',
    summary: 'Print the completion script of a shell',
    description: [
      `bash: add  source <(${PROGRAM} completion bash)  to ~/.bashrc.`,
      `zsh: add  source <(${PROGRAM} completion zsh)  to ~/.zshrc.`,
      `fish: run  ${PROGRAM} completion fish > ~/.config/fish/completions/${PROGRAM}.fish`,
    ].join('\n\n'),
    positionals: ['shell'],
    params: { shell: { type: 'string', summary: 'Shell', choices: SHELLS, required: true } },
    examples: [{ run: `${PROGRAM} completion bash`, does: 'Prints the script that bash loads' }],
    run: async (input) => ({ shell: input['shell'], script: completionScript(input['shell'] as Shell) }),
    render: (data) => (data as { script: string }).script,
  }
}

/** Called by the scripts of `completion`; the last word is the one under the cursor. */
function completeCommand<S>(table: () => readonly Command<S>[], options: BuiltinOptions): Command<S> {
  return {
    ...local,
    name: '__complete',
    summary: 'Completes a command line, for the completion scripts',
    hidden: true,
    positionals: ['words'],
    params: { words: { type: 'rest', summary: 'Words after the program name' } },
    async run(input) {
      const words = Array.isArray(input['words']) ? input['words'].map(String) : []
      return complete({
        commands: table(),
        words: words.slice(0, -1),
        current: words.at(-1) ?? '',
        source: options.source,
        globals: options.globals,
      })
    },
    render(data) {
      const { candidates, files } = data as Awaited<ReturnType<typeof complete>>
      const lines = candidates.map(({ value, summary }) => (summary === '' ? value : `${value}\t${oneLine(summary)}`))
      return [...lines, ...(files === null ? [] : [`:${files}`])].join('\n')
    },
  }
}

const oneLine = (text: string): string => text.replace(/[\p{Cc}\s]+/gu, ' ')
