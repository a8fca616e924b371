/** A call of a tool that may take longer than its client waits: it goes on as a task, and keeps what it began. */
import { isObject } from '../../../core/json.ts'
import type { TaskScope, Tasks } from '../../../agent/tasks.ts'
import { extensionTask } from '../../../agent/task-record.ts'
import { BusyError } from '../../../agent/gate.ts'
import { delay, pause } from '../../../core/time.ts'
import { subjectOf } from '../../callers/index.ts'
import type { AgentExchange } from '../exchange.ts'
import type { RpcMessage } from '../messages.ts'
import type { UpstreamAnswer, UpstreamCall } from '../upstream.ts'
import { readEnd, resultOf, type CallEnd } from './answer.ts'
import { createCallStream, type CallStream } from './stream.ts'

type Json = Record<string, unknown>

/** An agent that asks more often than this asks for ever. */
const MAX_ROUNDS = 100
/** An agent that wants to be asked again without an answer is given a moment. */
const AGAIN_MS = 1000
/** Larger results are refused: a record is held in memory as a whole. Characters. */
const MAX_RESULT = 8 * 1024 * 1024

export interface TaskedCall {
  readonly exchange: AgentExchange
  readonly call: UpstreamCall
  readonly message: RpcMessage & { readonly id: string | number }
}

export interface CallRunner {
  readonly tasks: Tasks
  readonly afterMs: number
  fetch(call: UpstreamCall): Promise<UpstreamAnswer>
}

/** Answers the client with the end of the call, or with a task when that takes longer than `afterMs`. */
export async function runCall(asked: TaskedCall, runner: CallRunner): Promise<void> {
  const { exchange, call, message } = asked
  const stream = createCallStream(exchange)
  // Of the call, not of the connection: a task outlives its client.
  const own = new AbortController()
  const stop = (): void => own.abort()
  if (call.signal.aborted) return
  call.signal.addEventListener('abort', stop, { once: true })
  const finish = async (next: UpstreamCall): Promise<CallEnd> =>
    await readEnd(message.id, await runner.fetch(next), stream)
  const ending = finish({ ...call, signal: own.signal })
  // Looked at below, also when it fails first.
  ending.catch(() => {})
  try {
    const early = await within(ending, runner.afterMs)
    if (early !== null) return await stream.end(early)
    const handle = await startTask(asked, runner.tasks, { stream, finish, ending, stop })
    // No place for a task: the call takes as long as it takes.
    if (handle === null) return await stream.end(await ending)
    call.signal.removeEventListener('abort', stop)
    stream.handOver({ jsonrpc: '2.0', id: message.id, result: { ...handle, resultType: 'task' } })
  } catch (error) {
    if (!call.signal.aborted) stream.fail(error)
  }
}

/** Null: not over by then. */
async function within(ending: Promise<CallEnd>, ms: number): Promise<CallEnd | null> {
  const waiting = new AbortController()
  try {
    return await Promise.race([ending, pause(ms, waiting.signal).then(() => null)])
  } finally {
    waiting.abort()
  }
}

interface Begun {
  readonly stream: CallStream
  finish(call: UpstreamCall): Promise<CallEnd>
  readonly ending: Promise<CallEnd>
  stop(): void
}

async function startTask(asked: TaskedCall, tasks: Tasks, begun: Begun): Promise<Json | null> {
  const { exchange, message } = asked
  const name = message.params['name']
  try {
    const record = await tasks.create({
      ...{ toolName: typeof name === 'string' ? name.slice(0, 200) : '', owner: subjectOf(exchange.principal) },
      isRunning: true,
      work: (scope) => work(asked, begun, scope),
    })
    return extensionTask(record)
  } catch (error) {
    if (error instanceof BusyError) return null
    throw error
  }
}

/** The result of the call; what the agent asks for on the way, it is told by the client of the task. */
async function work(asked: TaskedCall, begun: Begun, scope: TaskScope): Promise<Json> {
  const { stream, ending, stop, finish } = begun
  scope.signal.addEventListener('abort', stop, { once: true })
  stream.follow(scope)
  let end = await ending
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const { resultType, ...result } = resultOf(end)
    if (end.text.length > MAX_RESULT) throw new Error(`The result is longer than ${MAX_RESULT} characters`)
    if (resultType === 'task') throw new Error('The agent answered with a task of its own')
    if (resultType !== 'input_required') return result
    const call = await answered(asked, result, scope)
    end = await finish({ ...call, signal: scope.signal })
  }
  throw new Error(`The agent asked ${MAX_ROUNDS} times, and was not done`)
}

/** The call again, with what it asked for (2026-07-28, multi round-trip requests). */
async function answered({ call, message }: TaskedCall, asks: Json, scope: TaskScope): Promise<UpstreamCall> {
  const { inputRequests, requestState } = asks
  const hasRequests = isObject(inputRequests) && Object.keys(inputRequests).length > 0
  const inputResponses = hasRequests ? await scope.ask(inputRequests) : null
  if (inputResponses === null) await delay(AGAIN_MS, scope.signal)
  const { inputResponses: _last, requestState: _state, ...params } = message.params
  const again = {
    ...params,
    ...(inputResponses === null ? {} : { inputResponses }),
    ...(requestState === undefined ? {} : { requestState }),
  }
  const body = JSON.stringify({ jsonrpc: '2.0', id: message.id, method: message.method, params: again })
  return { ...call, body: Buffer.from(body) }
}
