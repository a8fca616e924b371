/** What agents answer, as text for a person. */
import { isObject } from '../../core/json.ts'
import type { Listing, Offer } from './agents.ts'
import type { AgentReport } from './report.ts'

type Json = Readonly<Record<string, unknown>>

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
/** The first line: descriptions can be pages long. */
const firstLine = (value: unknown): string => text(value).trim().split('\n', 1)[0] ?? ''

const bytesOf = (base64: string): number => Math.floor((base64.replace(/=+$/, '').length * 3) / 4)

function blockText(block: Json): string {
  switch (block['type']) {
    case 'text':
      return text(block['text'])
    case 'resource':
      return contentText((block['resource'] ?? {}) as Json)
    case 'resource_link':
      return `[${text(block['name']) || 'resource'}: ${text(block['uri'])}]`
    default:
      return `[${text(block['type'])} ${text(block['mimeType'])}, ${bytesOf(text(block['data']))} bytes; --json shows them]`
  }
}

function contentText(content: Json): string {
  if (typeof content['text'] === 'string') return content['text']
  const size = bytesOf(text(content['blob']))
  return `[${text(content['uri'])} ${text(content['mimeType'])}, ${size} bytes; --json shows them]`
}

/** The content of a tool's result; what is structured is shown where there is nothing else. */
function resultText(result: Json): string {
  const blocks = Array.isArray(result['content']) ? (result['content'] as Json[]) : []
  if (blocks.length > 0) return blocks.map(blockText).join('\n')
  const structured = result['structuredContent']
  return structured === undefined ? '' : JSON.stringify(structured, null, 2)
}

function resourceText(result: Json): string {
  const contents = Array.isArray(result['contents']) ? (result['contents'] as Json[]) : []
  return contents.map(contentText).join('\n')
}

function promptText(result: Json): string {
  const messages = Array.isArray(result['messages']) ? (result['messages'] as Json[]) : []
  return messages.map(({ role, content }) => `${text(role)}: ${blockText((content ?? {}) as Json)}`).join('\n\n')
}

/** `a b [unit]`: the parameters of a tool in one line, the optional ones in brackets. */
function signatureOf(schema: unknown): string {
  if (!isObject(schema) || !isObject(schema['properties'])) return ''
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const names = Object.keys(schema['properties'])
  const shown = [
    ...names.filter((name) => required.includes(name)),
    ...names.filter((name) => !required.includes(name)).map((name) => `[${name}]`),
  ]
  return shown.join(' ')
}

function lineOf(offer: Offer, item: Json): [string, string] {
  const about = firstLine(item['description']) || firstLine(item['title'])
  if (offer === 'resources') return [text(item['uri']) || text(item['uriTemplate']), about || text(item['name'])]
  if (offer === 'tools') return [`${text(item['name'])} ${signatureOf(item['inputSchema'])}`.trim(), about]
  const names = (Array.isArray(item['arguments']) ? (item['arguments'] as Json[]) : []).map(({ name, required }) =>
    required === true ? text(name) : `[${text(name)}]`,
  )
  return [[text(item['name']), ...names].join(' '), about]
}

/** Widest column of names; longer ones push their description to the right. */
const MAX_NAME = 36

function listingText(offer: Offer, { offered, failures }: Listing): string {
  const lines = offered.flatMap(({ agent, items }) => {
    const rows = items.map((item) => lineOf(offer, item))
    const width = Math.min(MAX_NAME, Math.max(0, ...rows.map(([name]) => name.length)))
    return [agent, ...rows.map(([name, about]) => `  ${name.padEnd(width)}  ${about}`.trimEnd())]
  })
  const failed = failures.map(({ agent, error }) => `${agent}\n  ! ${error.message}`)
  return [...lines, ...failed].join('\n') || `No running agent offers ${offer}`
}

function reportText(reports: readonly AgentReport[]): string {
  if (reports.length === 0) return 'No agent is enabled'
  const width = Math.max(...reports.map(({ agent }) => agent.length))
  return reports
    .map((report) => {
      const name = report.agent.padEnd(width)
      if (!report.reachable) return `${name}  unreachable  ${report.error?.message ?? ''}`
      const server = [report.server, report.serverVersion].filter(Boolean).join(' ')
      const offers = `${report.tools} tools, ${report.resources} resources, ${report.prompts} prompts`
      return `${name}  reachable    ${report.protocolVersion} (${report.era})  ${server}  ${offers}`
    })
    .join('\n')
}

export const texts = { listingText, promptText, reportText, resourceText, resultText }
