/** What an agent offers and answers over MCP, read so that nothing of it is trusted; and calls as code. DOM-free. */
import { asRecord, listOf, textOr, textOrNull } from '../../shared/api.ts'
import { plainText, shellWord } from '../../shared/format.ts'

export type OfferKind = 'tool' | 'resource' | 'prompt'

export interface Offer {
  readonly kind: OfferKind
  /** What the protocol calls it by: a name, of a resource its address. */
  readonly id: string
  readonly title: string
  readonly about: string
  readonly schema: unknown
  readonly marks: readonly ('reads' | 'destroys' | 'outside')[]
}

const MAX_ITEMS = 1000
const MAX_ABOUT = 4000
const clean = (value: unknown, length = 300): string => plainText(textOr(value, '')).slice(0, length)

export function readOffers(kind: OfferKind, items: readonly unknown[]): Offer[] {
  return items
    .slice(0, MAX_ITEMS)
    .map((item) => {
      const { name, uri, title, description, inputSchema, annotations, arguments: args } = asRecord(item)
      const hints = asRecord(annotations)
      const id = textOr(kind === 'resource' ? uri : name, '')
      return {
        ...{ kind, id, about: plainText(textOr(description, '')).slice(0, MAX_ABOUT) },
        title: clean(title) || clean(hints['title']) || (kind === 'resource' ? clean(name) : '') || clean(id),
        schema: kind === 'prompt' ? promptSchema(args) : kind === 'tool' ? inputSchema : {},
        marks: marksOf(hints),
      }
    })
    .filter(({ id }) => id !== '')
}

/** Hints come from the agent itself: a help to the eye, no promise. */
function marksOf(hints: Record<string, unknown>): Offer['marks'] {
  if (hints['readOnlyHint'] === true) return ['reads']
  return [
    ...(hints['destructiveHint'] === true ? (['destroys'] as const) : []),
    ...(hints['openWorldHint'] === true ? (['outside'] as const) : []),
  ]
}

/** Arguments of a prompt are texts. */
function promptSchema(args: unknown): unknown {
  const list = listOf(args).map(asRecord)
  return {
    type: 'object',
    required: list.filter(({ required }) => required === true).map(({ name }) => name),
    properties: Object.fromEntries(
      list.map(({ name, description }) => [textOr(name, ''), { type: 'string', description }]),
    ),
  }
}

export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'image' | 'audio'; readonly url: string; readonly type: string }
  | { readonly kind: 'link'; readonly text: string; readonly address: string }
  | { readonly kind: 'data'; readonly value: unknown }

export interface Answer {
  readonly isError: boolean
  readonly parts: readonly Part[]
  readonly raw: unknown
}

/** Raster images and sound only: an SVG is a document. */
const MEDIA = /^(?:image\/(?:png|jpeg|gif|webp|avif)|audio\/(?:wav|mpeg|ogg|webm|mp4))$/
const BASE64 = /^[A-Za-z0-9+/\r\n]*={0,2}$/
const MAX_PARTS = 200

/** Of tools/call, prompts/get and resources/read. */
export function readAnswer(result: unknown): Answer {
  const { content, messages, contents, isError, structuredContent } = asRecord(result)
  const items = [
    ...listOf(content),
    ...listOf(messages).map((message) => asRecord(message)['content']),
    ...listOf(contents),
  ]
  const parts = items.slice(0, MAX_PARTS).map(partOf)
  const isTold = parts.some((part) => part.kind === 'text' && isSameJson(part.text, structuredContent))
  return {
    isError: isError === true,
    // Servers repeat structured content as text for clients that do not know it.
    parts:
      structuredContent === undefined
        ? parts
        : [{ kind: 'data', value: structuredContent }, ...parts.filter((part) => !isTold || part.kind !== 'text')],
    raw: result,
  }
}

function isSameJson(text: string, value: unknown): boolean {
  try {
    return value !== undefined && JSON.stringify(JSON.parse(text)) === JSON.stringify(value)
  } catch {
    return false
  }
}

