/**
 * Settings with provenance: flag > environment > workspace file > default. One table; `config`, `config explain`
 * and the loader all read it.
 */
import { nearest, own } from '../core/id.ts'
import { PloinkyError } from '../core/error.ts'

export type SettingSource = 'flag' | 'environment' | 'workspace' | 'default'
export type SettingValue = string | number | boolean

interface SettingSpec<T extends SettingValue> {
  readonly summary: string
  readonly default: T
  /** Environment variables, first one wins. */
  readonly env: readonly string[]
  readonly flag?: string
  /** Turns text into a value, or gives null when it is not one. */
  parse(text: string): T | null
  /** What a valid value looks like, for errors. */
  readonly expected: string
}

const integer =
  (min: number, max: number) =>
  (text: string): number | null => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    return Number.isSafeInteger(value) && value >= min && value <= max ? value : null
  }

const flag = (text: string): boolean | null => {
  const word = text.toLowerCase()
  if (['1', 'true', 'yes', 'on'].includes(word)) return true
  return ['0', 'false', 'no', 'off', ''].includes(word) ? false : null
}

const oneOf =
  (...words: string[]) =>
  (text: string): string | null =>
    words.includes(text) ? text : null

const pattern =
  (regex: RegExp) =>
  (text: string): string | null =>
    regex.test(text) ? text : null

/** An IP address, or `localhost`. */
function address(text: string): string | null {
  const isV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)
  if (text === 'localhost' || (isV4 && text.split('.').every((part) => Number(part) <= 255))) return text
  if (isV4 || !/^[0-9a-fA-F:.]{2,45}$/.test(text)) return null
  return URL.canParse(`http://[${text}]/`) ? text : null
}

const define = <T extends SettingValue>(spec: SettingSpec<T>): SettingSpec<T> => spec

