/** Runs the commands of tools through a runtime's exec: for images that cannot run the AgentServer themselves. */
import { createCappedText, createLineSplitter } from '../../agent/output.ts'
import type { ToolRun, ToolRunner, ToolRunResult } from '../../agent/types.ts'
import type { ExecSession, RuntimeAdapter } from '../../../runtimes/adapter.ts'

/** Where an agent's code is in its container. */
export const CODE_DIR = '/code'
const DEFAULT_OUTPUT_BYTES = 1024 * 1024
const MAX_LINE = 64 * 1024

export interface ExecTarget {
  readonly adapter: RuntimeAdapter
  readonly container: string
  /** Folder of the agent's code on this host. */
  readonly codeDir: string
}

/** Ending a call ends its programs inside the container, with their children. */
export function createExecRunner(target: () => Promise<ExecTarget>): ToolRunner {
  return async (run: ToolRun): Promise<ToolRunResult> => {
    const { adapter, container } = await target()
    const ended = new AbortController()
    let timedOut = false
    const timer =
      run.timeoutMs === undefined ? undefined : setTimeout(() => ((timedOut = true), ended.abort()), run.timeoutMs)
    const onAbort = (): void => ended.abort()
    run.signal.addEventListener('abort', onAbort, { once: true })
    try {
      run.signal.throwIfAborted()
      const session = await adapter.exec(container, run.argv, {
        cwd: run.cwd ?? CODE_DIR,
        env: run.env,
        stdin: run.stdin,
      })
      ended.signal.addEventListener('abort', () => void session.kill(), { once: true })
      // Also when the call was given up while the program was being started.
      if (ended.signal.aborted || run.signal.aborted) void session.kill()
      return { ...(await resultOf(session, run)), timedOut }
    } finally {
      clearTimeout(timer)
      run.signal.removeEventListener('abort', onAbort)
    }
  }
}

async function resultOf(session: ExecSession, run: ToolRun): Promise<Omit<ToolRunResult, 'timedOut'>> {
  const stdout = createCappedText(run.maxStdoutBytes ?? DEFAULT_OUTPUT_BYTES)
  const stderr = createCappedText(run.maxStderrBytes ?? DEFAULT_OUTPUT_BYTES)
  const [, , exitCode] = await Promise.all([
    readStdout(session.stdout, stdout.push, run.onStdout),
    readStderr(session.stderr, stderr.push, run.onStderrLine),
    session.exit,
  ])
  const truncated = stdout.truncated() || stderr.truncated()
  return { exitCode, stdout: stdout.text(), stderr: stderr.text(), truncated }
}

async function readStdout(
  source: AsyncIterable<Uint8Array>,
  keep: (chunk: Uint8Array) => void,
  onText: ToolRun['onStdout'],
): Promise<void> {
  const decoder = new TextDecoder()
  for await (const chunk of source) {
    keep(chunk)
    onText?.(decoder.decode(chunk, { stream: true }))
  }
}

async function readStderr(
  source: AsyncIterable<Uint8Array>,
  keep: (chunk: Uint8Array) => void,
  onLine: ToolRun['onStderrLine'],
): Promise<void> {
  const encoder = new TextEncoder()
  const lines = createLineSplitter((line) => {
    if (onLine?.(line) !== true) keep(encoder.encode(`${line}\n`))
  }, MAX_LINE)
  for await (const chunk of source) lines.push(chunk)
  lines.end()
}

/** $1: id of a task. Ends what carries it in its environment, which children inherit; twice, for one that was being started. */
const END_TASK = `
tag="PLOINKY_TASK_ID=$1"
for round in 1 2; do
  for d in /proc/[0-9]*; do
    tr '\\000' '\\n' <"$d/environ" 2>/dev/null | grep -qxF "$tag" && kill -KILL "\${d#/proc/}" 2>/dev/null
  done
done
exit 0
`

/** Ends the commands of a task whose router is gone: the container lives on, and so do they. */
export async function endTask({ adapter, container }: ExecTarget, id: string): Promise<void> {
  const session = await adapter.exec(container, ['sh', '-c', END_TASK, 'sh', id])
  const drain = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const _chunk of source);
  }
  await Promise.all([drain(session.stdout), drain(session.stderr), session.exit])
}
