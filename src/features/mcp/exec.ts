/** MCP for agents whose image has no Node: the AgentServer runs here, its tools run through the runtime's exec. */
import { join } from 'node:path'
import { PloinkyError } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import type { ExecSession, RuntimeAdapter } from '../../../runtimes/adapter.ts'
import type { FileSystem } from '../../platform/index.ts'
import type { AgentMcpServer } from '../../agent/server.ts'
import type { ToolRun, ToolRunner, ToolRunResult } from '../../agent/types.ts'

const CODE_DIR = '/code'
const MAX_CONFIG_BYTES = 1024 * 1024
const DEFAULT_OUTPUT_BYTES = 1024 * 1024

export interface ExecTarget {
  readonly adapter: RuntimeAdapter
  readonly container: string
  /** Folder of the agent's code on this host. */
  readonly codeDir: string
}

export interface ExecMcpOptions {
  fs: FileSystem
  log: Logger
  version: string
  /** Where an agent runs now; throws AGENT_NOT_RUNNING. */
  target(agent: string): Promise<ExecTarget>
}

interface Entry {
  readonly server: AgentMcpServer
  /** Size and time of the configuration that it was made from. */
  readonly stamp: string
}

/** Reads a stream to its end, keeping the first `limit` bytes; lines go to `onLine` as they come. */
async function collect(
  source: AsyncIterable<Uint8Array>,
  limit: number,
  onLine?: (line: string) => boolean | void,
): Promise<{ text: string; truncated: boolean }> {
  const decoder = new TextDecoder()
  let text = ''
  let rest = ''
  let size = 0
  const take = (part: string): void => {
    if (size < limit) text += part.slice(0, limit - size)
    size += part.length
  }
  const lines = (chunk: string): void => {
    const parts = (rest + chunk).split('\n')
    rest = (parts.pop() ?? '').slice(0, limit)
    for (const line of parts) if (onLine?.(line) !== true) take(`${line}\n`)
  }
  for await (const chunk of source) {
    const part = decoder.decode(chunk, { stream: true })
    if (onLine === undefined) take(part)
    else lines(part)
  }
  if (onLine !== undefined && rest !== '' && onLine(rest) !== true) take(rest)
  return { text, truncated: size > limit }
}

/** The ToolRunner that goes through a runtime's exec. Ending a call ends its programs inside the container. */
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
      if (ended.signal.aborted) void session.kill()
      return { ...(await resultOf(session, run)), timedOut }
    } finally {
      clearTimeout(timer)
      run.signal.removeEventListener('abort', onAbort)
    }
  }
}

async function resultOf(session: ExecSession, run: ToolRun): Promise<Omit<ToolRunResult, 'timedOut'>> {
  const [stdout, stderr, exitCode] = await Promise.all([
    collect(session.stdout, run.maxStdoutBytes ?? DEFAULT_OUTPUT_BYTES),
    collect(session.stderr, run.maxStderrBytes ?? DEFAULT_OUTPUT_BYTES, run.onStderrLine ?? (() => false)),
    session.exit,
  ])
  return { exitCode, stdout: stdout.text, stderr: stderr.text, truncated: stdout.truncated || stderr.truncated }
}

export function createExecMcp(options: ExecMcpOptions) {
  const entries = new Map<string, Promise<Entry>>()

  async function stampOf(target: ExecTarget): Promise<string> {
    const info = await options.fs.stat(join(target.codeDir, 'mcp-config.json'))
    return info === null ? `none:${target.container}` : `${info.mtimeMs}:${info.size}:${target.container}`
  }

  async function make(agent: string, target: ExecTarget, stamp: string): Promise<Entry> {
    // Loaded when the first such agent is called: the SDK is large and most routers never need it.
    const [{ createAgentMcpServer }, { formatIssue, parseAgentConfig }] = await Promise.all([
      import('../../agent/server.ts'),
      import('../../agent/config.ts'),
    ])
    const text =
      (await options.fs.readText(join(target.codeDir, 'mcp-config.json'), { maxBytes: MAX_CONFIG_BYTES })) ?? '{}'
    const parsed = parseAgentConfig(text, { codeDir: CODE_DIR })
    if (parsed.config === undefined) {
      const problems = parsed.errors.map(formatIssue)
      throw new PloinkyError(
        'CONFIG_INVALID',
        `Agent "${agent}" has an invalid mcp-config.json: ${problems[0] ?? ''}`,
        {
          hint: `Correct ${join(target.codeDir, 'mcp-config.json')}`,
          details: { problems },
        },
      )
    }
    const log = options.log.child({ agent })
    const run = createExecRunner(() => options.target(agent))
    const server = createAgentMcpServer({
      config: parsed.config,
      run,
      agent,
      version: options.version,
      log: (level, message, fields) => log[level](message, fields),
    })
    return { server, stamp }
  }

  /** The server of an agent; made again when its configuration or its container changed. */
  async function entryOf(agent: string): Promise<Entry> {
    const target = await options.target(agent)
    const stamp = await stampOf(target)
    const current = await entries.get(agent)?.catch(() => null)
    if (current && current.stamp === stamp) return current
    const made = make(agent, target, stamp)
    entries.set(agent, made)
    void current?.server.close()
    return await made
  }

  return {
    handle: async (agent: string, request: Request): Promise<Response> => (await entryOf(agent)).server.fetch(request),
    async close(): Promise<void> {
      for (const entry of entries.values()) await entry.then(({ server }) => server.close()).catch(() => {})
    },
  }
}
