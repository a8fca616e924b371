/** `client`: lists and calls what agents offer, from a terminal or a script. */
import { type Command, defineCommand, type Input, type Param } from '../../cli/command.ts'
import { ERRORS, PloinkyError } from '../../core/error.ts'
import type { Services } from '../../services.ts'
import type { AgentReport, Listing, Offer } from './index.ts'

type Json = Record<string, unknown>

const OFFERS: readonly Offer[] = ['tools', 'resources', 'prompts']
/** Seconds for an answer that needs no work, and for one of a tool; progress of a tool starts it again. */
const ASK_SECONDS = 30
const CALL_SECONDS = 600

const agentParam: Param = {
  type: 'string',
  summary: 'Name of a running agent',
  short: 'a',
  complete: 'agents',
  placeholder: 'AGENT',
}
const pairParam: Param = {
  type: 'rest',
  summary: 'name=value (again for more; again with the same name for a list), or name:=JSON',
  short: 'p',
  placeholder: 'NAME=VALUE',
}
const timeoutParam = (seconds: number): Param => ({
  type: 'integer',
  summary: `Seconds to wait for an answer (default ${seconds})`,
  min: 1,
  max: 86_400,
})

const text = (input: Input, name: string): string => String(input[name] ?? '')
const optional = (input: Input, name: string): string | null => (input[name] === undefined ? null : text(input, name))
const list = (input: Input, name: string): readonly string[] =>
  Array.isArray(input[name]) ? (input[name] as readonly string[]) : []
const msOf = (input: Input, fallback: number): number =>
  (typeof input['timeout'] === 'number' ? input['timeout'] : fallback) * 1000

/** What shows answers is loaded with what gets them: the table of commands, read at every start, loads neither. */
type Texts = (typeof import('./render.ts'))['texts']
let shown: Texts | null = null
async function loadRender(): Promise<Texts> {
  const { texts } = await import('./render.ts')
  return (shown = texts)
}

const listCommand = defineCommand<Services>({
  name: 'client list',
  summary: 'Tools, resources or prompts of running agents',
  group: 'Use an agent',
  positionals: ['what'],
  params: {
    what: { type: 'string', summary: 'What to list', choices: OFFERS, required: true, placeholder: 'what' },
    agent: { ...agentParam, summary: 'Of one agent only' },
    timeout: timeoutParam(ASK_SECONDS),
  },
  examples: [{ run: 'ploinky client list tools --agent demo', does: 'what can be called' }],
  access: 'local',
  permission: 'read',
  async run(input, context) {
    const [services, { listAll, listOne }] = await Promise.all([context.services(), import('./index.ts'), loadRender()])
    const options = { signal: context.signal, timeoutMs: msOf(input, ASK_SECONDS) }
    const what = text(input, 'what') as Offer
    const agent = optional(input, 'agent')
    const listing: Listing =
      agent === null
        ? await listAll(services, what, options)
        : { offered: [await listOne(services, what, { agent, ...options })], failures: [] }
    return { what, ...listing }
  },
  render: (data) => {
    const { what, ...listing } = data as Listing & { what: Offer }
    return shown?.listingText(what, listing) ?? ''
  },
  exitCode: (data) => (data as Listing).failures[0]?.exit ?? 0,
})

async function inputText(input: Input, { platform }: Services): Promise<string | null> {
  const given = optional(input, 'input')
  return given === '-' ? await platform.terminal.stdin.readAll() : given
}

function progressLine({ progress, total, message }: { progress: number; total?: number; message?: string }): string {
  const share = total === undefined ? String(progress) : `${progress}/${total}`
  return message === undefined ? share : `${message} (${share})`
}

