import type { JsonObject } from './check.ts'
import { own } from './check.ts'

/** What a running task asks its client, and the answers as they come. */
export interface TaskQuestions {
  /** Requests without an answer yet, by their keys; undefined: it asks for nothing. */
  waiting: () => JsonObject | undefined
  /** Resolves with all answers. Rejects when the task ends before. */
  ask: (requests: JsonObject, signal: AbortSignal) => Promise<JsonObject>
  /** Takes the answers to what was asked; the result lets the task go on, when none is missing. */
  answer: (responses: JsonObject) => (() => void) | undefined
}

interface Asked {
  readonly waiting: Map<string, unknown>
  readonly answers: Map<string, unknown>
  readonly resolve: (answers: JsonObject) => void
}

export function createTaskQuestions(): TaskQuestions {
  let asked: Asked | undefined
  return {
    waiting: () => (asked === undefined || asked.waiting.size === 0 ? undefined : Object.fromEntries(asked.waiting)),
    ask: (requests, signal) =>
      new Promise((resolve, reject) => {
        const leave = (): void => reject(new Error('The task ended before it was answered'))
        if (signal.aborted) return leave()
        signal.addEventListener('abort', leave, { once: true })
        asked = { waiting: new Map(Object.entries(requests)), answers: new Map(), resolve }
      }),
    answer: (responses) => {
      const round = asked
      if (round === undefined) return undefined
      for (const key of [...round.waiting.keys()]) {
        const response = own(responses, key)
        if (response === undefined) continue
        round.waiting.delete(key)
        round.answers.set(key, response)
      }
      if (round.waiting.size > 0) return undefined
      asked = undefined
      return () => round.resolve(Object.fromEntries(round.answers))
    },
  }
}
