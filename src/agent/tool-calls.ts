import type { ServerContext } from '@modelcontextprotocol/server'
import { MissingRequiredClientCapabilityError, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import { checkArguments } from './arguments.ts'
import type { CallOutcome } from './call.ts'
import { clipText, planRun, toolError, toolOutcome } from './call.ts'
import { invocationOf, mayUse } from './caller.ts'
import type { Catalog } from './catalog.ts'
import type { JsonObject } from './check.ts'
import type { ToolSpec } from './config.ts'
import { pick } from './fields.ts'
import { BusyError } from './gate.ts'
import type { Listener } from './run-command.ts'
import { callMetadata, clientListener, runCommand, runnerFailure } from './run-command.ts'
import { knowsTasks } from './task-handlers.ts'
import { TASKS_REQUIRED } from './tasks-extension.ts'
import type { TaskRecord } from './task-record.ts'
import { extensionTask } from './task-record.ts'
import type { TaskScope } from './tasks.ts'

/** An alias and not an interface, because MCP results are open records. */
type ToolResult = CallOutcome & { metadata: JsonObject } & JsonObject

/** A checked call. */
interface Call {
  catalog: Catalog
  tool: ToolSpec
  input: Record<string, unknown>
  context: ServerContext
}

export async function callTool(
  catalog: Catalog,
  params: { name: string; arguments?: Record<string, unknown> | undefined },
  context: ServerContext,
): Promise<ToolResult> {
  const { tools, config } = catalog.offer
  const tool = tools.get(params.name)
  // A tool that the caller may not use is one that it does not know.
  if (tool === undefined || !mayUse(tool.access, invocationOf(context)))
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool "${clipText(params.name)}"`)
  if (tool.async === 'required' && context.mcpReq.envelope !== undefined && !knowsTasks(context))
    throw new MissingRequiredClientCapabilityError(TASKS_REQUIRED)
  const checked = checkArguments(tool.input, params.arguments)
  if (!checked.ok) return { ...toolError(checked.message), metadata: { agent: catalog.agent } }
  const call: Call = { catalog, tool, input: checked.value, context }
  if (tool.async !== undefined) return await startTask(call)
  if (config.taskAfterMs !== undefined && knowsTasks(context)) return await callWithinTime(call, config.taskAfterMs)
  return await perform(call, { signal: context.mcpReq.signal, listener: clientListener(context, catalog) })
}

/** Runs the command of a tool to its end. Rejects only for a task that could not be run at all: that is no result of the tool. */
async function perform(
  { catalog, tool, input, context }: Call,
  { taskId, ...options }: { signal: AbortSignal; listener: Listener; taskId?: string },
): Promise<ToolResult> {
  const metadata = { agent: catalog.agent }
  const started = catalog.now()
  try {
    const payload = { tool: tool.name, input, metadata: callMetadata(catalog, context), ...pick({ taskId }) }
    const plan = planRun(tool, { name: tool.name, arguments: input, payload })
    if (taskId !== undefined) plan.env['PLOINKY_TASK_ID'] = taskId
    const result = await runCommand(taskId === undefined ? catalog.run : catalog.runTask, plan, options)
    catalog.log('info', 'Tool call ended', {
      tool: tool.name,
      exitCode: result.exitCode,
      timedOut: result.timedOut,
      durationMs: Math.round(catalog.now() - started),
    })
    return { ...toolOutcome(result, tool), metadata }
  } catch (error) {
    const message = runnerFailure(catalog, error, { tool: tool.name })
    if (taskId !== undefined) throw new Error(message, { cause: error })
    return { ...toolError(message), metadata }
  }
}

/** Answers with the handle of a task, in the words that the client knows. */
async function startTask(call: Call): Promise<ToolResult> {
  const { catalog, tool, context } = call
  try {
    const record = await catalog.tasks.create({
      toolName: tool.name,
      ...pick({ owner: invocationOf(context)?.sub }),
      work: (task) => perform(call, { signal: task.signal, listener: taskListener(task), taskId: task.id }),
    })
    return handle(catalog, record, knowsTasks(context))
  } catch (error) {
    const message = error instanceof BusyError ? 'The agent is busy: no more tasks can wait' : undefined
    return {
      ...toolError(message ?? runnerFailure(catalog, error, { tool: tool.name })),
      metadata: { agent: catalog.agent },
    }
  }
}

/** The log of a task is both streams; its status is the last progress. */
function taskListener(task: TaskScope): Listener {
  return {
    output: task.output,
    progress: ({ progress, total, message }) => {
      const count = total === undefined ? String(progress) : `${progress} of ${total}`
      task.status(message === undefined ? count : `${count}: ${message}`)
    },
    log: () => undefined,
    flush: () => Promise.resolve(),
  }
}

function handle(catalog: Catalog, record: TaskRecord, asTask: boolean): ToolResult {
  const { id, toolName, createdAt, updatedAt } = record
  const metadata = { agent: catalog.agent, taskId: id, toolName, status: 'pending', createdAt, updatedAt }
  const content = [{ type: 'text' as const, text: `Task '${toolName}' queued with id ${id}` }]
  // The text is for clients that show it all the same; the library wants content in every result of a tool.
  if (asTask) return { ...extensionTask(record), resultType: 'task', content, metadata: { agent: catalog.agent } }
  return { content, metadata, _meta: { 'io.ploinky/task': { taskId: id, status: 'pending' } } }
}

/**
 * An ordinary call that becomes a task when it takes longer than `afterMs`. Until then it belongs to its request, which
 * cancels it by going away; from then on only `tasks/cancel` does.
 */
async function callWithinTime(call: Call, afterMs: number): Promise<ToolResult> {
  const { catalog, tool, context } = call
  const stop = new AbortController()
  const leave = (): void => stop.abort()
  context.mcpReq.signal.addEventListener('abort', leave, { once: true })
  if (context.mcpReq.signal.aborted) leave()
  let listener = clientListener(context, catalog)
  const running = perform(call, {
    signal: stop.signal,
    listener: {
      progress: (report) => listener.progress(report),
      log: (level, data) => listener.log(level, data),
      output: (text) => listener.output?.(text),
      flush: () => listener.flush(),
    },
  })
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), afterMs)
  })
  const first = await Promise.race([running, late])
  clearTimeout(timer)
  if (first !== null) return first
  try {
    const record = await catalog.tasks.create({
      toolName: tool.name,
      isRunning: true,
      ...pick({ owner: invocationOf(context)?.sub }),
      work: (task) => {
        context.mcpReq.signal.removeEventListener('abort', leave)
        task.signal.addEventListener('abort', leave, { once: true })
        listener = taskListener(task)
        return running
      },
    })
    return handle(catalog, record, true)
  } catch (error) {
    // No place for its record: the client waits, as it would have done anyway.
    catalog.log('warn', 'Slow call could not become a task', { tool: tool.name, error: String(error) })
    return await running
  }
}
