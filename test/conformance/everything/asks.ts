/**
 * Tools that ask the client for something. They are written for the modern era, where the question is the result of the
 * first round; in the legacy era the SDK turns it into a request on the stream of the call.
 */
import { acceptedContent, inputRequired, inputResponse } from '@modelcontextprotocol/server'
import type {
  CallToolResult,
  InputRequests,
  InputRequiredResult,
  McpServer,
  RequestStateCodec,
  ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { capabilitiesOf, say } from './tools.ts'

type Ask = (
  context: ServerContext,
) => CallToolResult | InputRequiredResult | Promise<CallToolResult | InputRequiredResult>

type Form = Parameters<typeof inputRequired.elicit>[0]['requestedSchema']

/** Forms are written as they go out: the SDK's types do not know all of what the suite asks for. */
const form = (properties: object, required: readonly string[] = []): Form =>
  ({ type: 'object', properties, ...(required.length > 0 ? { required } : {}) }) as Form

const elicit = (message: string, field: string, type = 'string') =>
  inputRequired.elicit({ message, requestedSchema: form({ [field]: { type } }, [field]) })

const sample = (text: string, maxTokens = 100) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens })

/** All answers are there: what the client sent under these names. */
const hasAll = ({ mcpReq }: ServerContext, names: readonly string[]): boolean =>
  names.every((name) => inputResponse(mcpReq.inputResponses, name).kind !== 'missing')

function sampled({ mcpReq }: ServerContext, name: string): string | null {
  const answer = inputResponse(mcpReq.inputResponses, name)
  if (answer.kind !== 'sampling') return null
  const [first] = [answer.result.content].flat()
  return first?.type === 'text' ? first.text : ''
}

function addElicitations(server: McpServer): void {
  const whole =
    (name: string, question: Parameters<typeof inputRequired.elicit>[0], prefix: string): Ask =>
    ({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, name)
      if (answer.kind !== 'elicit') return inputRequired({ inputRequests: { [name]: inputRequired.elicit(question) } })
      return say(`${prefix}: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`)
    }
  server.registerTool(
    'test_elicitation',
    { description: 'Asks for a name and an address', inputSchema: z.object({ message: z.string() }) },
    ({ message }, context) => {
      const properties = {
        username: { type: 'string', description: "User's response" },
        email: { type: 'string', description: "User's email address" },
      }
      const question = { message, requestedSchema: form(properties, ['username', 'email']) }
      return whole('user', question, 'User response')(context)
    },
  )
  const defaults = {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  }
  const options = ['option1', 'option2', 'option3']
  const titled = (word: string) =>
    ['First', 'Second', 'Third'].map((title, at) => ({ const: `value${at + 1}`, title: `${title} ${word}` }))
  const enums = {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled('Option') },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
    titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
  }
  const forms = { test_elicitation_sep1034_defaults: defaults, test_elicitation_sep1330_enums: enums }
  for (const [name, properties] of Object.entries(forms)) {
    const question = { message: `Fill in ${name}`, requestedSchema: form(properties) }
    const ask = whole('form', question, 'Elicitation completed')
    server.registerTool(name, { description: 'Asks with a form', inputSchema: z.object({}) }, (_args, context) =>
      ask(context),
    )
  }
}

function addSampling(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Asks for a sample', inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt }, context) => {
      const text = sampled(context, 'sample')
      return text === null ? inputRequired({ inputRequests: { sample: sample(prompt) } }) : say(`LLM response: ${text}`)
    },
  )
}

