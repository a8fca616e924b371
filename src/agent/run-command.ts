import type { ServerContext } from '@modelcontextprotocol/server'
import { invocationOf } from './caller.ts'
import type { Catalog } from './catalog.ts'
import type { JsonObject } from './check.ts'
import { pick } from './fields.ts'
import { BusyError } from './gate.ts'
import { LIMITS } from './limits.ts'
import type { McpLogLevel, Progress } from './stderr.ts'
import { createProgressReporter, readStderrLine } from './stderr.ts'
import type { ToolRun, ToolRunner, ToolRunResult } from './types.ts'

/** Who hears what a command says while it runs. */
export interface Listener {
  progress: (report: Progress) => void
  log: (level: McpLogLevel, data: unknown) => void
  /** Everything that it prints, on both streams. */
  output?: (text: string) => void
  /** Resolves when everything said so far has been passed on. */
  flush: () => Promise<void>
}

/** Request headers that a tool may see: identity set by the router and tracing, never credentials or cookies. */
const SHOWN_HEADERS =
  /^(x-ploinky-(?!.*(token|secret|key|invocation|jwt)).*|x-request-id|traceparent|tracestate|user-agent)$/

/** Runs a command; what it says on standard error becomes progress and log lines for the listener. */
export async function runCommand(
  run: ToolRunner,
  plan: Omit<ToolRun, 'signal'>,
  { signal, listener }: { signal: AbortSignal; listener: Listener },
): Promise<ToolRunResult> {
  const onStderrLine = (text: string): boolean => {
    const line = readStderrLine(text)
    if (line.kind === 'progress') listener.progress(line.progress)
    else listener.output?.(`${text}\n`)
    if (line.kind === 'log') listener.log(line.level, line.data)
    return line.kind === 'progress'
  }
  const onStdout = (text: string): void => listener.output?.(text)
  const result = await run({ ...plan, signal, onStderrLine, ...(listener.output === undefined ? {} : { onStdout }) })
  await listener.flush()
  return result
}

/** The client of a call: progress, if it asked for it, and log lines. */
export function clientListener({ mcpReq }: ServerContext, catalog: Catalog): Listener {
  const token = mcpReq._meta?.progressToken
  const reporter = createProgressReporter(async (report) => {
    if (token === undefined) return
    await mcpReq.notify({ method: 'notifications/progress', params: { progressToken: token, ...report } })
  }, catalog.now)
  let logLines = 0
  return {
    progress: reporter.report,
    flush: reporter.flush,
    log: (level, data) => {
      // A client that left, or an era without logging, is no reason to fail the tool.
      if (++logLines <= LIMITS.logLinesPerCall) mcpReq.log(level, data, catalog.agent).catch(() => undefined)
    },
  }
}

/** What a command learns of its call, as `metadata` on its standard input. */
export function callMetadata(catalog: Catalog, context: ServerContext): JsonObject {
  const headers: [string, string][] = []
  context.http?.req?.headers.forEach((value, name) => {
    if (SHOWN_HEADERS.test(name)) headers.push([name, value])
  })
  return {
    agent: catalog.agent,
    requestId: context.mcpReq.id,
    ...pick({ sessionId: context.sessionId, invocation: invocationOf(context) ?? undefined }),
    requestInfo: { headers: Object.fromEntries(headers) },
  }
}

/** What a caller learns when the runner itself failed: the reason stays in the agent's log. */
export function runnerFailure(catalog: Catalog, error: unknown, fields: Record<string, unknown>): string {
  if (error instanceof BusyError) return error.message
  catalog.log('error', 'Command could not be run', {
    ...fields,
    error: error instanceof Error ? error.message : String(error),
  })
  return 'The command could not be run; see the log of the agent'
}
