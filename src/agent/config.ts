/**
 * mcp-config.json: what an agent offers over MCP, and the commands behind it.
 *
 * A command is run without a shell. It gets
 * - on standard input one JSON line `{"tool","input","metadata"}` (resources: `{"resource","uri","params"}`),
 * - as environment the tool's `env`, `TOOL_NAME`, and each argument as `PLOINKY_ARG_<NAME>`: the name in upper case with
 *   every other character than A-Z, 0-9 and _ replaced by _; text, numbers and booleans as they are, arrays and objects
 *   as JSON. So a shell script needs no JSON parser, and a value is never part of a program text. Values above 64 KiB
 *   travel on standard input only.
 *
 * This file knows no file system: the caller reads the text (limit: `LIMITS.configBytes`).
 */
import type { ConfigIssue, Issues, JsonObject, Place } from './check.ts'
import {
  at,
  checkKeys,
  describe,
  fail,
  isObject,
  own,
  readBoolean,
  readList,
  readNumber,
  readString,
  warn,
} from './check.ts'
import type { CommandSpec, ParseOptions } from './config-entry.ts'
import { COMMAND_KEYS, readCommand, readName, readTexts } from './config-entry.ts'
import type { InputSchema } from './fields.ts'
import { pick, readInputSchema } from './fields.ts'
import { LIMITS } from './limits.ts'
import { readPrompt } from './prompts.ts'
import type { PromptSpec } from './prompts.ts'
import type { UriTemplate } from './uri-template.ts'
import { parseUriTemplate } from './uri-template.ts'

export interface ToolSpec extends CommandSpec {
  name: string
  title?: string
  description?: string
  annotations?: JsonObject
  input: InputSchema
  /** Who may call it; enforced by the router. Absent means every signed-in caller. */
  access?: string
}

export interface ResourceSpec extends CommandSpec {
  name: string
  uri: string
  template?: UriTemplate
  title?: string
  description?: string
  mimeType: string
}

export interface AgentConfig {
  tools: ToolSpec[]
  resources: ResourceSpec[]
  prompts: PromptSpec[]
}

export interface ParsedConfig {
  /** Present only when there are no errors: a half-read configuration is never served. */
  config?: AgentConfig
  errors: ConfigIssue[]
  warnings: ConfigIssue[]
}

export const EMPTY_CONFIG: AgentConfig = { tools: [], resources: [], prompts: [] }

const ROOT_KEYS = [
  'tools',
  'resources',
  'prompts',
  'maxParallelTasks',
  'taskLogTailBytes',
  '$schema',
  'name',
  'version',
  'description',
]
const TOOL_KEYS = [
  'name',
  'title',
  'description',
  'inputSchema',
  'annotations',
  'async',
  'timeout',
  'access',
  'tags',
  ...COMMAND_KEYS,
]
const RESOURCE_KEYS = ['name', 'uri', 'template', 'title', 'description', 'mimeType', ...COMMAND_KEYS]

/** Parses and checks the text of an mcp-config.json. Never throws; everything wrong is listed with its key path. */
export function parseAgentConfig(text: string, options: ParseOptions): ParsedConfig {
  const issues: Issues = { errors: [], warnings: [] }
  const root: Place = { path: '', issues }
  const document = parseJson(text, root)
  if (document === undefined) return issues
  checkKeys(document, ROOT_KEYS, root)
  const config: AgentConfig = {
    tools: unique(readList(document, 'tools', { place: root, max: LIMITS.tools }), (entry) => readTool(entry, options)),
    resources: unique(readList(document, 'resources', { place: root, max: LIMITS.resources }), (entry) =>
      readResource(entry, options),
    ),
    prompts: unique(readList(document, 'prompts', { place: root, max: LIMITS.prompts }), readPrompt),
  }
  return issues.errors.length === 0 ? { config, ...issues } : issues
}

/** One line per issue, for logs and terminals. */
export function formatIssue(issue: ConfigIssue): string {
  return `${issue.path === '' ? '(document)' : issue.path}: found ${issue.found}, expected ${issue.expected}. ${issue.hint}`
}

function parseJson(text: string, root: Place): JsonObject | undefined {
  const size = new TextEncoder().encode(text).length
  if (size > LIMITS.configBytes) {
    fail(root, {
      found: `${size} bytes`,
      expected: `at most ${LIMITS.configBytes} bytes`,
      hint: 'Shorten the descriptions or split the agent',
    })
    return undefined
  }
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    // The engine's own message quotes a piece of the text and, on most engines, the position.
    fail(root, {
      found: (error as Error).message.slice(0, 200),
      expected: 'a JSON document',
      hint: 'Check quotes, commas and braces',
    })
    return undefined
  }
  if (isObject(value)) return value
  fail(root, { found: describe(value), expected: 'an object', hint: 'Write { "tools": [ ... ] }' })
  return undefined
}

