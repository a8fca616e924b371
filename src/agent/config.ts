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
import type { Access } from './caller.ts'
import { ACCESS } from './caller.ts'
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
  /** Standard output is JSON: checked against the schema, or an object of any shape. Absent: text. */
  output?: InputSchema | 'any'
  access: Access
  /** Answers at once with the handle of a task; `required` refuses clients that know nothing of tasks. */
  async?: 'optional' | 'required'
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
  /** How many tasks run at once, and how much of the output of each is kept. Absent: `LIMITS`. */
  maxParallelTasks?: number
  taskLogTailBytes?: number
  /** A call that takes longer than this becomes a task when its client knows tasks, in milliseconds. Absent: never. */
  taskAfterMs?: number
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
  'taskAfterMs',
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
  'outputSchema',
  'structuredOutput',
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
    ...pick({
      maxParallelTasks: readNumber(document, 'maxParallelTasks', { place: root, min: 1, max: LIMITS.maxParallelTasks }),
      taskLogTailBytes: readNumber(document, 'taskLogTailBytes', {
        place: root,
        min: 0,
        max: LIMITS.maxTaskLogTailBytes,
      }),
      taskAfterMs: readNumber(document, 'taskAfterMs', { place: root, min: 0, max: LIMITS.maxTimeoutMs }),
    }),
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
  const mode = readAsync(object, place)
  const timeout = readNumber(object, 'timeout', { place, min: 1, max: LIMITS.maxTimeoutMs })
  const annotations = own(object, 'annotations')
  if (annotations !== undefined && !isObject(annotations)) {
    fail(at(place, 'annotations'), {
      found: describe(annotations),
      expected: 'an object',
      hint: 'Write { "readOnlyHint": true }',
    })
  }
  const access = readAccess(object, place)
  if (name === undefined || command === undefined) return undefined
  // Nobody waits for a task, so it may take as long as anything may.
  const unlimited = mode === undefined ? command.timeoutMs : LIMITS.maxTimeoutMs
  const timeoutMs = own(object, 'timeoutMs') === undefined ? (timeout ?? unlimited) : command.timeoutMs
  return {
    ...command,
    timeoutMs,
    name,
    input,
    access,
    ...readTexts(object, place),
    ...pick({
      annotations: isObject(annotations) ? annotations : undefined,
      output: readOutput(object, place),
      async: mode,
    }),
  }
}

function readAsync(object: JsonObject, place: Place): ToolSpec['async'] {
  if (own(object, 'async') === 'required') return 'required'
  return readBoolean(object, 'async', place) === true ? 'optional' : undefined
}

/** A word that we do not know must not open a tool to everybody: it is an error. */
function readAccess(object: JsonObject, place: Place): Access {
  const word = readString(object, 'access', { place, maxLength: 64 })
  if (word === undefined) return 'authenticated'
  const known = ACCESS.find((entry) => entry === word)
  if (known !== undefined) return known
  const expected = `one of: ${ACCESS.join(', ')}`
  fail(at(place, 'access'), { found: describe(word), expected, hint: 'Leave "access" away to let every caller in' })
  return 'admin'
}

function readOutput(object: JsonObject, place: Place): ToolSpec['output'] {
  const schema = own(object, 'outputSchema')
  const isStructured = readBoolean(object, 'structuredOutput', place)
  if (schema === undefined || schema === null) return isStructured === true ? 'any' : undefined
  if (isStructured === false) {
    warn(at(place, 'structuredOutput'), {
      found: 'false beside "outputSchema"',
      expected: 'true, or no "outputSchema"',
      hint: 'Remove "structuredOutput"; a tool with "outputSchema" has structured output',
    })
  }
  return readInputSchema(schema, at(place, 'outputSchema'))
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
