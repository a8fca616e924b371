/** The in-process event bus. Every state change emits one Event; audit, logs and pages subscribe to it. */
export interface PloinkyEvent {
  /** Grows by one per bus; lets a reader resume. */
  seq: number
  /** Past tense: `agent.started`, `agent.failed`, `router.started`. */
  type: string
  /** ISO 8601. */
  at: string
  /** What it happened to: an agent name, `router`, a workspace id. */
  subject: string
  /** Who asked for it; absent for things that happened by themselves. */
  principal?: string
  data: Record<string, unknown>
  /** It happened in another process of this workspace and was passed on. */
  relayed?: true
}

export type EventInput = Pick<PloinkyEvent, 'type' | 'subject' | 'relayed'> & {
  principal?: string
  data?: Record<string, unknown>
}
export type EventListener = (event: PloinkyEvent) => void

export interface EventBus {
  emit(event: EventInput): PloinkyEvent
  /** Calls back on each event; returns the function that ends it. A listener that throws does not stop the others. */
  on(listener: EventListener): () => void
  /** Events after `seq` that are still kept, oldest first. */
  since(seq: number): readonly PloinkyEvent[]
}

export interface EventBusOptions {
  /** Events that are held for late subscribers (a page that reconnects). */
  readonly keep?: number
  readonly onError?: (error: unknown) => void
  /** Whose doing everything is that names nobody: a command is a person's. */
  readonly principal?: () => string | undefined
}

export function createEventBus(options: EventBusOptions = {}): EventBus {
  const keep = options.keep ?? 500
  const listeners = new Set<EventListener>()
  const recent: PloinkyEvent[] = []
  let seq = 0
  return {
    emit(input) {
      seq += 1
      const principal = input.relayed === true ? undefined : options.principal?.()
      const whose = principal === undefined ? {} : { principal }
      const event: PloinkyEvent = { data: {}, ...whose, ...input, seq, at: new Date().toISOString() }
      recent.push(event)
      if (recent.length > keep) recent.shift()
      for (const listener of listeners) {
        try {
          listener(event)
        } catch (error) {
          options.onError?.(error)
        }
      }
      return event
    },
    on(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    since: (after) => recent.filter((event) => event.seq > after),
  }
}
