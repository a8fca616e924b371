import type { Server, ServerContext, StandardSchemaV1 } from '@modelcontextprotocol/server'
import {
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'
import type { Invocation } from './caller.ts'
import { invocationOf } from './caller.ts'
import type { Catalog } from './catalog.ts'
import { isObject, own } from './check.ts'
import { extensionTask, isTaskId, taskStatus } from './task-record.ts'
import { declaresTasks, TASKS_REQUIRED } from './tasks-extension.ts'
import type { Tasks } from './tasks.ts'

/** True when the request declares the extension: only then may it be answered with a task. */
export function knowsTasks({ mcpReq }: ServerContext): boolean {
  const { envelope } = mcpReq
  return isObject(envelope) && declaresTasks(own(envelope, CLIENT_CAPABILITIES_META_KEY))
}

/** True for a request of the modern era that wants news of tasks without knowing them; the library has no check for it. */
export function asksForUnknownTasks(body: unknown): boolean {
  if (!isObject(body) || body['method'] !== 'subscriptions/listen' || !isObject(body['params'])) return false
  const { notifications, _meta } = body['params']
  const wanted = isObject(notifications) ? own(notifications, 'taskIds') : undefined
  return wanted !== undefined && !declaresTasks(isObject(_meta) ? own(_meta, CLIENT_CAPABILITIES_META_KEY) : undefined)
}

/** Parameters that name a task; what else is sent is ignored. An id that cannot be one is treated as an unknown one. */
const NAMES_A_TASK: StandardSchemaV1<unknown, { taskId: string }> = {
  '~standard': {
    version: 1,
    vendor: 'ploinky',
    validate: (value) => {
      const taskId = isObject(value) ? own(value, 'taskId') : undefined
      return typeof taskId === 'string' ? { value: { taskId } } : { issues: [{ message: '"taskId" must be a string' }] }
    },
  },
}

/** `tasks/get`, `tasks/update` and `tasks/cancel`, for instances of the modern era. */
export function registerTasks(server: Server, { tasks }: Catalog): void {
  const handle = (method: string, answer: (id: string, caller: string | undefined) => Promise<object | null>): void => {
    server.setRequestHandler(method, { params: NAMES_A_TASK }, async ({ taskId }, context) => {
      if (!knowsTasks(context)) throw new MissingRequiredClientCapabilityError(TASKS_REQUIRED)
      const found = isTaskId(taskId) ? await answer(taskId, invocationOf(context)?.sub) : null
      if (found === null) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Task not found')
      return { ...found }
    })
  }
  handle('tasks/get', async (id, caller) => {
    const record = await tasks.get(id, caller)
    return record === null ? null : extensionTask(record)
  })
  // Commands cannot ask for anything while they run, so there is never a request that an answer could belong to.
  handle('tasks/update', async (id, caller) => ((await tasks.get(id, caller)) === null ? null : {}))
  handle('tasks/cancel', async (id, caller) => ((await tasks.cancel(id, caller)) ? {} : null))
}

/** `GET /getTaskStatus?taskId=` (also `/task`), and `POST /task/cancel?taskId=`, for clients of any kind. */
export async function serveTaskRequest(
  tasks: Tasks,
  request: Request,
  invocation: Invocation | null,
): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url)
  const isCancel = pathname.endsWith('/cancel')
  const method = isCancel ? 'POST' : 'GET'
  if (request.method !== method)
    return reply(405, problem('METHOD_NOT_ALLOWED', `This address answers ${method} only`), { allow: method })
  const id = searchParams.get('taskId')
  if (id === null) return reply(400, problem('VALIDATION_ERROR', 'The parameter "taskId" is missing'))
  const caller = invocation?.sub
  if (isCancel && isTaskId(id)) await tasks.cancel(id, caller)
  const record = isTaskId(id) ? await tasks.get(id, caller) : null
  return record === null
    ? reply(404, problem('TASK_NOT_FOUND', 'There is no such task'))
    : reply(200, taskStatus(record))
}

const problem = (code: string, message: string) => ({ error: { code, message, details: {} } })

function reply(status: number, body: object, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  })
}
