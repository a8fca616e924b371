/** One look of a probe at an instance. */
import type { ProbeAction } from '../../config/manifest/types.ts'
import { messageOf, PloinkyError } from '../../core/error.ts'
import type { Network } from '../../platform/index.ts'
import type { ExecSession, RuntimeAdapter } from '../../../runtimes/adapter.ts'
import { type Endpoint, isAnswering } from '../agents/index.ts'

/** Programs of probes at the same time: each is a process, and two hundred agents may be due at once. */
const MAX_PROGRAMS = 8
/** Of what a program says, the end that is shown. */
const MAX_SAID = 500
const MAX_BODY = 1024 * 1024
const CODE_DIR = '/code'

export interface ProbeTarget {
  readonly adapter: RuntimeAdapter
  readonly container: string
  readonly mcpPath: string
  /** Where a container port is reached; null port: the primary one. Null: it is not published. */
  endpoint(port: number | null): Promise<Endpoint | null>
}

export interface Look {
  readonly action: ProbeAction
  readonly target: ProbeTarget
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Null: all is well; else why not, in words for a person. */
export type Check = (look: Look) => Promise<string | null>

export function createCheck(net: Network): Check {
  const program = createGate(MAX_PROGRAMS)

  async function dial({ action, target }: Look): Promise<Endpoint> {
    const port = 'port' in action ? action.port : null
    const endpoint = await target.endpoint(port)
    if (endpoint !== null && endpoint.port !== 0) return endpoint
    throw new PloinkyError(
      'AGENT_NOT_RUNNING',
      port === null ? 'no port is published' : `port ${port} is not published`,
    )
  }

  async function look(call: Look): Promise<string | null> {
    const { action, target, timeoutMs, signal } = call
    switch (action.kind) {
      case 'exec':
        return await program(() => runProgram(call, action.argv))
      case 'tcp': {
        const { host, port } = await dial(call)
        return (await net.isListening(host, port, timeoutMs))
          ? null
          : `nothing accepts connections on port ${action.port ?? port}`
      }
      case 'http': {
        const path = action.path
        const answer = await net.request({ ...(await dial(call)), method: 'GET', path, timeoutMs, signal })
        await answer.text(MAX_BODY).catch(() => '')
        return answer.status < 400 ? null : `GET ${path} answered ${answer.status}`
      }
      case 'mcp': {
        const probe = { net, protocol: 'mcp', path: '/', mcpPath: target.mcpPath, timeoutMs, signal } as const
        return (await isAnswering({ ...probe, endpoint: await dial(call) })) ? null : 'MCP does not answer'
      }
    }
  }

  return async (call) => {
    try {
      return await look(call)
    } catch (error) {
      if (call.signal.aborted) throw error
      return messageOf(error)
    }
  }
}

async function runProgram({ target, timeoutMs, signal }: Look, argv: readonly string[]): Promise<string | null> {
  const { adapter, container } = target
  const late = AbortSignal.timeout(timeoutMs)
  const ended = AbortSignal.any([late, signal])
  // In containers and sandboxes the code is at a fixed place; a plain process has it as its working folder.
  const cwd = adapter.capabilities.bindMounts ? { cwd: CODE_DIR } : {}
  let session: ExecSession | null = null
  try {
    session = await adapter.exec(container, argv, { ...cwd, signal: ended })
    const said = Promise.all([textOf(session.stdout), textOf(session.stderr)])
    said.catch(() => {})
    const exitCode = await Promise.race([session.exit, aborted(ended)])
    if (exitCode === 0) return null
    const text = (await said).join('\n').trim()
    return `${argv.join(' ')} ended with ${exitCode}${text === '' ? '' : `: ${text.slice(-MAX_SAID)}`}`
  } catch (error) {
    // A program that does not end would go on in the container, one more with every look.
    await session?.kill().catch(() => {})
    if (late.aborted && !signal.aborted) return `${argv.join(' ')} did not end within ${timeoutMs / 1000} s`
    throw error
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(new PloinkyError('INTERRUPTED', 'Interrupted'))
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of bytes) text = (text + decoder.decode(chunk, { stream: true })).slice(-MAX_SAID)
  return text
}

/** Runs at most `limit` at once; others wait for their turn. */
function createGate(limit: number) {
  let running = 0
  const waiting: (() => void)[] = []
  return async <T>(run: () => Promise<T>): Promise<T> => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve))
    else running += 1
    try {
      return await run()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
