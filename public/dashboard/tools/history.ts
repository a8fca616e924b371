/** Calls that were made from this page. Arguments may be sensitive: they are kept in the browser only when somebody asks for it. */
import { effect, signal } from '@preact/signals'
import { asRecord, listOf, numberOr, textOr } from '../../shared/api.ts'
import { keep, kept } from '../../shared/storage.ts'
import type { OfferKind } from './model.ts'

export interface PastCall {
  readonly agent: string
  readonly kind: OfferKind
  readonly id: string
  readonly args: Record<string, unknown>
  readonly at: string
  readonly ms: number
  readonly failed: boolean
}

const KEY = 'ploinky.calls'
const MAX_CALLS = 50
/** Characters of what is kept; larger arguments are not. */
const MAX_ARGS = 8000
const KINDS: readonly OfferKind[] = ['tool', 'resource', 'prompt']

export function readPastCalls(text: string | null): PastCall[] {
  let value: unknown
  try {
    value = JSON.parse(text ?? '[]')
  } catch {
    return []
  }
  return listOf(value)
    .slice(0, MAX_CALLS)
    .flatMap((item) => {
      const { agent, kind, id, args, at, ms, failed } = asRecord(item)
      const known = KINDS.find((one) => one === kind)
      if (known === undefined || typeof agent !== 'string' || typeof id !== 'string') return []
      return [
        {
          agent,
          kind: known,
          id,
          args: asRecord(args),
          at: textOr(at, ''),
          ms: numberOr(ms, 0),
          failed: failed === true,
        },
      ]
    })
}

export const pastCalls = signal<readonly PastCall[]>(readPastCalls(kept(KEY)))
/** Whether they outlive the page. */
export const keepsCalls = signal(kept(KEY) !== null)

effect(() => {
  const text = JSON.stringify(pastCalls.value)
  keep(KEY, keepsCalls.value ? text : null)
})

export function noteCall(call: PastCall): void {
  const isSmall = JSON.stringify(call.args).length <= MAX_ARGS
  pastCalls.value = [isSmall ? call : { ...call, args: {} }, ...pastCalls.value].slice(0, MAX_CALLS)
}
