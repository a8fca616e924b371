/** Where the news of a call go: to its client, and from when it is a task on, to the task. */
import { isObject } from '../../../core/json.ts'
import type { TaskScope } from '../../../agent/tasks.ts'
import { answerHead, once, pipeAnswer, sendJson, startKeepAlive, writeChunk } from '../answers.ts'
import { messageEvent } from '../sse.ts'
import type { AgentExchange } from '../exchange.ts'
import type { AnswerListener, CallEnd } from './answer.ts'

type Json = Record<string, unknown>

export interface CallStream extends AnswerListener {
  /** The end of a call that was quick enough. */
  end(end: CallEnd): Promise<void>
  /** The result that the client gets instead: what comes now is the task's. */
  handOver(message: Json): void
  /** From now on news are told to the task. */
  follow(task: TaskScope): void
  /** No answer any more, or none that can be trusted. */
  fail(error: unknown): void
}

export function createCallStream(exchange: AgentExchange): CallStream {
  const { outgoing } = exchange
  let task: TaskScope | null = null
  let isHandedOver = false
  let keepAlive: ReturnType<typeof startKeepAlive> | null = null

  function last(text: string): void {
    keepAlive?.stop()
    outgoing.end(`${text}\n\n`)
  }

  return {
    opened(answer) {
      if (isHandedOver || outgoing.headersSent || outgoing.destroyed) return
      answerHead(exchange, answer, { keepsSession: true })
      keepAlive = startKeepAlive(outgoing)
      outgoing.once('close', keepAlive.stop)
    },
    event(raw, message) {
      if (isHandedOver) return tell(task, message)
      keepAlive?.saw(true)
      return writeChunk(outgoing, `${raw}\n\n`)
    },
    async end({ answer, text }) {
      if (keepAlive !== null) return last(`event: message\ndata: ${text.split('\n').join('\ndata: ')}`)
      await pipeAnswer(exchange, { ...answer, body: once(text) }, { keepsSession: true })
    },
    handOver(message) {
      isHandedOver = true
      if (keepAlive !== null) last(messageEvent(message))
      else sendJson(exchange, message)
    },
    follow(scope) {
      task = scope
    },
    fail(error) {
      keepAlive?.stop()
      if (outgoing.headersSent) outgoing.destroy()
      else exchange.fail(error)
    },
  }
}

/** Progress of a call is the status of its task. */
function tell(task: TaskScope | null, message: Json | null): void {
  const params = message?.['params']
  if (message?.['method'] !== 'notifications/progress' || !isObject(params)) return
  const { message: text, progress, total } = params
  const count = typeof progress === 'number' ? `${progress}${typeof total === 'number' ? ` of ${total}` : ''}` : ''
  task?.status([count, typeof text === 'string' ? text : ''].filter((part) => part !== '').join(': '))
}
