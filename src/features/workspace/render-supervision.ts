/** What the supervisor knows of an agent, as lines for a person. */
import { describeEnd, type LastExit } from '../../core/last-exit.ts'
import type { Supervision } from '../agents/index.ts'

const SHOWN_LINES = 5

export function supervisionLines(supervision: Supervision | undefined, now: number): string[] {
  if (supervision === undefined) return []
  const { restarts, nextRestartAt, lastExit, probes } = supervision
  const named = Object.entries(probes).filter(([, result]) => result !== null)
  return [
    ...(nextRestartAt === null
      ? []
      : [`next restart in ${Math.max(0, Math.ceil((Date.parse(nextRestartAt) - now) / 1000))} s`]),
    ...(restarts === 0 ? [] : [`restarts: ${restarts}`]),
    ...(named.length === 0 ? [] : [`probes: ${named.map(([kind, result]) => `${kind} ${result}`).join(', ')}`]),
    ...(lastExit === null ? [] : exitLines(lastExit)),
  ]
}

function exitLines(lastExit: LastExit): string[] {
  return [
    `last exit: ${describeEnd({ ...lastExit, lines: [] })}, ${lastExit.at}`,
    ...lastExit.lines.slice(-SHOWN_LINES).map((line) => `  | ${line}`),
  ]
}