const tool = defineCommand<Services>({
  name: 'client tool',
  summary: 'Call a tool of an agent',
  description:
    'Values get the type that the tool asks for. The agent may be left out when only one running agent has the tool. Ctrl-C cancels the call in the agent, too. When the tool answers with an error, its text goes to stderr and the exit code is 9.',
  group: 'Use an agent',
  positionals: ['tool'],
  params: {
    tool: { type: 'string', summary: 'Name of the tool', required: true, placeholder: 'tool' },
    agent: agentParam,
    param: pairParam,
    input: { type: 'string', summary: 'All arguments as a JSON object; "-" reads it from stdin', placeholder: 'JSON' },
    timeout: timeoutParam(CALL_SECONDS),
  },
  examples: [
    { run: 'ploinky client tool add --agent demo -p a=1 -p b=2', does: 'numbers, since the tool asks for numbers' },
    { run: 'ploinky client tool echo --agent demo --input -', does: 'arguments as JSON from stdin' },
  ],
  access: 'local',
  permission: 'operate',
  async run(input, context) {
    const [services, { agentOfTool, toolArguments, toolOf, withClient }, { resultText }] = await Promise.all([
      context.services(),
      import('./index.ts'),
      loadRender(),
    ])
    const { signal, out } = context
    const ask = { signal, timeoutMs: ASK_SECONDS * 1000 }
    const name = text(input, 'tool')
    const given = await inputText(input, services)
    const agent = optional(input, 'agent') ?? (await agentOfTool(services, name, ask))
    const result = await withClient(services, { agent, ...ask }, async (client) => {
      const { inputSchema } = await toolOf(client, { agent, name, ...ask })
      const values = toolArguments({ tool: name, schema: inputSchema, pairs: list(input, 'param'), input: given })
      return await client.callTool(
        { name, arguments: values },
        {
          signal,
          timeout: msOf(input, CALL_SECONDS),
          // Who says how long means all of it.
          resetTimeoutOnProgress: input['timeout'] === undefined,
          onprogress: (step) => out.progress(progressLine(step as Parameters<typeof progressLine>[0]), name),
        },
      )
    })
    if (result.isError !== true || out.json) return result
    throw new PloinkyError('TOOL_FAILED', resultText(result) || `Tool "${name}" failed and says nothing`)
  },
  render: (data) => shown?.resultText(data as Json) ?? '',
  exitCode: (data) => ((data as Json)['isError'] === true ? ERRORS.TOOL_FAILED.exit : 0),
})

/** A request whose answer is shown as it is. */
function reader(
  command: Pick<Command<Services>, 'summary' | 'examples'> & { noun: 'resource' | 'prompt' },
): Command<Services> {
  const { noun, summary } = command
  const key = noun === 'resource' ? 'uri' : 'name'
  return defineCommand<Services>({
    ...{ name: `client ${noun}`, summary, group: 'Use an agent', positionals: [key] },
    ...(command.examples === undefined ? {} : { examples: command.examples }),
    params: {
      [key]: {
        type: 'string',
        summary: `${key === 'uri' ? 'Address' : 'Name'} of the ${noun}`,
        required: true,
        placeholder: key,
      },
      agent: { ...agentParam, required: true },
      ...(noun === 'prompt' ? { param: { ...pairParam, summary: 'Argument as name=value; again for more' } } : {}),
      timeout: timeoutParam(ASK_SECONDS),
    },
    access: 'local',
    permission: 'read',
    async run(input, context) {
      const [services, { checkPrompt, promptArguments, withClient }] = await Promise.all([
        context.services(),
        import('./index.ts'),
        loadRender(),
      ])
      const options = { signal: context.signal, timeoutMs: msOf(input, ASK_SECONDS) }
      const request = { signal: options.signal, timeout: options.timeoutMs }
      return await withClient(services, { agent: text(input, 'agent'), ...options }, async (client) => {
        const name = text(input, key)
        if (noun === 'resource') return await client.readResource({ uri: name }, request)
        await checkPrompt(client, { agent: text(input, 'agent'), name, ...options })
        return await client.getPrompt({ name, arguments: promptArguments(list(input, 'param')) }, request)
      })
    },
    render: (data) => (noun === 'resource' ? shown?.resourceText(data as Json) : shown?.promptText(data as Json)) ?? '',
  })
}

const status = defineCommand<Services>({
  name: 'client status',
  summary: 'Which agents answer MCP: protocol version, server, what they offer',
  group: 'Use an agent',
  positionals: ['agent'],
  params: {
    agent: { ...agentParam, summary: 'One agent only; then one that is stopped counts as a failure' },
    timeout: timeoutParam(ASK_SECONDS),
  },
  access: 'local',
  permission: 'read',
  async run(input, context) {
    const [services, { reportAll }] = await Promise.all([context.services(), import('./index.ts'), loadRender()])
    const options = { signal: context.signal, timeoutMs: msOf(input, ASK_SECONDS) }
    return await reportAll(services, optional(input, 'agent'), options)
  },
  render: (data) => shown?.reportText(data as AgentReport[]) ?? '',
  exitCode: (data) => (data as AgentReport[]).find(({ exit }) => exit !== 0)?.exit ?? 0,
})

export const clientCommands: readonly Command<Services>[] = [
  listCommand,
  tool,
  reader({
    noun: 'resource',
    summary: 'Read a resource of an agent',
    examples: [{ run: 'ploinky client resource demo://about --agent demo', does: 'its text' }],
  }),
  reader({
    noun: 'prompt',
    summary: 'Get a prompt of an agent, filled in',
    examples: [{ run: 'ploinky client prompt introduce --agent demo -p audience=children', does: 'its messages' }],
  }),
  status,
]
