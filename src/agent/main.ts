import './web-crypto.ts'
import type { Server } from 'node:http'
import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { formatIssue } from './config.ts'
import { createAgentTaskStore } from './file-task-store.ts'
import { configCandidates, configStamp, loadConfig } from './find-config.ts'
import { createAgentHttp } from './http.ts'
import { createInvocationVerifier, createKeyFile } from './invocation.ts'
import { LIMITS } from './limits.ts'
import type { AgentMcpServer, AgentMcpServerOptions } from './server.ts'
import { createAgentMcpServer } from './server.ts'
import type { SpawnRunner } from './spawn-runner.ts'
import { createSpawnRunner } from './spawn-runner.ts'
import { createStaticFiles } from './static-files.ts'
import type { AgentLog } from './types.ts'
import { watchConfig } from './watch-config.ts'

/**
 * The AgentServer: the program that `AgentServer.sh` starts inside a container.
 *
 * Environment: `PORT` (7000), `PLOINKY_BIND` (0.0.0.0: the container's own network; the host runtime sets 127.0.0.1),
 * `PLOINKY_CODE_DIR` (/code), `PLOINKY_AGENT_NAME` or `AGENT_NAME`, `PLOINKY_TASKS_DIR`, `PLOINKY_MCP_TASK_LOG_TAIL_BYTES`,
 * `PLOINKY_DEBUG=1`, and the variables of `configCandidates`. `PLOINKY_INVOCATION_KEY_FILE` names the key that requests through the
 * router are signed with: where it is given, tools are called through the router and in no other way. A changed configuration counts
 * without a restart. Exits with 0 after SIGTERM or SIGINT, 3 when the configuration cannot be used, 6 when the port is taken.
 */
const EXIT_CONFIGURATION = 3
const EXIT_CONFLICT = 6
/** How long commands get to end by themselves at a stop; engines wait 10 s before they kill. */
const STOP_GRACE_MS = 1500

const log = createLog(process.env['PLOINKY_DEBUG'] === '1')

function createLog(isDebug: boolean): AgentLog {
  return (level, message, fields) => {
    if (level === 'debug' && !isDebug) return
    process.stderr.write(`${JSON.stringify({ ts: new Date().toISOString(), level, msg: message, ...fields })}\n`)
  }
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return 7000
  const port = Number(text)
  return /^\d{1,5}$/.test(text) && port <= 65535 ? port : undefined
}

function start(): void {
  const { env } = process
  const codeDir = env['PLOINKY_CODE_DIR'] || '/code'
  const port = readPort(env['PORT'])
  if (port === undefined) return quit(EXIT_CONFIGURATION, 'PORT is not a port number', { found: env['PORT'] })
  const candidates = configCandidates(env, { codeDir, cwd: process.cwd() })
  const stamp = configStamp(candidates)
  const { config, errors, path } = readConfig(candidates, codeDir)
  if (config === undefined)
    return quit(EXIT_CONFIGURATION, 'The configuration cannot be used', { file: path, errors: errors.length })
  if (path === undefined) log('warn', 'No mcp-config.json: the agent has no tools')

  const agent = env['PLOINKY_AGENT_NAME'] || env['AGENT_NAME'] || 'agent'
  const commands = createSpawnRunner({ cwd: process.cwd(), env })
  const mcp = createAgentMcpServer({
    ...{ config, run: commands.run, agent, log },
    taskStore: createAgentTaskStore({ env, cwd: process.cwd(), log }),
    taskLogTailBytes: readBytes(env['PLOINKY_MCP_TASK_LOG_TAIL_BYTES']),
    ...invocations(env, agent),
  })
  watchConfig(
    { stamp: () => configStamp(candidates), first: stamp, folder: path === undefined ? codeDir : dirname(path) },
    () => {
      const next = readConfig(candidates, codeDir)
      if (next.config === undefined || next.path === undefined) {
        log('error', 'The changed configuration cannot be used: the one before stays', { file: next.path ?? path })
        return
      }
      mcp.update(next.config)
      log('info', 'Configuration taken over', { file: next.path, tools: next.config.tools.length })
    },
  )
  const pages = join(codeDir, 'public')
  const hasPages = statSync(pages, { throwIfNoEntry: false })?.isDirectory() === true
  const server = createAgentHttp({ mcp, log, ...(hasPages ? { files: createStaticFiles(pages) } : {}) })
  const host = env['PLOINKY_BIND'] || '0.0.0.0'
  server.once('error', (error: NodeJS.ErrnoException) => {
    quit(error.code === 'EADDRINUSE' ? EXIT_CONFLICT : 1, 'Cannot listen', {
      host,
      port,
      error: error.code ?? error.message,
    })
  })
  server.listen(port, host, () => {
    const address = server.address()
    const listening = typeof address === 'object' && address !== null ? address.port : port
    log('info', 'Agent is listening', { agent, host, port: listening, tools: config.tools.length, file: path })
  })
  const stop = (): void => shutDown({ server, close: mcp.close, commands, isBusy: () => isBusy(mcp.stats()) })
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

function readConfig(candidates: readonly string[], codeDir: string): ReturnType<typeof loadConfig> {
  const found = loadConfig(candidates, codeDir)
  for (const issue of found.warnings) log('warn', formatIssue(issue), { file: found.path })
  for (const issue of found.errors) log('error', formatIssue(issue), { file: found.path })
  return found
}

/** A size from the environment; nonsense counts as nothing. */
function readBytes(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Math.min(Number(text), LIMITS.maxTaskLogTailBytes) : undefined
}

/** Commands of calls, and tasks: those have a record to write. */
const isBusy = ({ running, tasks }: ReturnType<AgentMcpServer['stats']>): boolean => running + tasks > 0

/** Who reaches this port is not known: a neighbour in the container's network may. The router's signature says who is calling. */
function invocations(env: NodeJS.ProcessEnv, agent: string): Pick<AgentMcpServerOptions, 'verifyInvocation'> {
  const file = env['PLOINKY_INVOCATION_KEY_FILE']
  if (file === undefined || file === '') return {}
  const verifier = createInvocationVerifier({ agent, key: createKeyFile(file) })
  return { verifyInvocation: async (request, body, text) => verifier.verify(request, body, text) }
}

function shutDown(parts: {
  server: Server
  close: () => Promise<void>
  commands: SpawnRunner
  isBusy: () => boolean
}): void {
  const { server, close, commands, isBusy } = parts
  const end = (): void => {
    commands.killAll()
    process.exit(0)
  }
  server.close()
  // Aborts every call, which sends SIGTERM to its process group; most commands end at once.
  close().catch((error: unknown) => log('error', 'Closing failed', { error: String(error) }))
  server.closeAllConnections()
  const deadline = Date.now() + STOP_GRACE_MS
  const check = (): void => {
    if (!isBusy() || Date.now() >= deadline) end()
    else setTimeout(check, 10)
  }
  check()
}

function quit(code: number, message: string, fields: Record<string, unknown>): void {
  log('error', message, fields)
  process.exitCode = code
}

start()
