/** What a caller is told of an agent that could not answer. */
import { PloinkyError } from '../core/error.ts'
import type { RelayFailure } from '../platform/relay/index.ts'

const FAILURE_CODES = {
  connect: 'UPSTREAM_UNREACHABLE',
  aborted: 'UPSTREAM_UNREACHABLE',
  protocol: 'UPSTREAM_UNREACHABLE',
  timeout: 'UPSTREAM_TIMEOUT',
  'too-large': 'REQUEST_TOO_LARGE',
  'bad-request': 'REQUEST_INVALID',
} as const

/** `prefix`: the address of the agent on the router. */
export function failureError(prefix: string, failure: RelayFailure): PloinkyError {
  const agent = prefix.split('/').at(-1) ?? ''
  return new PloinkyError(FAILURE_CODES[failure.kind], `Agent "${agent}": ${failure.message}`, {
    ...(failure.kind === 'connect' ? { hint: `Run: ploinky logs ${agent}` } : {}),
  })
}
