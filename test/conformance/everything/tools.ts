/** Tools that answer by themselves: content of every kind, notifications, errors, changes of the lists. */
import { CLIENT_CAPABILITIES_META_KEY, fromJsonSchema } from '@modelcontextprotocol/server'
import type { CallToolResult, ClientCapabilities, McpServer, ServerContext } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** Tells the client that a list is another one now; how depends on era and transport. */
export interface Changes {
  tools(server: McpServer): void
  prompts(server: McpServer): void
}

/** One pixel, red. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='

/** 44 bytes: the head of a sound without a sample. */
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA='
/** What lies between two notifications, so that they cannot arrive in one piece. */
const PAUSE_MS = 50

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS))

export const say = (text: string): CallToolResult => ({ content: [{ type: 'text', text }] })

/** JSON Schema as it stands, as text: what a library would write may leave keywords out. */
const SCHEMA_2020_12 = JSON.parse(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "$defs": {
    "address": {
      "$anchor": "addressDef",
      "type": "object",
      "properties": { "street": { "type": "string" }, "city": { "type": "string" } }
    }
  },
  "properties": {
    "name": { "type": "string" },
    "address": { "$ref": "#/$defs/address" },
    "contactMethod": { "type": "string", "enum": ["phone", "email"] },
    "phone": { "type": "string" },
    "email": { "type": "string" }
  },
  "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
  "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
  "then": { "required": ["phone"] },
  "else": { "required": ["email"] },
  "additionalProperties": false
}`) as Parameters<typeof fromJsonSchema>[0]

const REGION = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } } as const

const CONTENT: Readonly<Record<string, CallToolResult>> = {
  test_simple_text: say('This is a simple text response for testing.'),
  test_image_content: { content: [{ type: 'image', data: PNG, mimeType: 'image/png' }] },
  test_audio_content: { content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] },
  test_embedded_resource: {
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  },
  test_multiple_content_types: {
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      { type: 'image', data: PNG, mimeType: 'image/png' },
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: JSON.stringify({ test: 'data', value: 123 }),
        },
      },
    ],
  },
}

async function reportProgress({ mcpReq }: ServerContext): Promise<CallToolResult> {
  const token = mcpReq._meta?.progressToken
  for (const progress of [0, 50, 100]) {
    if (progress > 0) await pause()
    if (token === undefined) continue
    await mcpReq.notify({
      method: 'notifications/progress',
      params: { progressToken: token, progress, total: 100, message: `${progress} of 100` },
    })
  }
  return say(`Progress token: ${String(token)}`)
}

async function logThrice({ mcpReq }: ServerContext): Promise<CallToolResult> {
  for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
    if (!line.endsWith('started')) await pause()
    await mcpReq.log('info', line)
  }
  return say('Three lines were logged.')
}

/** Ends its own stream in the middle of the call; the client is to come back for the answer. */
async function breakStream({ http }: ServerContext): Promise<CallToolResult> {
  http?.closeSSE?.()
  await pause()
  return say('The stream was closed and found again.')
}

/** What the client of a modern request says it can do; the SDK's types leave the envelope open. */
export function capabilitiesOf({ mcpReq }: ServerContext): ClientCapabilities {
  const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {}
  return (envelope[CLIENT_CAPABILITIES_META_KEY] ?? {}) as ClientCapabilities
}

export function addTools(server: McpServer, changes: Changes): void {
  const add = (name: string, run: (context: ServerContext) => CallToolResult | Promise<CallToolResult>) =>
    server.registerTool(name, { description: `Runs ${name}`, inputSchema: z.object({}) }, (_args, context) =>
      run(context),
    )
  for (const [name, result] of Object.entries(CONTENT)) add(name, () => result)
  add('test_error_handling', () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
  add('test_tool_with_progress', reportProgress)
  add('test_tool_with_logging', logThrice)
  add('test_logging_tool', logThrice)
  add('test_reconnection', breakStream)
  add('test_trigger_tool_change', () => {
    changes.tools(server)
    return say('The list of tools is another one.')
  })
  add('test_trigger_prompt_change', () => {
    changes.prompts(server)
    return say('The list of prompts is another one.')
  })
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: fromJsonSchema(SCHEMA_2020_12) },
    (args) => say(JSON.stringify(args)),
  )
  server.registerTool(
    'test_x_mcp_header',
    {
      description: 'Its argument is repeated in a header',
      inputSchema: fromJsonSchema<{ region?: string }>(REGION),
    },
    ({ region = '' }) => say(`Region: ${region}`),
  )
}
