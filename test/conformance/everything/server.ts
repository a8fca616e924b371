/** The server that the official conformance suite asks for: every kind of content, of input and of change, in both protocol eras. */
import { completable, createRequestStateCodec, McpServer, ResourceTemplate } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { addAsks } from './asks.ts'
import { addTools, type Changes, PNG } from './tools.ts'

// Any process of this server may see the second round: legacy sessions and modern requests have servers of their own.
const state = createRequestStateCodec<{ round: number }>({ key: 'a key that protects nothing but test data' })

const user = { role: 'user' as const }
const text = (value: string) => ({ ...user, content: { type: 'text' as const, text: value } })

/** A server for one session, connection or modern request. */
export function createEverythingServer(changes: Changes): McpServer {
  const server = new McpServer(
    { name: 'everything', version: '1.0.0' },
    {
      capabilities: { logging: {}, resources: { subscribe: true, listChanged: true }, completions: {} },
      requestState: { verify: state.verify },
    },
  )
  addTools(server, changes)
  addAsks(server, state)
  addResources(server)
  addPrompts(server)
  return server
}

function addResources(server: McpServer): void {
  const plain = (name: string, mimeType: string) => ({ description: `The resource ${name}`, mimeType })
  server.registerResource('static-text', 'test://static-text', plain('static-text', 'text/plain'), (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
  }))
  server.registerResource('static-binary', 'test://static-binary', plain('static-binary', 'image/png'), (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'image/png', blob: PNG }],
  }))
  server.registerResource('watched', 'test://watched-resource', plain('watched', 'text/plain'), (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'Watch me.' }],
  }))
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined })
  server.registerResource('template', template, plain('template', 'application/json'), (uri, { id }) => ({
    contents: [
      {
        uri: uri.href,
        mimeType: 'application/json',
        text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
      },
    ],
  }))
  // Subscriptions of the legacy era; those of the modern one are streams, which the SDK serves.
  server.server.setRequestHandler('resources/subscribe', () => ({}))
  server.server.setRequestHandler('resources/unsubscribe', () => ({}))
}

function addPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'Says one thing' }, () => ({
    messages: [text('This is a simple prompt for testing.')],
  }))
  const word = completable(z.string().describe('First'), (value) =>
    ['paris', 'park', 'party'].filter((item) => item.startsWith(value)),
  )
  const argsSchema = z.object({ arg1: word, arg2: z.string().describe('Second') })
  server.registerPrompt('test_prompt_with_arguments', { description: 'Repeats two words', argsSchema }, (args) => ({
    messages: [text(`Prompt with arguments: arg1='${args.arg1}', arg2='${args.arg2}'`)],
  }))
  const resourceUri = z.string().describe('Address of the resource')
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Brings a resource along', argsSchema: z.object({ resourceUri }) },
    (args) => ({
      messages: [
        {
          ...user,
          content: {
            type: 'resource',
            resource: {
              uri: args.resourceUri,
              mimeType: 'text/plain',
              text: 'Embedded resource content for testing.',
            },
          },
        },
        text('Please process the embedded resource above.'),
      ],
    }),
  )
  server.registerPrompt('test_prompt_with_image', { description: 'Brings a picture along' }, () => ({
    messages: [
      { ...user, content: { type: 'image', data: PNG, mimeType: 'image/png' } },
      text('Please analyze the image above.'),
    ],
  }))
}
