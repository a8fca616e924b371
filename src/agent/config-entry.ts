import type { JsonObject, Place } from './check.ts'
import { at, describe, fail, isObject, own, readNumber, readString } from './check.ts'
import { pick } from './fields.ts'
import { LIMITS } from './limits.ts'

/** A command line of the configuration, resolved against the code directory. */
export interface CommandSpec {
  argv: string[]
  cwd?: string
  env: Record<string, string>
  timeoutMs: number
}

export interface ParseOptions {
  /** Absolute code directory as the commands see it (`/code` in a container). */
  codeDir: string
  /** Tells whether the code directory holds a file of this name, so that `"tool.sh"` and `"node"` can be told apart. */
  hasFile?: (relativePath: string) => boolean
}

const NAME = /^[A-Za-z0-9_.-]{1,128}$/
export const COMMAND_KEYS = ['command', 'args', 'cwd', 'env', 'timeoutMs']

/** The name of a tool, resource or prompt. */
export function readName(object: JsonObject, place: Place): string | undefined {
  return readString(object, 'name', {
    place,
    required: true,
    maxLength: LIMITS.nameLength,
    pattern: NAME,
    expected: 'letters, digits, "_", "-" and ".", 1 to 128 of them',
    hint: 'Choose a name such as "list_files"',
  })
}

/** The texts that people read: `title` and `description`. */
export function readTexts(object: JsonObject, place: Place): { title?: string; description?: string } {
  return pick({
    title: readString(object, 'title', { place, maxLength: 256 }),
    description: readString(object, 'description', { place, maxLength: LIMITS.descriptionLength }),
  })
}

/** Reads command, arguments, directory, variables and timeout of a tool or resource. */
export function readCommand([object, place]: [JsonObject, Place], options: ParseOptions): CommandSpec | undefined {
  const command = readString(object, 'command', {
    place,
    required: true,
    maxLength: 4096,
    pattern: /\S/,
    hint: 'Name the program, such as "tools/echo.mjs"',
  })
  const args = readArguments(object, place)
  const cwd = readString(object, 'cwd', { place })
  const env = readEnv(object, place)
  const timeoutMs =
    readNumber(object, 'timeoutMs', { place, min: 1, max: LIMITS.maxTimeoutMs }) ?? LIMITS.defaultTimeoutMs
  if (command === undefined) return undefined
  return {
    argv: [resolveCommand(command, options), ...args],
    env,
    timeoutMs,
    ...pick({ cwd: resolveCwd(cwd, options) }),
  }
}

/** A path, or a file of the code directory, is taken from there; any other bare word is a program on PATH. */
function resolveCommand(command: string, { codeDir, hasFile }: ParseOptions): string {
  if (command.startsWith('/')) return command
  const isHere = command.includes('/') || hasFile?.(command) === true
  return isHere ? joinPath(codeDir, command) : command
}

/** `"workspace"` and nothing both mean the directory that the server runs in. */
function resolveCwd(cwd: string | undefined, { codeDir }: ParseOptions): string | undefined {
  if (cwd === undefined || cwd === '' || cwd === 'workspace') return undefined
  return cwd.startsWith('/') ? cwd : joinPath(codeDir, cwd)
}

/** Container paths are POSIX paths, whatever the router runs on. */
function joinPath(base: string, relative: string): string {
  const parts: string[] = []
  for (const part of `${base}/${relative}`.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

function readArguments(object: JsonObject, place: Place): string[] {
  const value = own(object, 'args')
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) {
    const texts = value.map((entry: unknown) =>
      typeof entry === 'number' || typeof entry === 'boolean' ? String(entry) : entry,
    )
    if (texts.length <= 1024 && texts.every((entry) => typeof entry === 'string' && !entry.includes('\0')))
      return texts as string[]
  }
  fail(at(place, 'args'), {
    found: describe(value),
    expected: 'an array of at most 1024 strings',
    hint: 'Write "args": ["--flag", "value"]',
  })
  return []
}

function readEnv(object: JsonObject, place: Place): Record<string, string> {
  const value = own(object, 'env')
  if (value === undefined || value === null) return {}
  const where = at(place, 'env')
  if (!isObject(value)) {
    fail(where, { found: describe(value), expected: 'a map of variables', hint: 'Write "env": { "MODE": "fast" }' })
    return {}
  }
  const entries: [string, string][] = []
  for (const [name, entry] of Object.entries(value)) {
    const isScalar = typeof entry === 'string' || typeof entry === 'number' || typeof entry === 'boolean'
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && isScalar && !String(entry).includes('\0'))
      entries.push([name, String(entry)])
    else
      fail(at(where, name), {
        found: describe(entry),
        expected: 'a variable name with a text value',
        hint: 'Write "NAME": "value"',
      })
  }
  return Object.fromEntries(entries)
}
