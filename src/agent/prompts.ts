import type { JsonObject, Place } from './check.ts'
import { at, checkKeys, describe, fail, isObject, own, readBoolean, readList, readString } from './check.ts'
import { readName, readTexts } from './config-entry.ts'
import { pick } from './fields.ts'

/** A prompt: texts in which `{{name}}` stands for an argument. */
export interface PromptSpec {
  name: string
  title?: string
  description?: string
  arguments: PromptArgument[]
  messages: { role: 'user' | 'assistant'; text: string }[]
}

export interface PromptArgument {
  name: string
  description?: string
  required: boolean
}

const PROMPT_KEYS = ['name', 'title', 'description', 'arguments', 'messages']
const TEXT_LENGTH = 256 * 1024

/** Reads one prompt; `undefined` when it cannot be used (what is wrong has been reported). */
export function readPrompt([object, place]: [JsonObject, Place]): PromptSpec | undefined {
  checkKeys(object, PROMPT_KEYS, place)
  const name = readName(object, place)
  const args = readList(object, 'arguments', { place, max: 64 }).map(readArgument)
  const messages = readList(object, 'messages', { place, max: 256 }).map(readMessage)
  if (messages.length === 0 && own(object, 'messages') === undefined) {
    fail(at(place, 'messages'), {
      found: 'nothing',
      expected: 'an array of messages',
      hint: 'Write "messages": [ { "role": "user", "content": "..." } ]',
    })
  }
  if (name === undefined) return undefined
  const known = <T>(entry: T | undefined): entry is T => entry !== undefined
  return { name, ...readTexts(object, place), arguments: args.filter(known), messages: messages.filter(known) }
}

function readArgument([object, place]: [JsonObject, Place]): PromptArgument | undefined {
  checkKeys(object, ['name', 'title', 'description', 'required'], place)
  const name = readName(object, place)
  const required = readBoolean(object, 'required', place) ?? false
  return name === undefined
    ? undefined
    : { name, required, ...pick({ description: readTexts(object, place).description }) }
}

function readMessage([object, place]: [JsonObject, Place]): PromptSpec['messages'][number] | undefined {
  checkKeys(object, ['role', 'content'], place)
  const role = own(object, 'role') ?? 'user'
  if (role !== 'user' && role !== 'assistant') {
    fail(at(place, 'role'), { found: describe(role), expected: '"user" or "assistant"', hint: 'Write "role": "user"' })
    return undefined
  }
  const content = own(object, 'content')
  const holder = isObject(content) ? content : object
  const where = isObject(content) ? at(place, 'content') : place
  const text = readString(holder, isObject(content) ? 'text' : 'content', {
    place: where,
    required: true,
    maxLength: TEXT_LENGTH,
    expected: 'a text, or { "type": "text", "text": "..." }',
  })
  return text === undefined ? undefined : { role, text }
}

/** The messages of a prompt with its arguments filled in, or a sentence that says which argument is missing. */
export function renderPrompt(prompt: PromptSpec, given: Record<string, string>): PromptSpec['messages'] | string {
  const values = new Map(Object.entries(given))
  for (const argument of prompt.arguments) {
    if (values.has(argument.name)) continue
    if (argument.required) return `Missing argument "${argument.name}"`
    values.set(argument.name, '')
  }
  const names = new Set(prompt.arguments.map((argument) => argument.name))
  // Only declared names are replaced, once: a value that contains "{{...}}" stays text.
  const fill = (text: string): string =>
    text.replaceAll(/\{\{\s*([A-Za-z0-9_.-]{1,128})\s*\}\}/g, (whole, name: string) =>
      names.has(name) ? (values.get(name) ?? '') : whole,
    )
  return prompt.messages.map(({ role, text }) => ({ role, text: fill(text) }))
}