/** One round, one question of each kind. */
const SINGLE: Readonly<Record<string, Ask>> = {
  test_input_required_result_elicitation: ({ mcpReq }) => {
    const answer = acceptedContent(mcpReq.inputResponses, 'user_name', z.object({ name: z.string() }))
    if (answer !== undefined) return say(`Hello, ${answer.name}!`)
    return inputRequired({ inputRequests: { user_name: elicit('What is your name?', 'name') } })
  },
  test_input_required_result_sampling: (context) => {
    const text = sampled(context, 'capital_question')
    if (text !== null) return say(text)
    return inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?') } })
  },
  test_input_required_result_list_roots: ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'client_roots')
    if (answer.kind === 'roots') return say(`Roots: ${answer.roots.map(({ uri }) => uri).join(', ')}`)
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  },
  /** Asks only for what the client says it can do. */
  test_input_required_result_capabilities: (context) => {
    const declared = capabilitiesOf(context)
    const inputRequests: InputRequests = {
      ...(declared.sampling === undefined ? {} : { sample: sample('Say something') }),
      ...(declared.elicitation === undefined ? {} : { user_name: elicit('What is your name?', 'name') }),
    }
    const names = Object.keys(inputRequests)
    return names.length === 0 || hasAll(context, names)
      ? say(`Asked for: ${names.join(', ')}`)
      : inputRequired({ inputRequests })
  },
  /** The SDK refuses to ask a client for what it does not say it can do. */
  test_missing_capability: (context) => {
    if (hasAll(context, ['sample'])) return say('The client takes samples.')
    return inputRequired({ inputRequests: { sample: sample('Say something') } })
  },
  /** A stream that carries a notification before the question. */
  test_streaming_elicitation: async (context) => {
    const { mcpReq } = context
    const token = mcpReq._meta?.progressToken ?? 'streaming'
    await mcpReq.notify({ method: 'notifications/progress', params: { progressToken: token, progress: 1, total: 2 } })
    if (hasAll(context, ['user_name'])) return say('Thank you.')
    return inputRequired({ inputRequests: { user_name: elicit('What is your name?', 'name') } })
  },
}

/** Rounds that are tied together by a state that the client carries and cannot change. */
function withState(state: RequestStateCodec<{ round: number }>): Readonly<Record<string, Ask>> {
  const ask = async (inputRequests: InputRequests, round = 1) =>
    inputRequired({ inputRequests, requestState: await state.mint({ round }) })
  const round = ({ mcpReq }: ServerContext): number => mcpReq.requestState<{ round: number }>()?.round ?? 0
  const confirm = { confirm: elicit('Please confirm', 'ok', 'boolean') }
  const many = {
    user_name: elicit('What is your name?', 'name'),
    greeting: sample('Generate a greeting', 50),
    client_roots: inputRequired.listRoots(),
  }
  const confirmed: Ask = (context) =>
    round(context) === 1 && hasAll(context, ['confirm']) ? say('state-ok') : ask(confirm)
  return {
    test_input_required_result_request_state: confirmed,
    test_input_required_result_tampered_state: confirmed,
    test_input_required_result_multiple_inputs: (context) =>
      round(context) === 1 && hasAll(context, Object.keys(many)) ? say('All three were answered.') : ask(many),
    test_input_required_result_multi_round: (context) => {
      if (round(context) === 2 && hasAll(context, ['step2'])) return say('Both steps were answered.')
      if (round(context) === 1 && hasAll(context, ['step1']))
        return ask({ step2: elicit('Step 2: What is your favorite color?', 'color') }, 2)
      return ask({ step1: elicit('Step 1: What is your name?', 'name') })
    },
  }
}

export function addAsks(server: McpServer, state: RequestStateCodec<{ round: number }>): void {
  addElicitations(server)
  addSampling(server)
  for (const [name, ask] of Object.entries({ ...SINGLE, ...withState(state) }))
    server.registerTool(name, { description: `Runs ${name}`, inputSchema: z.object({}) }, (_args, context) =>
      ask(context),
    )
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks for its context' }, ({ mcpReq }) => {
    const answer = acceptedContent(mcpReq.inputResponses, 'user_context', z.object({ context: z.string() }))
    if (answer === undefined)
      return inputRequired({
        inputRequests: { user_context: elicit('What context should the prompt use?', 'context') },
      })
    return { messages: [{ role: 'user', content: { type: 'text', text: `Context: ${answer.context}` } }] }
  })
}
