/** What differs on Node: how this program is started again. */
import type { ProcessSpec } from '../core/process.ts'

/** The same script with the same runtime flags (source run through a loader keeps its loader). */
export function nodeCommand(args: readonly string[]): ProcessSpec {
  const script = process.env['PLOINKY_SELF'] ?? process.argv[1]
  return { file: process.execPath, args: [...process.execArgv, ...(script === undefined ? [] : [script]), ...args] }
}
