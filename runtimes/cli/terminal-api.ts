/** The engine API's calls around `exec`, with the differences between engines and versions. */
import * as z from 'zod/mini'
import { PloinkyError } from '../../src/core/error.ts'
import { until } from '../../src/core/time.ts'
import type { Duplex } from '../../src/platform/index.ts'
import type { EngineApi } from './api.ts'
import type { Engine } from './dialect.ts'
import { DETACH_KEYS } from './oci.ts'
import { readJson } from './parse.ts'
import { waitForSize } from './terminal-size.ts'

/** An exit code may come a moment after the stream has ended. */
const EXIT_CODE_MS = 10_000
/** 128 + SIGKILL: what a program ends with whose container is taken away. */
const GONE = 137

const createdSchema = z.object({ Id: z.string() })
const inspectSchema = z.object({ Running: z.boolean(), ExitCode: z.nullish(z.number()) })
const versionSchema = z.object({ ApiVersion: z.nullish(z.string()) })
const messageSchema = z.object({ message: z.string() })

export interface ExecClient {
  create(parts: { containerId: string; body: Record<string, unknown> }): Promise<string>
  start(id: string, size: { cols: number; rows: number }): Promise<Duplex>
  /** Starts it without a terminal: both outputs come in frames. */
  attach(id: string): Promise<Duplex>
  /** A program that has ended already is not an error: nobody is there to be told. */
  resize(id: string, cols: number, rows: number): Promise<void>
  exitCode(id: string): Promise<number>
  sizedArgv(argv: readonly string[]): Promise<readonly string[]>
}

/** Whether this engine sizes a terminal before its program starts; asked once per socket. */
const sized = new WeakMap<EngineApi, Promise<boolean>>()

async function asksForSize(engine: Engine, api: EngineApi): Promise<boolean> {
  const since = engine.dialect.sizedTerminalApi
  if (since === null) return false
  const answer = await api.call('GET', '/version')
  const { ApiVersion } = readJson(versionSchema, answer.body, { runtime: engine.dialect.id, command: 'GET /version' })
  const [major = 0, minor = 0] = (ApiVersion ?? '').split('.').map(Number)
  return major > since[0] || (major === since[0] && minor >= since[1])
}

/** The engine's words in an error answer. */
export function apiMessage(body: string): string {
  try {
    return messageSchema.parse(JSON.parse(body)).message.slice(0, 600)
  } catch {
    return body.trim().slice(0, 200)
  }
}

export function createExecClient(engine: Engine, api: EngineApi): ExecClient {
  const { displayName, id: runtime } = engine.dialect

  async function create({ containerId, body }: { containerId: string; body: Record<string, unknown> }) {
    const path = `/containers/${containerId}/exec`
    const answer = await api.call('POST', path, { body })
    if (answer.status === 201) return readJson(createdSchema, answer.body, { runtime, command: `POST ${path}` }).Id
    throw engine.fail({ exitCode: answer.status, stderr: apiMessage(answer.body) }, 'run a program')
  }

  function start(id: string, { cols, rows }: { cols: number; rows: number }): Promise<Duplex> {
    // podman takes the size as h and w, docker (from API 1.42) as ConsoleSize; each ignores the other's.
    const body = { Detach: false, Tty: true, DetachKeys: DETACH_KEYS, ConsoleSize: [rows, cols], h: rows, w: cols }
    return api.hijack(`/exec/${id}/start`, body)
  }

  const attach = (id: string): Promise<Duplex> => api.hijack(`/exec/${id}/start`, { Detach: false, Tty: false })

  async function resize(id: string, cols: number, rows: number): Promise<void> {
    const answer = await api.call('POST', `/exec/${id}/resize?h=${rows}&w=${cols}`).catch(() => null)
    if (answer !== null && answer.status >= 400) engine.log.debug('a terminal could not be resized', { ...answer })
  }

  /** Resolves in every case: an engine or a container that is gone took the program with it. */
  function exitCode(id: string): Promise<number> {
    const path = `/exec/${id}/json`
    const ask = async (): Promise<number | null> => {
      const answer = await api.call('GET', path)
      if (answer.status !== 200) return GONE
      const state = readJson(inspectSchema, answer.body, { runtime, command: `GET ${path}` })
      return state.Running ? null : (state.ExitCode ?? GONE)
    }
    return until(ask, { timeoutMs: EXIT_CODE_MS, what: `exit code of a terminal of ${displayName}` }).catch(() => GONE)
  }

  async function sizedArgv(argv: readonly string[]): Promise<readonly string[]> {
    if (argv.length === 0) throw new PloinkyError('USAGE_INVALID', 'No command to run', { hint: 'Name a program' })
    let known = sized.get(api)
    if (known === undefined) {
      known = asksForSize(engine, api).catch(() => false)
      sized.set(api, known)
    }
    return (await known) ? argv : waitForSize(argv)
  }

  return { create, start, attach, resize, exitCode, sizedArgv }
}
