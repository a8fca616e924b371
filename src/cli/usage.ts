/** How the params of a command are written: flags, placeholders, the usage line. */
import type { Command, Param } from './command.ts'

export const PROGRAM = 'ploinky'

/** Flags that every command takes. */
const GLOBAL_PARAMS: Readonly<Record<string, Param>> = {
  json: { type: 'boolean', summary: 'Print data as JSON (streams: one object a line)' },
  workspace: { type: 'string', placeholder: 'DIR', summary: 'Use the workspace in this folder' },
  yes: { type: 'boolean', short: 'y', summary: 'Answer yes to every question' },
  quiet: { type: 'boolean', short: 'q', summary: 'No progress lines' },
  debug: { type: 'boolean', short: 'd', summary: 'Log what happens, in detail' },
  'no-color': { type: 'boolean', summary: 'No colours (also: NO_COLOR=1)' },
  help: { type: 'boolean', short: 'h', summary: 'Show help' },
  version: { type: 'boolean', short: 'V', summary: 'Show the version' },
}

export interface Option {
  /** Name in the input. */
  readonly key: string
  /** Name after the two dashes. */
  readonly flag: string
  readonly param: Param
  readonly scope: 'command' | 'global'
}

type AnyCommand = Pick<Command<never>, 'name' | 'positionals' | 'params'>

/** `tailLines` is written `--tail-lines`. */
export function flagName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function toOptions(params: Readonly<Record<string, Param>>, scope: Option['scope']): Option[] {
  return Object.entries(params).map(([key, param]) => ({ key, flag: flagName(key), param, scope }))
}

export const GLOBAL_OPTIONS: readonly Option[] = toOptions(GLOBAL_PARAMS, 'global')

/** Every param that may be given by flag: arguments too (`start --port 9000`), but not lists of words. */
export function flagsOf(command: AnyCommand): Option[] {
  const positionals = new Set(command.positionals)
  return toOptions(command.params ?? {}, 'command').filter(
    ({ key, param }) => !(param.type === 'rest' && positionals.has(key)),
  )
}

/** Arguments whose flag is worth showing: those behind another optional one, or with a letter. */
export function flaggedPositionals(command: AnyCommand): Option[] {
  const keys = (command.positionals ?? []).filter((key, index) => {
    const param = command.params?.[key]
    return param !== undefined && param.required !== true && (index > 0 || param.short !== undefined)
  })
  return flagsOf(command).filter(({ key }) => keys.includes(key))
}

/** The params of a command that are given by flag only. */
export function optionsOf(command: AnyCommand): Option[] {
  const positionals = new Set(command.positionals)
  return toOptions(command.params ?? {}, 'command').filter((option) => !positionals.has(option.key))
}

export interface Positional {
  readonly key: string
  readonly param: Param
}

export function positionalsOf(command: AnyCommand): Positional[] {
  return (command.positionals ?? []).map((key) => ({
    key,
    param: command.params?.[key] ?? { type: 'string', summary: '' },
  }))
}

/**
 * Whether the command ends in words for another program (`exec <agent> -- <command...>`, `cli <agent> [args...]`):
 * a `rest` after another positional. A `rest` that stands alone is a plain list.
 */
export function passesOn(command: AnyCommand): 'program' | 'arguments' | null {
  const positionals = positionalsOf(command)
  const last = positionals.at(-1)
  if (last?.param.type !== 'rest' || last.param.plain === true || positionals.length < 2) return null
  return last.param.required === true ? 'program' : 'arguments'
}

export function placeholderOf(name: string, param: Param): string {
  if (param.placeholder !== undefined) return param.placeholder
  if (param.type === 'integer') return 'N'
  if (param.type === 'port') return 'PORT'
  return flagName(name).toUpperCase()
}

function positionalText({ key, param }: Positional): string {
  const name = `${param.placeholder ?? flagName(key)}${param.type === 'rest' ? '...' : ''}`
  return param.required === true ? `<${name}>` : `[${name}]`
}

/** `ploinky logs [agent] [options]`: what to type, in one line. */
export function usageLine(command: AnyCommand): string {
  const words = positionalsOf(command).map(positionalText)
  const kind = passesOn(command)
  const program = words.at(-1)
  if (kind === 'program' && program !== undefined) words.splice(-1, 1, '--', program)
  const required = optionsOf(command)
    .filter(({ param }) => param.required === true)
    .map(({ key, flag, param }) => `--${flag} ${placeholderOf(key, param)}`)
  const hasOptional = optionsOf(command).some(({ param }) => param.required !== true)
  const options = [...required, ...(hasOptional ? ['[options]'] : [])]
  const parts = kind === null ? [...words, ...options] : [...options, ...words]
  return [PROGRAM, command.name, ...parts].join(' ')
}

/** `-n, --tail N`: how help shows an option. */
export function optionText({ key, flag, param }: Option): string {
  const short = param.short === undefined ? '    ' : `-${param.short}, `
  return `${short}--${flag}${param.type === 'boolean' ? '' : ` ${placeholderOf(key, param)}`}`
}