function partOf(item: unknown): Part {
  const part = asRecord(item)
  const { type, text, data, mimeType, uri, name, resource, blob } = part
  if (type === 'resource') return partOf(resource)
  if (typeof text === 'string') return { kind: 'text', text: plainLines(text) }
  const bytes = typeof data === 'string' ? data : blob
  const mime = textOr(mimeType, '')
  if (typeof bytes === 'string' && MEDIA.test(mime) && BASE64.test(bytes)) {
    return { kind: mime.startsWith('image/') ? 'image' : 'audio', url: `data:${mime};base64,${bytes}`, type: mime }
  }
  if (type === 'resource_link') return { kind: 'link', text: clean(name) || clean(uri), address: clean(uri, 2000) }
  return { kind: 'data', value: item }
}

/** Line breaks stay; everything else that is not seen goes. */
export const plainLines = (text: string): string =>
  text
    .split(/\r\n|\r|\n/)
    .map(plainText)
    .join('\n')

export interface CallText {
  readonly endpoint: string
  readonly kind: OfferKind
  readonly id: string
  readonly args: Record<string, unknown>
}

const METHODS: Record<OfferKind, string> = { tool: 'tools/call', prompt: 'prompts/get', resource: 'resources/read' }

/** For a terminal: the token is read from the workspace when it runs, and is never in the page. */
export function curlOf({ endpoint, kind, id, args }: CallText): string {
  const params = kind === 'resource' ? { uri: id } : { name: id, arguments: args }
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'curl', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const body = { jsonrpc: '2.0', id: 1, method: METHODS[kind], params: { ...params, _meta: meta } }
  return [
    `curl ${shellWord(endpoint)}`,
    `  -H "Authorization: Bearer $(ploinky token)"`,
    `  -H 'Content-Type: application/json'`,
    `  -H 'Accept: application/json, text/event-stream'`,
    `  -H 'MCP-Protocol-Version: 2026-07-28'`,
    `  -H ${shellWord(`Mcp-Method: ${METHODS[kind]}`)}`,
    `  -H ${shellWord(`Mcp-Name: ${id}`)}`,
    `  -d ${shellWord(JSON.stringify(body))}`,
  ].join(' \\\n')
}

/** For a page that the router serves. */
export function codeOf({ endpoint, kind, id, args }: CallText): string {
  const path = new URL(endpoint).pathname.replace(/\/mcp$/, '')
  const call = { tool: 'callTool', prompt: 'getPrompt', resource: 'readResource' }[kind]
  const given = kind === 'resource' || Object.keys(args).length === 0 ? '' : `, ${JSON.stringify(args, null, 2)}`
  return [
    `import { createAgentClient } from '/MCPBrowserClient.js'`,
    ``,
    `const agent = createAgentClient(${JSON.stringify(path)})`,
    `const result = await agent.${call}(${JSON.stringify(id)}${given})`,
  ].join('\n')
}

/** The command line that does the same, where there is one. */
export function commandOf({ kind, id, args }: CallText, agent: string): string {
  const where = `--agent ${shellWord(agent)}`
  if (kind === 'resource') return `ploinky client resource ${shellWord(id)} ${where}`
  if (kind === 'prompt') {
    const given = Object.entries(args).map(([name, value]) => ` -p ${shellWord(`${name}=${String(value)}`)}`)
    return `ploinky client prompt ${shellWord(id)} ${where}${given.join('')}`
  }
  const input = Object.keys(args).length === 0 ? '' : ` --input ${shellWord(JSON.stringify(args))}`
  return `ploinky client tool ${shellWord(id)} ${where}${input}`
}

export const messageOf = (error: unknown): { message: string; code: string } => {
  const { message, code } = asRecord(error)
  return {
    message: plainText(textOrNull(message) ?? String(error)).slice(0, 2000),
    code: typeof code === 'string' || typeof code === 'number' ? plainText(String(code)) : 'INTERNAL',
  }
}
