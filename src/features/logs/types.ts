export interface LogEntry {
  /** An agent, or `router`. */
  readonly source: string
  readonly stream: 'stdout' | 'stderr' | 'log'
  /** ISO 8601; null when nobody kept it. */
  readonly at: string | null
  readonly text: string
  /** One of several logs that are read together. */
  readonly merged?: true
}

export interface LogQuery {
  readonly tail?: number
  /** ISO 8601. */
  readonly since?: string
  /** ISO 8601. A log is not followed beyond it. */
  readonly until?: string
  readonly follow?: boolean
  readonly signal?: AbortSignal
}