export const SETTINGS = {
  port: define({
    summary: 'Port of the router',
    default: 8088 as number,
    env: ['PLOINKY_PORT', 'ROUTER_PORT'],
    flag: '--port',
    parse: integer(1, 65535),
    expected: 'a port number from 1 to 65535',
  }),
  host: define({
    summary: 'Address that the router listens on',
    default: '127.0.0.1' as string,
    env: ['PLOINKY_HOST'],
    flag: '--host',
    parse: address,
    expected: 'an IP address of this machine, for example 127.0.0.1 or 0.0.0.0',
  }),
  allowedHosts: define({
    summary: 'Further host names (comma separated) under which browsers may reach the router',
    default: '' as string,
    env: ['PLOINKY_ALLOWED_HOSTS'],
    parse: pattern(/^[A-Za-z0-9.,:_\-\s[\]]*$/),
    expected: 'host names separated by commas',
  }),
  runtime: define({
    summary: 'Where agents run',
    default: 'auto' as string,
    env: ['CONTAINER_RUNTIME', 'PLOINKY_RUNTIME'],
    flag: '--runtime',
    parse: oneOf('auto', 'docker', 'podman', 'host', 'bwrap', 'fake'),
    expected: 'auto, docker, podman, host or bwrap',
  }),
  sandbox: define({
    summary: 'Agents that say "lite-sandbox" run under bubblewrap on Linux',
    default: false as boolean,
    env: ['PLOINKY_SANDBOX'],
    parse: flag,
    expected: 'true or false',
  }),
  profile: define({
    summary: 'Active profile',
    default: 'dev' as string,
    env: ['PLOINKY_PROFILE'],
    flag: '--profile',
    parse: pattern(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/),
    expected: 'a profile name: dev, qa, prod, default or one that a repository defines',
  }),
  debug: define({
    summary: 'Debug logging',
    default: false as boolean,
    env: ['PLOINKY_DEBUG'],
    flag: '--debug',
    parse: flag,
    expected: 'true or false',
  }),
  mcpPrefix: define({
    summary: 'Names at /mcp: every tool as <agent>__<tool>, or only those that two agents have',
    default: 'always' as string,
    env: ['PLOINKY_MCP_PREFIX'],
    parse: oneOf('always', 'collisions'),
    expected: 'always or collisions',
  }),
  readyTimeout: define({
    summary: 'Seconds that an agent may take to become ready',
    default: 120 as number,
    env: ['PLOINKY_READY_TIMEOUT'],
    parse: integer(1, 3600),
    expected: 'seconds from 1 to 3600',
  }),
  blobLimit: define({
    summary: 'Largest upload to /blobs, in bytes',
    default: (1024 * 1024 * 1024) as number,
    env: ['PLOINKY_BLOB_LIMIT'],
    parse: integer(1, Number.MAX_SAFE_INTEGER),
    expected: 'bytes',
  }),
  fileLimit: define({
    summary: 'Largest file that is written into an agent, in bytes',
    default: (1024 * 1024 * 1024) as number,
    env: ['PLOINKY_FILE_LIMIT'],
    parse: integer(1, Number.MAX_SAFE_INTEGER),
    expected: 'bytes',
  }),
  bodyLimit: define({
    summary: 'Largest request body that is passed to an agent, in bytes',
    default: (100 * 1024 * 1024) as number,
    env: ['PLOINKY_BODY_LIMIT'],
    parse: integer(1, Number.MAX_SAFE_INTEGER),
    expected: 'bytes',
  }),
  terminalCommands: define({
    summary: 'Programs (comma separated) that terminals in the web may run beside cli and shell; * for any',
    default: '' as string,
    env: ['PLOINKY_TERMINAL_COMMANDS'],
    parse: pattern(/^[A-Za-z0-9_.,/*+\s-]*$/),
    expected: 'names of programs separated by commas, or *',
  }),
  terminalScrollback: define({
    summary: 'Lines that a terminal in the web keeps',
    default: 10_000 as number,
    env: ['PLOINKY_TERMINAL_SCROLLBACK'],
    parse: integer(0, 100_000),
    expected: 'lines from 0 to 100000',
  }),
  terminalLimit: define({
    summary: 'Terminals in the web that may be open at once',
    default: 100 as number,
    env: ['PLOINKY_TERMINAL_LIMIT'],
    parse: integer(1, 10_000),
    expected: 'a number from 1 to 10000',
  }),
  terminalAgentLimit: define({
    summary: 'Terminals in the web of one agent that may be open at once',
    default: 50 as number,
    env: ['PLOINKY_TERMINAL_AGENT_LIMIT'],
    parse: integer(1, 10_000),
    expected: 'a number from 1 to 10000',
  }),
  terminalDetached: define({
    summary: 'Seconds that a terminal in the web goes on when nobody looks at it',
    default: 3600 as number,
    env: ['PLOINKY_TERMINAL_DETACHED'],
    parse: integer(0, 31_536_000),
    expected: 'seconds from 0 to 31536000',
  }),
  terminalLongest: define({
    summary: 'Seconds that a terminal in the web may last altogether; 0 for no end',
    default: 604_800 as number,
    env: ['PLOINKY_TERMINAL_LONGEST'],
    parse: integer(0, 31_536_000),
    expected: 'seconds from 0 to 31536000',
  }),
  recordingLimit: define({
    summary: 'Largest recording of a terminal, in bytes',
    default: (64 * 1024 * 1024) as number,
    env: ['PLOINKY_RECORDING_LIMIT'],
    parse: integer(1024, Number.MAX_SAFE_INTEGER),
    expected: 'bytes, at least 1024',
  }),
  recordingsTotal: define({
    summary: 'Bytes of all recordings of terminals; the oldest are removed above it',
    default: (1024 * 1024 * 1024) as number,
    env: ['PLOINKY_RECORDINGS_TOTAL'],
    parse: integer(1024, Number.MAX_SAFE_INTEGER),
    expected: 'bytes, at least 1024',
  }),
  recordingMaxAge: define({
    summary: 'Days after which a recording of a terminal is removed',
    default: 30 as number,
    env: ['PLOINKY_RECORDING_MAX_AGE'],
    parse: integer(1, 36_500),
    expected: 'days from 1 to 36500',
  }),
  logMaxSize: define({
    summary: 'Size of a log file, in bytes, above which it is rotated',
    default: (10 * 1024 * 1024) as number,
    env: ['PLOINKY_LOG_MAX_SIZE'],
    parse: integer(1024, Number.MAX_SAFE_INTEGER),
    expected: 'bytes, at least 1024',
  }),
  logMaxAge: define({
    summary: 'Days after which a log file is rotated, and a rotated one is removed',
    default: 14 as number,
    env: ['PLOINKY_LOG_MAX_AGE'],
    parse: integer(1, 36_500),
    expected: 'days from 1 to 36500',
  }),
  logKeep: define({
    summary: 'Rotated files of each log that are kept',
    default: 5 as number,
    env: ['PLOINKY_LOG_KEEP'],
    parse: integer(0, 10_000),
    expected: 'a number of files from 0 to 10000',
  }),
} as const

export type SettingName = keyof typeof SETTINGS
export type Settings = { readonly [K in SettingName]: (typeof SETTINGS)[K]['default'] }
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]

export interface Explained {
  readonly name: SettingName
  readonly value: SettingValue
  readonly source: SettingSource
  /** Where exactly: the variable, the file and key, the flag. */
  readonly from: string
  readonly summary: string
}

export interface SettingInputs {
  /** Values of flags, by setting name. */
  readonly flags: Readonly<Partial<Record<SettingName, SettingValue>>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** `.ploinky/config.json`, and the text of `.ploinky/profile` under `profile`. */
  readonly workspace: Readonly<Record<string, SettingValue>>
}

export function assertSettingName(name: string): SettingName {
  if (Object.hasOwn(SETTINGS, name)) return name as SettingName
  const near = nearest(name, SETTING_NAMES)
  throw new PloinkyError('USAGE_INVALID', `Unknown setting "${name}"`, {
    hint: near === null ? 'Run: ploinky config' : `Did you mean: ploinky config ${near}`,
    details: { available: SETTING_NAMES },
  })
}

/** Checks one value from one place; the error names both. */
export function parseSetting(name: SettingName, value: SettingValue, from: string): SettingValue {
  const spec = SETTINGS[name]
  const parsed = spec.parse(String(value).trim())
  if (parsed !== null) return parsed
  const found = String(value).slice(0, 80)
  const isTyped = from.startsWith('-') || from.startsWith('ploinky ')
  const said = `found ${JSON.stringify(found)}, expected ${spec.expected}`
  // What was typed just now is a mistake of the command line; what was stored is one of the configuration.
  throw new PloinkyError(isTyped ? 'USAGE_INVALID' : 'CONFIG_INVALID', `Invalid ${name} in ${from}: ${said}`, {
    hint: isTyped ? `For example: ${from} ${String(spec.default)}` : `Correct or remove it: ${from}`,
    details: { setting: name, from, found, expected: spec.expected },
  })
}

/** Every setting with its value and where it came from. */
export function explainSettings(inputs: SettingInputs): Explained[] {
  return SETTING_NAMES.map((name) => {
    const spec = SETTINGS[name]
    const base = { name, summary: spec.summary }
    const fromFlag = inputs.flags[name]
    if (fromFlag !== undefined) {
      const from = ('flag' in spec ? spec.flag : undefined) ?? `--${name}`
      return { ...base, value: parseSetting(name, fromFlag, from), source: 'flag' as const, from }
    }
    for (const variable of spec.env) {
      const text = inputs.env[variable]
      if (text !== undefined && text !== '') {
        return { ...base, value: parseSetting(name, text, variable), source: 'environment' as const, from: variable }
      }
    }
    const stored = own(inputs.workspace, name)
    if (stored !== undefined) {
      const from = name === 'profile' ? '.ploinky/profile' : `.ploinky/config.json (${name})`
      return { ...base, value: parseSetting(name, stored, from), source: 'workspace' as const, from }
    }
    return { ...base, value: spec.default, source: 'default' as const, from: 'default' }
  })
}

export function toSettings(explained: readonly Explained[]): Settings {
  return Object.fromEntries(explained.map(({ name, value }) => [name, value])) as unknown as Settings
}
