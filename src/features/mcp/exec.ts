/** MCP for agents whose image has no Node: the AgentServer runs here, its tools run through the runtime's exec. */
import { join } from 'node:path'
import type { Invocation } from '../../agent/caller.ts'
import type { ParsedConfig } from '../../agent/config.ts'
import type { AgentMcpServer } from '../../agent/server.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import type { FileSystem } from '../../platform/index.ts'
import { CODE_DIR, createExecRunner, endTask, type ExecTarget } from './exec-runner.ts'
import { createTaskFiles } from './task-files.ts'

const MAX_CONFIG_BYTES = 1024 * 1024
/** A folder may be watched in vain (network disks), so the file is looked at too (ms). */
const POLL_MS = 2000

export interface ExecMcpOptions {
  fs: FileSystem
  log: Logger
  version: string
  /** Where an agent runs now; throws AGENT_NOT_RUNNING. */
  target(agent: string): Promise<ExecTarget>
  /** Folder for the records of an agent's tasks. */
  tasksDir(agent: string): string
}

interface Entry {
  readonly agent: string
  readonly server: AgentMcpServer
  codeDir: string
  /** Path, size and time of the configuration that was read last. */
  stamp: string
  stopWatching: () => void
  /** The change that is being taken over. */
  taking: Promise<void>
}

export function createExecMcp(options: ExecMcpOptions) {
  const entries = new Map<string, Promise<Entry>>()
  let poll: ReturnType<typeof setInterval> | undefined
  /** Who sent a request; known here, so that nothing has to be signed and checked. */
  const invocations = new WeakMap<Request, Invocation>()

  async function stampOf(codeDir: string): Promise<string> {
    const file = join(codeDir, 'mcp-config.json')
    const info = await options.fs.stat(file)
    return info === null ? `${file}:none` : `${file}:${info.mtimeMs}:${info.size}`
  }

  async function read(codeDir: string): Promise<ParsedConfig> {
    // Loaded when the first such agent is called: the SDK is large and most routers never need it.
    const { parseAgentConfig } = await import('../../agent/config.ts')
    const text = (await options.fs.readText(join(codeDir, 'mcp-config.json'), { maxBytes: MAX_CONFIG_BYTES })) ?? '{}'
    // The names that may be files are known after a first reading; the second one knows which are.
    const asked = new Set<string>()
    parseAgentConfig(text, { codeDir: CODE_DIR, hasFile: (name) => (asked.add(name), false) })
    const files = new Set<string>()
    for (const name of asked) {
      if ((await options.fs.stat(join(codeDir, name)))?.kind === 'file') files.add(name)
    }
    return parseAgentConfig(text, { codeDir: CODE_DIR, hasFile: (name) => files.has(name) })
  }

  async function problemsOf({ errors }: ParsedConfig): Promise<string[]> {
    const { formatIssue } = await import('../../agent/config.ts')
    return errors.map(formatIssue)
  }

  async function make(agent: string, { codeDir }: ExecTarget): Promise<Entry> {
    const stamp = await stampOf(codeDir)
    const [{ createAgentMcpServer }, parsed] = await Promise.all([import('../../agent/server.ts'), read(codeDir)])
    if (parsed.config === undefined) {
      const problems = await problemsOf(parsed)
      throw new PloinkyError(
        'CONFIG_INVALID',
        `Agent "${agent}" has an invalid mcp-config.json: ${problems[0] ?? ''}`,
        {
          hint: `Correct ${join(codeDir, 'mcp-config.json')}`,
          details: { problems },
        },
      )
    }
    const log = options.log.child({ agent })
    const server = createAgentMcpServer({
      config: parsed.config,
      run: createExecRunner(() => options.target(agent)),
      agent,
      version: options.version,
      log: (level, message, fields) => log[level](message, fields),
      taskStore: createTaskFiles(options.fs, options.tasksDir(agent)),
      endLostTask: async (id) => endTask(await options.target(agent), id),
      verifyInvocation: async (request) => invocations.get(request) ?? null,
    })
    const entry: Entry = { agent, server, codeDir, stamp, stopWatching: () => {}, taking: Promise.resolve() }
    entry.stopWatching = follow(entry)
    return entry
  }

  /** Whoever has a stream open is told of changes without asking for anything. */
  function follow(entry: Entry): () => void {
    poll ??= setInterval(() => {
      for (const each of entries.values()) each.then(refreshQuietly).catch(() => {})
    }, POLL_MS)
    try {
      return options.fs.watch(entry.codeDir, (name) => {
        if (name === null || name === 'mcp-config.json') void refreshQuietly(entry)
      })
    } catch (error) {
      options.log.debug('folder of an agent is not watched', { agent: entry.agent, error })
      return () => {}
    }
  }

  const refreshQuietly = (entry: Entry): Promise<void> =>
    refresh(entry).catch((error: unknown) =>
      options.log.warn('configuration of an agent was not read', { agent: entry.agent, error }),
    )

  /** Takes a changed configuration over; who comes while that is under way waits for it. */
  async function refresh(entry: Entry): Promise<void> {
    const stamp = await stampOf(entry.codeDir)
    if (stamp !== entry.stamp) {
      entry.stamp = stamp
      if (!stamp.endsWith(':none')) {
        entry.taking = entry.taking
          .then(() => take(entry, stamp))
          .catch((error: unknown) =>
            options.log.warn('configuration of an agent was not read', { agent: entry.agent, error }),
          )
      }
    }
    await entry.taking
  }

  /** One that is wrong changes nothing and is reported once. */
  async function take(entry: Entry, stamp: string): Promise<void> {
    const parsed = await read(entry.codeDir)
    // Somebody who looked later reads it again.
    if (entry.stamp !== stamp) return
    if (parsed.config !== undefined) return entry.server.update(parsed.config)
    options.log.error('the changed mcp-config.json cannot be used: the one before stays', {
      agent: entry.agent,
      problems: await problemsOf(parsed),
    })
  }

  /** The server of an agent. It outlives its container and changes of its configuration, and so do its sessions. */
  async function entryOf(agent: string): Promise<Entry> {
    const target = await options.target(agent)
    const known = await entries.get(agent)?.catch(() => null)
    if (!known) {
      const making = entries.get(agent) ?? make(agent, target)
      entries.set(agent, making)
      making.catch(() => {
        if (entries.get(agent) === making) entries.delete(agent)
      })
      return await making
    }
    if (known.codeDir !== target.codeDir) {
      known.stopWatching()
      known.codeDir = target.codeDir
      known.stopWatching = follow(known)
    }
    await refresh(known)
    return known
  }

  return {
    /** Serves `/mcps/<agent>/mcp` and, for everything else below it, the agent's tasks. */
    async handle(agent: string, request: Request, invocation: Invocation): Promise<Response> {
      invocations.set(request, invocation)
      const { server } = await entryOf(agent)
      return await (new URL(request.url).pathname.endsWith('/mcp') ? server.fetch(request) : server.fetchTask(request))
    },
    async close(): Promise<void> {
      clearInterval(poll)
      for (const entry of entries.values()) {
        await entry
          .then(async ({ server, stopWatching }) => {
            stopWatching()
            await server.close()
          })
          .catch(() => {})
      }
    },
  }
}
