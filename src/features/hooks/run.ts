/** Runs hooks: output is streamed to the person and kept in a log; a failure names the command and its last lines. */
import { join } from 'node:path'
import type { WorkspacePaths } from '../../config/paths.ts'
import type { Hook, HookName } from '../../config/manifest/index.ts'
import { isPloinkyError, PloinkyError } from '../../core/error.ts'
import { keepLast, saidLast } from '../../core/last-lines.ts'
import { type MaybeSecret, revealed, Secret } from '../../core/secret.ts'
import type { ExecSession, RuntimeAdapter } from '../../../runtimes/adapter.ts'
import type { Platform } from '../../platform/index.ts'
import type { Definition } from '../repos/index.ts'

/** The original's. */
const TIMEOUT_MS = 5 * 60_000
const MAX_LINE = 4000
/** Of the operator's environment; everything else may hold secrets that are nobody's business. */
const INHERITED = 'PATH HOME USER LOGNAME SHELL LANG LC_ALL LC_CTYPE TZ TMPDIR'.split(' ')

export interface HookContext {
  readonly agent: string
  readonly definition: Definition
  readonly name: HookName | 'update'
  readonly hook: Hook
  /** The agent's variables. */
  readonly env: Readonly<Record<string, MaybeSecret>>
  readonly progress: (text: string) => void
  readonly signal?: AbortSignal | undefined
  /** 5 minutes by default. */
  readonly timeoutMs?: number | undefined
}

export interface HookRunner {
  /** AGENT_FAILED with the last lines when it ends with another code than 0; TIMEOUT when it does not end. */
  host(context: HookContext, cwd: string): Promise<void>
  container(
    context: HookContext,
    at: { adapter: RuntimeAdapter; container: string; argv: readonly string[] },
  ): Promise<void>
}

type Output = Pick<ExecSession, 'stdout' | 'stderr' | 'exit'>

export function createHookRunner({ platform, paths }: { platform: Platform; paths: WorkspacePaths }): HookRunner {
  const { fs } = platform

  /** A value that the agent was given is not repeated in a log. */
  function redactor(env: HookContext['env']): (text: string) => string {
    const values = Object.values(env)
      .filter((value): value is Secret => value instanceof Secret)
      .map((value) => value.reveal())
      .filter((value) => value.length >= 4)
    return (text) => values.reduce((line, value) => line.replaceAll(value, '[redacted]'), text)
  }

  async function follow(context: HookContext, output: Output): Promise<void> {
    const last: string[] = []
    const redact = redactor(context.env)
    const file = join(paths.logs, `hooks-${context.agent}.log`)
    const take = async (stream: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const line of lines(stream)) {
        const text = redact(line)
        keepLast(last, text)
        context.progress(`${context.name}: ${text}`)
        await fs.append(file, `${JSON.stringify({ ts: new Date().toISOString(), hook: context.name, text })}\n`, {
          mode: 0o600,
        })
      }
    }
    const [code] = await Promise.all([output.exit, take(output.stdout), take(output.stderr)])
    if (code !== 0) throw failed(context, `ended with code ${code}`, last)
  }

  async function limited(context: HookContext, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const timeoutMs = context.timeoutMs ?? TIMEOUT_MS
    const deadline = AbortSignal.timeout(timeoutMs)
    const signal = context.signal === undefined ? deadline : AbortSignal.any([context.signal, deadline])
    context.progress(`${context.name}: ${context.hook.line}`)
    try {
      await run(signal)
    } catch (error) {
      if (!deadline.aborted || context.signal?.aborted) throw error
      const seconds = timeoutMs / 1000
      throw new PloinkyError('TIMEOUT', `${what(context)} did not end within ${seconds} s`, { cause: error })
    }
  }

  /** A line that is nothing but the name of one of the agent's files runs that file. */
  async function hostArgv({ definition, hook }: HookContext): Promise<readonly string[]> {
    const path = /\s/.test(hook.line.trim()) ? null : await fs.realPath(join(definition.dir, hook.line.trim()))
    const isScript = path !== null && path.startsWith(`${definition.dir}/`) && (await fs.stat(path))?.kind === 'file'
    return isScript ? [path] : ['-c', hook.line]
  }

  return {
    host: (context, cwd) =>
      limited(context, async (signal) => {
        const removed = Object.keys(platform.env).filter((name) => !INHERITED.includes(name))
        const env = {
          ...Object.fromEntries(removed.map((name) => [name, undefined])),
          ...context.env,
          PLOINKY_HOOK_TYPE: 'host',
          PLOINKY_HOOK: context.name,
          PLOINKY_AGENT_DIR: context.definition.dir,
        }
        const running = platform.processes.stream(
          { file: 'sh', args: await hostArgv(context), cwd, env },
          { signal, group: true },
        )
        await follow(context, running)
      }),
    container: (context, { adapter, container, argv }) =>
      limited(context, async (signal) => {
        const env = { PLOINKY_HOOK_TYPE: 'container', PLOINKY_HOOK: context.name }
        try {
          await follow(context, await adapter.exec(container, argv, { env, signal }))
        } catch (error) {
          if (isPloinkyError(error) && error.code === 'AGENT_FAILED') throw error
          throw signal.aborted ? error : failed(context, revealed(String(error)), [])
        }
      }),
  }
}

const what = ({ agent, name, hook }: HookContext): string => `${name} of "${agent}" (${hook.path}: ${hook.line})`

function failed(context: HookContext, how: string, last: readonly string[]): PloinkyError {
  return new PloinkyError('AGENT_FAILED', `${what(context)} ${how}${saidLast(last)}`, {
    hint: `See the whole output in .ploinky/logs/hooks-${context.agent}.log; then run: ploinky start ${context.agent}`,
    details: { agent: context.agent, hook: context.name, command: context.hook.line, lastLines: last },
  })
}

/** Lines of a stream of bytes; a very long one is cut. */
async function* lines(stream: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true })
    const parts = rest.split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) yield part.replace(/\r$/, '').slice(0, MAX_LINE)
    if (rest.length > MAX_LINE) {
      yield rest.slice(0, MAX_LINE)
      rest = ''
    }
  }
  if (rest !== '') yield rest.slice(0, MAX_LINE)
}