/** Reads all entries and reports names that are used twice. */
function unique<T extends { name: string }>(
  entries: [JsonObject, Place][],
  read: (entry: [JsonObject, Place]) => T | undefined,
): T[] {
  const seen = new Map<string, T>()
  for (const entry of entries) {
    const item = read(entry)
    if (item === undefined) continue
    if (seen.has(item.name)) {
      fail(at(entry[1], 'name'), {
        found: `"${item.name}" a second time`,
        expected: 'a name of its own',
        hint: 'Rename or remove one of the two',
      })
    }
    seen.set(item.name, item)
  }
  return [...seen.values()]
}

function readTool([object, place]: [JsonObject, Place], options: ParseOptions): ToolSpec | undefined {
  checkKeys(object, TOOL_KEYS, place)
  const name = readName(object, place)
  const command = readCommand([object, place], options)
  const input = readInputSchema(own(object, 'inputSchema'), at(place, 'inputSchema'))
  warnAboutEnvNames(input, at(place, 'inputSchema'))
  if (readBoolean(object, 'async', place) === true) {
    warn(at(place, 'async'), {
      found: 'true',
      expected: 'false',
      hint: 'The tool works, but runs as an ordinary call: its caller waits for the result',
    })
  }
  const timeout = readNumber(object, 'timeout', { place, min: 1, max: LIMITS.maxTimeoutMs })
  const annotations = own(object, 'annotations')
  if (annotations !== undefined && !isObject(annotations)) {
    fail(at(place, 'annotations'), {
      found: describe(annotations),
      expected: 'an object',
      hint: 'Write { "readOnlyHint": true }',
    })
  }
  const access = readString(object, 'access', { place, maxLength: 64 })
  if (name === undefined || command === undefined) return undefined
  const timeoutMs = own(object, 'timeoutMs') === undefined ? (timeout ?? command.timeoutMs) : command.timeoutMs
  return {
    ...command,
    timeoutMs,
    name,
    input,
    ...readTexts(object, place),
    ...pick({ annotations: isObject(annotations) ? annotations : undefined, access }),
  }
}

function readResource([object, place]: [JsonObject, Place], options: ParseOptions): ResourceSpec | undefined {
  checkKeys(object, RESOURCE_KEYS, place)
  const name = readName(object, place)
  const command = readCommand([object, place], options)
  const uri = readString(object, 'uri', {
    place,
    maxLength: 2048,
    pattern: /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/,
    expected: 'an absolute URI',
    hint: 'Write "note://today"',
  })
  const template = readString(object, 'template', {
    place,
    maxLength: 2048,
    pattern: /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/,
    expected: 'a URI template',
    hint: 'Write "note://{id}"',
  })
  const mimeType = readString(object, 'mimeType', {
    place,
    maxLength: 128,
    pattern: /^[\w.+-]+\/[\w.+-]+(;.*)?$/,
    expected: 'a media type',
    hint: 'Write "text/plain"',
  })
  const parsed = template === undefined ? undefined : parseUriTemplate(template)
  if (typeof parsed === 'string')
    fail(at(place, 'template'), { found: parsed, expected: 'text and {name} variables', hint: 'Write "note://{id}"' })
  const bothOrNone = (own(object, 'uri') === undefined) === (own(object, 'template') === undefined)
  if (bothOrNone)
    fail(place, {
      found: own(object, 'uri') === undefined ? 'neither' : 'both',
      expected: 'either "uri" or "template"',
      hint: 'Keep exactly one of the two',
    })
  if (name === undefined || command === undefined || bothOrNone || typeof parsed === 'string') return undefined
  return {
    ...command,
    name,
    uri: uri ?? template ?? '',
    mimeType: mimeType ?? 'text/plain',
    ...readTexts(object, place),
    ...pick({ template: parsed }),
  }
}

/** The variable that carries an argument. */
export function argumentVariable(name: string): string {
  return `PLOINKY_ARG_${name.toUpperCase().replace(/[^A-Z0-9_]/g, '_')}`
}

function warnAboutEnvNames(input: InputSchema, place: Place): void {
  const seen = new Map<string, string>()
  for (const name of input.fields.keys()) {
    const variable = argumentVariable(name)
    const other = seen.get(variable)
    if (other === undefined) seen.set(variable, name)
    else
      warn(at(place, name), {
        found: `"${name}" and "${other}" both as ${variable}`,
        expected: 'names that differ as variables',
        hint: `Rename one; ${variable} carries "${other}"`,
      })
  }
}
