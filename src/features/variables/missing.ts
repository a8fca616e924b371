/** What keeps agents from starting, told at once and before anything is started. Pure. */
import { PloinkyError } from '../../core/error.ts'
import type { MissingValue, Resolution } from './types.ts'

/** More than anybody sets by hand at once; the rest is counted. */
const MOST_SHOWN = 20

const placeOf = ({ neededBy, file }: MissingValue): string => (file === null ? neededBy : `${neededBy} in ${file}`)

function sentence(missing: MissingValue): string {
  const { agent, variable, kind, empty } = missing
  const need = `Agent "${agent}" needs "${variable}" (${placeOf(missing)})`
  if (kind === 'reserved') return `${need}, and names that begin with PLOINKY_ are the workspace's own`
  return empty ? `${need}, which is empty` : need
}

function hintOf(missing: readonly MissingValue[]): string {
  const settable = missing.filter(({ kind, variable }) => kind !== 'reserved' && !variable.includes('*'))
  const names = [...new Set(settable.map(({ variable }) => variable))]
  if (names.length > 0) return `Run: ${names.map((name) => `ploinky var ${name} <value>`).join('; ')}`
  const pattern = missing.find(({ kind }) => kind !== 'reserved')
  if (pattern !== undefined)
    return `Set a variable whose name fits: ploinky var ${pattern.variable.replaceAll('*', 'NAME')} <value>`
  return 'Rename the variable in the manifest'
}

/** CONFIG_INVALID for values that are missing, of one agent or of all: what, for whom, and how to set it. */
export function describeMissing(missing: readonly MissingValue[]): PloinkyError {
  const shown = missing.slice(0, MOST_SHOWN)
  const more = missing.length - shown.length
  const message = [...shown.map(sentence), ...(more > 0 ? [`${more} more values are missing`] : [])].join('; ')
  return new PloinkyError('CONFIG_INVALID', message, { hint: hintOf(shown), details: { missing } })
}

/** Throws one CONFIG_INVALID for all that is missing or wrong in the environments of all agents; else does nothing. */
export function assertResolved(resolutions: readonly Resolution[]): void {
  const missing = resolutions.flatMap((resolution) => resolution.missing)
  const problems = resolutions.flatMap(({ agent, problems: found }) => found.map((problem) => ({ agent, ...problem })))
  if (missing.length === 0 && problems.length === 0) return
  const about = missing.length === 0 ? null : describeMissing(missing)
  if (problems.length === 0 && about !== null) throw about
  const told = problems.map(({ agent, path, message }) => `Agent "${agent}": ${message} (${path})`)
  const message = [...told, ...(about === null ? [] : [about.message])].join('; ')
  const hint = about?.hint ?? 'Correct what is named; "ploinky vars" shows what is set and where'
  throw new PloinkyError('CONFIG_INVALID', message, { hint, details: { missing, problems } })
}
