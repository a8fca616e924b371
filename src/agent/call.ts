import { checkOutput } from './arguments.ts'
import type { CommandSpec } from './config-entry.ts'
import type { ToolSpec } from './config.ts'
import { argumentVariable } from './config.ts'
import { isObject } from './check.ts'
import { LIMITS } from './limits.ts'
import { withoutProgress } from './stderr.ts'
import type { ToolRun, ToolRunResult } from './types.ts'

/** The command of a call: everything but the callbacks. */
interface CallInput {
  name: string
  arguments: Record<string, unknown>
  /** Written to standard input as one JSON line. */
  payload: Record<string, unknown>
}

/** Builds the run of a tool or resource. Throws when an argument cannot travel as a variable at all. */
export function planRun(spec: CommandSpec, input: CallInput): Omit<ToolRun, 'signal'> {
  const run: Omit<ToolRun, 'signal'> = {
    argv: spec.argv,
    env: { TOOL_NAME: input.name, ...spec.env, ...argumentEnv(input.arguments), ...depthEnv(input.payload) },
    stdin: `${JSON.stringify(input.payload)}\n`,
    timeoutMs: spec.timeoutMs,
    maxStdoutBytes: LIMITS.stdoutBytes,
    maxStderrBytes: LIMITS.stderrBytes,
  }
  return spec.cwd === undefined ? run : { ...run, cwd: spec.cwd }
}

/** How many agents stand before the command: it says so when it calls another one, so that a loop ends. */
function depthEnv({ metadata }: Record<string, unknown>): Record<string, string> {
  const invocation = isObject(metadata) ? metadata['invocation'] : undefined
  const depth = isObject(invocation) ? invocation['depth'] : undefined
  return typeof depth === 'number' ? { PLOINKY_DEPTH: String(depth) } : {}
}

/** Arguments as variables. What is too large, or holds a zero byte, is left to standard input. */
function argumentEnv(values: Record<string, unknown>): Record<string, string> {
  const env = new Map<string, string>()
  const encoder = new TextEncoder()
  let total = 0
  for (const [name, value] of Object.entries(values)) {
    const variable = argumentVariable(name)
    if (value === undefined || value === null || env.has(variable)) continue
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
    const size = encoder.encode(text).length
    if (size > LIMITS.argumentEnvBytes || total + size > LIMITS.argumentEnvTotalBytes || text.includes('\0')) continue
    total += size
    env.set(variable, text)
  }
  return Object.fromEntries(env)
}

/** A text block of a tool result. */
export type TextBlock = { type: 'text'; text: string }

/** An alias and not an interface, because MCP results are open records. */
export type CallOutcome = { content: TextBlock[]; structuredContent?: Record<string, unknown>; isError?: true }

/**
 * The result of a tool. A failing command is a result with `isError`, not a JSON-RPC error: since revision 2025-11-25
 * MCP wants errors of the tool itself where a model can read and correct them, and a gateway must be able to tell them
 * from a broken server.
 */
export function toolOutcome(result: ToolRunResult, tool: Pick<ToolSpec, 'timeoutMs' | 'output'>): CallOutcome {
  const failure = failureText(result, tool.timeoutMs)
  if (failure !== undefined) return toolError(failure)
  const structured = structuredOutput(result, tool.output)
  if (typeof structured === 'string') return toolError(structured)
  const stdout = result.stdout.trim() === '' ? '(no output)' : result.stdout
  const content: TextBlock[] = [{ type: 'text', text: stdout }]
  const stderr = withoutProgress(result.stderr).trimEnd()
  if (stderr !== '') content.push({ type: 'text', text: `stderr:\n${stderr}` })
  if (result.truncated) content.push({ type: 'text', text: truncationNote() })
  return structured === undefined ? { content } : { content, structuredContent: structured }
}

/** A result that tells a model what went wrong. */
export function toolError(message: string): CallOutcome {
  return { content: [{ type: 'text', text: clipText(message) }], isError: true }
}

/**
 * Standard output as an object, when the tool says that it is one; a sentence when it is none although a schema was
 * promised to clients. Without a schema, text that is no object is just text.
 */
function structuredOutput(
  { stdout, truncated }: ToolRunResult,
  output: ToolSpec['output'],
): Record<string, unknown> | string | undefined {
  if (output === undefined) return undefined
  const value = parseJson(stdout)
  if (output === 'any') return isObject(value) ? value : undefined
  if (value === undefined) {
    const cut = truncated ? `: it was cut after ${LIMITS.stdoutBytes} bytes` : ''
    return `The output does not match "outputSchema": it is not JSON${cut}`
  }
  const checked = checkOutput(output, value)
  return checked.ok ? checked.value : checked.message
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Why a command failed, in at most `LIMITS.errorChars` characters; `undefined` when it did not. */
export function failureText(result: ToolRunResult, timeoutMs: number | undefined): string | undefined {
  if (result.timedOut) return `The command was stopped after ${timeoutMs ?? 0} ms (its time limit)`
  if (result.exitCode === 0) return undefined
  const stderr = withoutProgress(result.stderr).trim()
  const text = declaredError(result.stdout) ?? (stderr === '' ? `command exited with code ${result.exitCode}` : stderr)
  return clipText(text)
}

/** Tools may explain a failure with `{"ok":false,"error":"code","message":"text"}` as the last thing on standard output. */
function declaredError(stdout: string): string | undefined {
  const text = stdout.trim()
  for (const candidate of [text, text.slice(text.lastIndexOf('\n') + 1)]) {
    if (!candidate.startsWith('{')) continue
    try {
      const value: unknown = JSON.parse(candidate)
      if (!isObject(value) || value['ok'] !== false) continue
      const parts = [value['error'], value['message']].filter((part) => typeof part === 'string' && part !== '')
      if (parts.length > 0) return parts.join(': ')
    } catch {
      // Ordinary output that happens to start with a brace.
    }
  }
  return undefined
}

/** Cuts at a whole character and says so. */
export function clipText(text: string): string {
  if (text.length <= LIMITS.errorChars) return text
  const cut = text.slice(0, LIMITS.errorChars - 3)
  const half = cut.charCodeAt(cut.length - 1)
  return `${half >= 0xd800 && half <= 0xdbff ? cut.slice(0, -1) : cut}...`
}

function truncationNote(): string {
  return `(output cut: at most ${LIMITS.stdoutBytes} bytes of standard output and ${LIMITS.stderrBytes} of standard error are kept)`
}
