/** What every way to start a child needs: its environment, its exit code, and why it did not start. */
import { constants } from 'node:os'
import { PloinkyError } from '../core/error.ts'
import type { ProcessSpec } from '../core/process.ts'
import { revealed } from '../core/secret.ts'

export function environment(spec: ProcessSpec): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(spec.env ?? {}).map(([name, value]) => [name, value === undefined ? undefined : revealed(value)]),
  )
}

export function notStarted(spec: ProcessSpec, error: unknown): PloinkyError {
  const code = (error as { code?: string }).code ?? (error as { cause?: { code?: string } }).cause?.code
  const why = code === 'ENOENT' ? 'not found' : code === 'EACCES' ? 'not executable' : (code ?? 'failed to start')
  return new PloinkyError('RUNTIME_UNAVAILABLE', `Cannot run "${spec.file}": ${why}`, {
    hint: `Install "${spec.file}" or put it on PATH, then run: ploinky doctor`,
    details: { program: spec.file },
    cause: error,
  })
}

interface Ended {
  exitCode?: number | null
  signal?: string | null
}

/** 128 + n when ended by signal n. */
export function exitCodeOf(ended: Ended): number {
  if (typeof ended.exitCode === 'number') return ended.exitCode
  const number = constants.signals[ended.signal as keyof typeof constants.signals]
  return number === undefined ? 1 : 128 + number
}
