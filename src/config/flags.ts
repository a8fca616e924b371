/** Settings that were given as flags of a command. */
import type { SettingName, SettingValue } from './settings.ts'

export type SettingFlags = Partial<Record<SettingName, SettingValue>>

const FLAGS: readonly SettingName[] = ['port', 'host', 'runtime', 'profile']

/** `input` is the parsed input of a command; values were checked by its params. */
export function flagsOf(input: Readonly<Record<string, unknown>>): SettingFlags {
  return Object.fromEntries(
    FLAGS.flatMap((name) => (input[name] === undefined ? [] : [[name, input[name] as SettingValue]])),
  )
}
