/** `var`, `vars`, `echo`, `expose`. Values are shown to the person at this machine alone, and only when asked for. */
import { type Command, type CommandContext, defineCommand, type Input, type Param } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Services } from '../../services.ts'
import type { Exposure } from './exposing.ts'
import type { Given } from './given.ts'
import { takes } from './names.ts'

type Context = CommandContext<Services>

const nameParam: Param = { type: 'string', summary: 'Name of the variable', placeholder: 'NAME', required: true }

const text = (input: Input, name: string): string | null =>
  typeof input[name] === 'string' ? (input[name] as string) : null
const isLocal = ({ principal }: Context): boolean => principal === 'local'

/** `NAME`, or `NAME=value` in one word; the first ploinky took a colon as well. */
function splitName(word: string): { name: string; value: string | null } {
  const [, name = word, value] = /^([A-Za-z_][A-Za-z0-9_]*)[=:]([\s\S]*)$/.exec(word) ?? []
  return { name, value: value ?? null }
}

/** From the line, from standard input, or asked for where somebody can answer. */
async function valueOf(input: Input, context: Context, written: string | null): Promise<Given> {
  const given = text(input, 'value') ?? written
  const fromStdin = input['stdin'] === true
  if (given !== null && !fromStdin) return { word: given }
  if (given !== null) throw usage('A value and --stdin are both given', 'Leave one of them out')
  if (!isLocal(context)) throw new PloinkyError('REQUEST_INVALID', 'The field "value" is missing')
  const { terminal } = (await context.services()).platform
  // The line break at the end belongs to the file or to `echo`, not to the value.
  if (fromStdin) return { text: (await terminal.stdin.readAll()).replace(/\r?\n$/, '') }
  if (!terminal.stdin.isTTY || context.out.json) {
    throw usage('No value is given', 'Give it as a word, or on standard input with --stdin')
  }
  const typed = await terminal.stdin.readHidden('Value (not shown): ')
  if (typed === null) throw new PloinkyError('INTERRUPTED', 'Interrupted')
  return { text: typed }
}

const usage = (message: string, hint: string): PloinkyError => new PloinkyError('USAGE_INVALID', message, { hint })

const valueParam = (summary: string): Param => ({ type: 'string', summary, placeholder: 'value', secret: true })
const stdinParam: Param = { type: 'boolean', summary: 'Read the value from standard input: it is in no history' }

const setVariable = defineCommand<Services>({
  name: 'var',
  summary: 'Set a variable of this workspace, for agents that ask for it',
  description:
    'Kept in .ploinky/.secrets. Without a value it is asked for and not shown. A value $OTHER stands for the variable OTHER; write $$OTHER for the text itself. What is read from standard input or asked for means only itself. Running agents get a new value at their next start.',
  group: 'Settings',
  positionals: ['name', 'value'],
  params: {
    name: { ...nameParam, summary: 'Name, or NAME=value' },
    value: valueParam('Value, or $OTHER for that of another variable'),
    stdin: stdinParam,
    unset: { type: 'boolean', summary: 'Remove the variable' },
  },
  examples: [
    { run: 'ploinky var API_KEY', does: 'asks for the value, so that it is in no history' },
    { run: 'ploinky var API_KEY --stdin < key.txt', does: 'takes the value from a file' },
    { run: "ploinky var LLM_KEY '$API_KEY'", does: 'the same value under another name' },
    { run: 'ploinky var API_KEY --unset', does: 'removes it' },
  ],
  access: 'session',
  permission: 'admin',
  http: { method: 'PUT', path: '/variables/{name}' },
  async run(input, context) {
    const { name, value } = splitName(text(input, 'name') ?? '')
    const { workspace, variables } = await context.services()
    if (input['unset'] === true) {
      if (value !== null || text(input, 'value') !== null || input['stdin'] === true)
        throw usage('A value and --unset are both given', 'Leave one of them out')
      return { name, outcome: (await variables.unset(name)) ? 'removed' : 'unchanged' }
    }
    const given = await valueOf(input, context, value)
    await workspace.init()
    await variables.set(name, given)
    return { name, outcome: 'set' }
  },
  render: (data) => {
    const { name, outcome } = data as { name: string; outcome: string }
    if (outcome === 'set') return `Set: ${name}`
    return outcome === 'removed' ? `Removed: ${name}` : `Not set in .ploinky/.secrets: ${name}`
  },
})

/** Enabled agents that a variable goes to: those whose manifest names it, and those that it is exposed to. */
async function asking({ registry, planner, variables }: Services): Promise<(name: string) => string[]> {
  const agents = await registry.list()
  const [manifests, exposed] = await Promise.all([
    // An agent whose repository is gone asks for nothing.
    Promise.all(
      agents.map((agent) =>
        planner.load(agent).then(
          ({ manifest }) => manifest,
          () => null,
        ),
      ),
    ),
    variables.exposures(),
  ])
  return (name) =>
    agents
      .filter((agent, index) => {
        const asks = manifests[index]
        const named = asks?.env.some(({ source }) => source === name || (source.includes('*') && takes(source, name)))
        const secret = asks?.secrets.some((item) => item.name === name)
        return named || secret || exposed.some((item) => item.agent === agent.name && item.from === name)
      })
      .map(({ name: agent }) => agent)
}

