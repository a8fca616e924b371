/** What can be done to several agents at once, and how far each of them is. */
import type { ApiError } from '../shared/api.ts'

export const BULK_ACTIONS = ['start', 'stop', 'restart', 'disable'] as const
export type BulkAction = (typeof BULK_ACTIONS)[number]

export interface BulkItem {
  readonly name: string
  readonly step: 'waiting' | 'running' | 'done' | 'failed' | 'left'
  readonly problem: ApiError | null
}
export interface Bulk {
  readonly action: BulkAction
  readonly items: readonly BulkItem[]
}
