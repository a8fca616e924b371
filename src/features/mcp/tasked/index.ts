/**
 * Tasks for agents that have none (`mcp.taskAfterSeconds` of a manifest): a call that takes longer goes on without its client,
 * who is given a handle of the official extension instead (`io.modelcontextprotocol/tasks`, revision 2026-07-28). The router
 * keeps the task on disk; its result outlives the router, a call that was not over then is told as failed.
 */
import { join } from 'node:path'
import { type Tasks, createTasks } from '../../../agent/tasks.ts'
import { extensionTask, isTaskId } from '../../../agent/task-record.ts'
import { declaresTasks, TASKS_EXTENSION, TASKS_REQUIRED } from '../../../agent/tasks-extension.ts'
import { isPloinkyError } from '../../../core/error.ts'
import { objectOf, parseObject } from '../../../core/json.ts'
import type { Logger } from '../../../core/log.ts'
import { CODES, META } from '../../../core/mcp.ts'
import type { FileSystem } from '../../../platform/index.ts'
import { subjectOf } from '../../callers/index.ts'
import { clientGone, once, pipeAnswer, sendJson } from '../answers.ts'
import { textOf } from '../ask.ts'
import { readCall } from '../client-call.ts'
import type { AgentExchange } from '../exchange.ts'
import { isStateless, readMessage, resultIn, type RpcMessage } from '../messages.ts'
import { repetitionProblem } from '../stdio/headers.ts'
import type { RpcError } from '../stdio/message.ts'
import { createTaskFiles } from '../task-files.ts'
import type { UpstreamAnswer, UpstreamCall } from '../upstream.ts'
import { runCall, type TaskedCall } from './call.ts'

export interface TaskedOptions {
  readonly fs: FileSystem
  readonly log: Logger
  /** Folder for the records of an agent's tasks. */
  tasksDir(agent: string): string
  /** To the agent, on the way that calls of clients take. */
  fetch(agent: string, call: UpstreamCall): Promise<UpstreamAnswer>
}

export interface Tasked {
  serve(exchange: AgentExchange, afterMs: number): void
  /** What still runs is stored as failed. */
  close(): Promise<void>
}

export function createTasked({ fs, log, tasksDir, fetch }: TaskedOptions): Tasked {
  const byAgent = new Map<string, Tasks>()

  function tasksOf(agent: string): Tasks {
    const known = byAgent.get(agent)
    if (known !== undefined) return known
    const made = createTasks({
      // Beside those of an AgentServer that runs in the router.
      store: createTaskFiles(fs, join(tasksDir(agent), 'router')),
      log: (level, message, details) => log[level](message, { agent, ...details }),
      keeper: 'router',
    })
    byAgent.set(agent, made)
    return made
  }

  async function pass({ exchange, call }: Pick<TaskedCall, 'exchange' | 'call'>): Promise<void> {
    await pipeAnswer(exchange, await fetch(exchange.agent, call), { keepsSession: true })
  }

  /** The agent's own word, and that it has tasks. */
  async function discover(asked: TaskedCall): Promise<void> {
    const { exchange, call, message } = asked
    const answer = await fetch(exchange.agent, call)
    const text = await textOf(answer)
    const result = resultIn(answer.headers.get('content-type') ?? '', text, message.id)
    if (result === null) return await pipeAnswer(exchange, { ...answer, body: once(text) }, { keepsSession: true })
    const capabilities = objectOf(result['capabilities'])
    const extensions = { ...objectOf(capabilities['extensions']), [TASKS_EXTENSION]: {} }
    const told = { ...result, capabilities: { ...capabilities, extensions } }
    sendJson(exchange, { jsonrpc: '2.0', id: message.id, result: told })
  }

  /** A task of ours; else the agent may know it. */
  async function ofTask(asked: TaskedCall): Promise<void> {
    const { exchange, call, message } = asked
    const problem = headerProblem(asked) ?? capabilityProblem(message)
    if (problem !== null) return refuse(asked, problem)
    const id = message.params['taskId']
    const found = isTaskId(id) ? await look(asked, id) : null
    if (found !== null)
      return sendJson(exchange, { jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', ...found } })
    const answer = await fetch(exchange.agent, call)
    const text = await textOf(answer)
    const error = objectOf(parseObject(text)?.['error'])
    // An agent without tasks does not even know the question.
    if (error['code'] === CODES.methodNotFound) return refuse(asked, NOT_FOUND)
    await pipeAnswer(exchange, { ...answer, body: once(text) }, { keepsSession: true })
  }

  async function look({ exchange, message }: TaskedCall, id: string): Promise<object | null> {
    const tasks = tasksOf(exchange.agent)
    const caller = subjectOf(exchange.principal)
    if (message.method === 'tasks/cancel') return (await tasks.cancel(id, caller)) ? {} : null
    if (message.method === 'tasks/update')
      return (await tasks.update(id, caller, objectOf(message.params['inputResponses']))) ? {} : null
    const record = await tasks.get(id, caller)
    return record === null ? null : extensionTask(record)
  }

  async function answer(exchange: AgentExchange, afterMs: number): Promise<void> {
    const left = clientGone(exchange.outgoing)
    const call = await readCall(exchange, left)
    const message = call.body === undefined ? null : readMessage(Buffer.from(call.body).toString('utf8'))
    try {
      if (!isRequest(message) || !isStateless(message, call.headers['mcp-protocol-version']))
        return await pass({ exchange, call })
      const asked = { exchange, call, message }
      const { agent } = exchange
      if (message.method === 'server/discover') await discover(asked)
      else if (TASK_METHODS.has(message.method)) await ofTask(asked)
      else if (message.method === 'tools/call' && knowsTasks(message))
        await runCall(asked, { tasks: tasksOf(agent), afterMs, fetch: (next) => fetch(agent, next) })
      else await pass(asked)
    } catch (error) {
      if (!left.aborted) throw error
    }
  }

  return {
    serve(exchange, afterMs) {
      answer(exchange, afterMs).catch((error: unknown) => {
        if (!isPloinkyError(error)) log.error('a call that may become a task failed', { error })
        if (exchange.outgoing.headersSent) exchange.outgoing.destroy()
        else exchange.fail(error)
      })
    },
    close: async () => void (await Promise.all([...byAgent.values()].map((tasks) => tasks.close()))),
  }
}

const TASK_METHODS = new Set<string | null>(['tasks/get', 'tasks/update', 'tasks/cancel'])

interface Problem extends RpcError {
  readonly status: number
}

const NOT_FOUND: Problem = { status: 200, code: CODES.invalidParams, message: 'Task not found' }

const isRequest = (message: RpcMessage | null): message is TaskedCall['message'] =>
  message !== null && message.id !== undefined && message.method !== null

const knowsTasks = ({ params }: RpcMessage): boolean => declaresTasks(objectOf(params['_meta'])[META.capabilities])

function capabilityProblem(message: RpcMessage): Problem | null {
  if (knowsTasks(message)) return null
  const told = 'The client did not declare the extension for tasks'
  return { status: 400, code: CODES.missingCapability, message: told, data: TASKS_REQUIRED }
}

function headerProblem({ exchange, message: { method, params } }: TaskedCall): Problem | null {
  const problem = repetitionProblem({ kind: 'request', method: method ?? '', params }, exchange.incoming)
  return problem === null ? null : { status: 400, ...problem }
}

function refuse({ exchange, message }: TaskedCall, { status, ...error }: Problem): void {
  sendJson(exchange, { jsonrpc: '2.0', id: message.id, error }, { status })
}