const listVariables = defineCommand<Services>({
  name: 'vars',
  summary: 'Variables of this workspace and where each comes from; values with --show',
  description: 'Those of .ploinky/.secrets and of the nearest .env file; with a pattern also those of the environment.',
  group: 'Settings',
  positionals: ['pattern'],
  params: {
    pattern: { type: 'string', summary: 'Name or pattern, e.g. "LLM_*"', placeholder: 'PATTERN' },
    show: { type: 'boolean', summary: 'Show the values too' },
    used: { type: 'boolean', summary: 'Show which enabled agents get each of them' },
  },
  examples: [
    { run: 'ploinky vars', does: 'names and sources' },
    { run: "ploinky vars 'LLM_*' --show", does: 'values too, of those that fit' },
  ],
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/variables' },
  async run(input, context) {
    const show = input['show'] === true
    if (show && !isLocal(context)) {
      throw new PloinkyError('DENIED', 'Values of variables are not given over HTTP', {
        hint: 'On the machine itself, run: ploinky vars --show',
      })
    }
    const services = await context.services()
    const [found, askedBy] = await Promise.all([
      services.variables.list(text(input, 'pattern')),
      input['used'] === true ? asking(services) : null,
    ])
    return found.map(({ name, from, value }) => ({
      name,
      ...(show ? { value: value?.reveal() ?? null } : {}),
      from,
      ...(askedBy === null ? {} : { usedBy: askedBy(name).join(' ') }),
    }))
  },
})

const echo = defineCommand<Services>({
  name: 'echo',
  summary: 'Show one variable with its value and where it comes from',
  description: 'NAME shows what is written and what it stands for; $NAME shows the value alone, for scripts.',
  group: 'Settings',
  positionals: ['name'],
  params: { name: { ...nameParam, summary: 'NAME, or $NAME (in quotes) for the value alone' } },
  examples: [{ run: "ploinky echo '$API_KEY'", does: 'prints the value and nothing else' }],
  access: 'local',
  permission: 'admin',
  async run(input, context) {
    const word = text(input, 'name') ?? ''
    const { variables } = await context.services()
    const { name, value, raw, from, toSet } = await variables.get(word.replace(/^\$/, ''))
    if (value === null)
      throw new PloinkyError('CONFIG_INVALID', from, { hint: `Run: ploinky var ${toSet ?? name} <value>` })
    const written = raw?.reveal() ?? value.reveal()
    return { name, value: value.reveal(), raw: written, from, alone: word.startsWith('$') }
  },
  render: (data) => {
    const { name, value, raw, from, alone } = data as Record<'name' | 'value' | 'raw' | 'from', string> & {
      alone: boolean
    }
    if (alone) return value
    const stands = raw === value ? [] : [`  is ${value}`]
    return [`${name}=${raw}`, ...stands, `  from ${from}`].join('\n')
  },
})

const expose = defineCommand<Services>({
  name: 'expose',
  summary: 'Give an agent a variable that its manifest does not name, or another value',
  description:
    'Kept in the workspace, and given over what the manifest says, from the next start of the agent on. Without a name it lists what is exposed.',
  group: 'Settings',
  positionals: ['name', 'value', 'agent'],
  params: {
    name: { ...nameParam, required: false, summary: 'Name of the variable in the agent' },
    value: valueParam('Value, or $OTHER for that of a variable of the workspace (default $NAME)'),
    agent: {
      type: 'string',
      summary: 'Enabled agent (default: the static one)',
      complete: 'agents',
      placeholder: 'agent',
    },
    stdin: stdinParam,
    remove: { type: 'boolean', summary: 'Expose it no longer' },
  },
  examples: [
    { run: "ploinky expose API_KEY '$OPENAI_KEY' demo", does: 'demo gets OPENAI_KEY as API_KEY' },
    { run: 'ploinky expose API_KEY --agent demo --remove', does: 'takes it back' },
    { run: 'ploinky expose', does: 'lists what is exposed' },
  ],
  access: 'session',
  permission: 'admin',
  http: { method: 'POST', path: '/exposed' },
  async run(input, context) {
    const name = text(input, 'name')
    const { variables, registry } = await context.services()
    if (name === null) return await variables.exposures()
    const chosen = text(input, 'agent') ?? (await registry.static())
    if (chosen === null)
      throw usage('No agent is named, and none is the static one', `Run: ploinky expose ${name} --agent <agent>`)
    if (input['remove'] === true) {
      // Of an agent that is disabled meanwhile as well.
      const removed = await variables.unexpose(chosen, name)
      return [{ agent: chosen, name, from: null, outcome: removed ? 'removed' : 'unchanged' }]
    }
    const agent = await registry.get(chosen)
    const given =
      text(input, 'value') === null && input['stdin'] !== true
        ? { word: `$${name}` }
        : await valueOf(input, context, null)
    return [{ ...(await variables.expose(agent, name, given)), outcome: 'exposed' }]
  },
  render: (data) =>
    (data as (Exposure & { outcome?: string })[])
      .map(({ agent, name, from, outcome }) => {
        if (outcome === 'removed') return `No longer exposed: ${name} to ${agent}`
        if (outcome === 'unchanged') return `Not exposed: ${name} to ${agent}`
        return `${outcome === undefined ? '' : 'Exposed: '}${name} to ${agent}${from === null || from === name ? '' : ` from ${from}`}`
      })
      .join('\n'),
})

export const variablesCommands: readonly Command<Services>[] = [setVariable, listVariables, echo, expose]
