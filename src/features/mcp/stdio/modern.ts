/** Requests of the modern era (from 2026-07-28), each on its own: what standard streams have no place for is checked here. */
import { CODES, META } from '../../../core/mcp.ts'
import type { Logger } from '../../../core/log.ts'
import type { Hashing } from '../../../platform/index.ts'
import { createAnswer } from './answer.ts'
import { envelopeProblem, headerProblem, paramProblem } from './headers.ts'
import { accept, acceptsOf, headerOf, messageLimit, refuse } from './http.ts'
import { isModern, textOf, type Id, type Message, type RpcError } from './message.ts'
import { negotiate, ownMeta, type Spoken } from './negotiate.ts'
import { learnTools, type ParamHeader } from './param-headers.ts'
import type { Programs } from './program.ts'
import type { Call } from './session.ts'
import { createShared, type Shared } from './shared.ts'
import { DUPLICATE, findSpans, type Spans } from './spans.ts'

/** Other clients wait meanwhile: one that does not read is cut off soon. */
const PATIENCE_MS = 5000
const MAX_REQUESTS = 1024
/** For which a program that speaks older revisions only is not asked again. */
const VERDICT_MS = 60_000
const LIST_MS = 10_000
const MAX_PAGES = 50
/** Younger lists are not asked for again because of one request that does not fit. */
const LIST_FRESH_MS = 2000

/** Members that are replaced, or that a header repeats: programs must not see others than we do. */
const FROM_CLIENT = {
  id: 'id',
  method: 'method',
  params: {
    name: 'name',
    uri: 'uri',
    taskId: 'taskId',
    requestId: 'request',
    arguments: 'arguments',
    _meta: { progressToken: 'token', [META.version]: 'version' },
  },
} as const

interface Service {
  readonly shared: Shared
  readonly spoken: Spoken
  readonly tools: Map<string, readonly ParamHeader[]>
  listing: Promise<void> | null
  listedAt: number
}

export interface ModernOptions {
  readonly programs: Programs
  readonly hash: Hashing
  readonly log: Logger
  readonly version: string
}

export function createModern({ programs, hash, log, version }: ModernOptions) {
  const services = new Map<string, Promise<Service>>()
  const running = new Map<string, { readonly shared: Shared; readonly idleMs: number }>()
  /** Programs that speak older revisions only. */
  const verdicts = new Map<string, { spoken: Spoken; at: number }>()

  async function start(agent: string, limit: number): Promise<Service> {
    const program = await programs.find(agent)
    const tools: Service['tools'] = new Map()
    let service: Service | null = null
    const shared = createShared({
      hash,
      log: log.child({ agent }),
      onEnd: () => {
        services.delete(agent)
        running.delete(agent)
      },
      onTools: (result) => {
        if (result !== null) learnTools(tools, result)
        else if (service !== null) service.listing = null
      },
    })
    const { onMessage, onExit: onEnd } = shared
    running.set(agent, { shared, idleMs: program.idleMs })
    let spoken: Spoken
    try {
      shared.attach(await program.start({ limit, onMessage, onEnd }))
      spoken = await negotiate(shared, agent, version)
    } catch (error) {
      shared.onExit('it could not be started')
      await shared.end()
      throw error
    }
    service = { shared, spoken, tools, listing: null, listedAt: 0 }
    if (!spoken.isModern) {
      verdicts.set(agent, { spoken, at: Date.now() })
      await shared.end()
    }
    return service
  }

  function serviceOf(agent: string, limit: number): Promise<Service> {
    const known = services.get(agent)
    if (known !== undefined) return known
    const started = start(agent, limit)
    services.set(agent, started)
    const forget = (): void => {
      if (services.get(agent) === started) services.delete(agent)
    }
    started.then(({ shared }) => shared.isOver && forget(), forget)
    return started
  }

  async function list({ shared, tools, spoken }: Service): Promise<void> {
    const _meta = ownMeta(spoken.versions.find(isModern) ?? '', version)
    let cursor: string | null = null
    for (let page = 0; page < MAX_PAGES; page++) {
      const { result }: Message = await shared.ask('tools/list', { ...(cursor === null ? {} : { cursor }), _meta })
      if (result === null) return
      learnTools(tools, result)
      cursor = textOf(result['nextCursor'])
      if (cursor === null) return
    }
  }

  /** What headers a tool's arguments are repeated in; a program that does not tell in time declares none. */
  async function learn(service: Service): Promise<void> {
    service.listing ??= list(service)
      .catch(() => {})
      .finally(() => (service.listedAt = Date.now()))
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, LIST_MS)))
    await Promise.race([service.listing, late])
    clearTimeout(timer)
  }

  async function checkParams(service: Service, { message, exchange }: Call): Promise<RpcError | null> {
    if (message.method !== 'tools/call') return null
    const name = textOf(message.params['name']) ?? ''
    const problem = (): RpcError | null => paramProblem(service.tools.get(name) ?? [], message, exchange.incoming)
    if (service.listedAt === 0 || service.listing === null) await learn(service)
    const first = problem()
    if (first === null || Date.now() - service.listedAt < LIST_FRESH_MS) return first
    // The tool may have changed since.
    service.listing = null
    await learn(service)
    return problem()
  }

  const refuseWith = ({ exchange, message }: Call, error: RpcError, status = 400): void =>
    refuse(exchange, { status, id: message.id, error })

  async function handle(call: Call): Promise<void> {
    const { exchange, message, line } = call
    if (message.kind === 'response')
      return refuseWith(call, { code: CODES.invalidRequest, message: 'Answers of clients belong to sessions' })
    const spans = findSpans(line, FROM_CLIENT)
    if (spans === DUPLICATE)
      return refuseWith(call, { code: CODES.invalidRequest, message: 'A member of the message is there twice' })
    const problem =
      (message.kind === 'request' ? envelopeProblem(message) : null) ?? headerProblem(message, exchange.incoming)
    if (problem !== null) return refuseWith(call, problem)
    const asked = textOf(message.meta[META.version]) ?? headerOf(exchange.incoming, 'mcp-protocol-version') ?? ''
    const verdict = verdicts.get(exchange.agent)
    if (verdict !== undefined && Date.now() - verdict.at < VERDICT_MS)
      return refuseWith(call, unsupported(asked, verdict.spoken.versions))
    const service = await serviceOf(exchange.agent, messageLimit(exchange))
    const { versions } = service.spoken
    if (!service.spoken.isModern || !versions.includes(asked)) return refuseWith(call, unsupported(asked, versions))
    if (message.kind === 'notification') return notify(service, call)
    const wrong = await checkParams(service, call)
    if (wrong !== null) return refuseWith(call, wrong)
    send(service, call, spans)
  }

  function notify({ shared }: Service, { exchange, message, line }: Call): void {
    const { requestId } = message.params
    if (message.method !== 'notifications/cancelled') shared.notify(line)
    else if (typeof requestId === 'string' || typeof requestId === 'number')
      shared.cancel(exchange.principal.id, requestId satisfies Id)
    accept(exchange)
  }

  function send({ shared }: Service, { exchange, message, line }: Call, spans: Spans): void {
    if (shared.load >= MAX_REQUESTS)
      return refuse(exchange, {
        status: 503,
        id: message.id,
        error: { code: CODES.server, message: `More than ${MAX_REQUESTS} requests are under way` },
        headers: { 'retry-after': '1' },
      })
    shared.call({
      message,
      line,
      spans,
      principal: exchange.principal.id,
      answer: (onGone) =>
        createAnswer({
          outgoing: exchange.outgoing,
          requestId: exchange.requestId,
          accepts: acceptsOf(exchange),
          patienceMs: PATIENCE_MS,
          onGone,
        }),
    })
  }

  return {
    handle,
    /** Null when the program of an agent takes more now, otherwise resolves when it does. */
    room: (agent: string): Promise<void> | null => running.get(agent)?.shared.room() ?? null,
    /** Ends programs that nobody used for their idle time. */
    async sweep(now: number): Promise<void> {
      const idle = [...running.values()].filter(({ shared, idleMs }) => {
        const since = shared.idleSince()
        return since !== null && now - since > idleMs
      })
      await Promise.all(idle.map(({ shared }) => shared.end()))
    },
    async close(): Promise<void> {
      await Promise.all([...running.values()].map(({ shared }) => shared.end().catch(() => {})))
    },
  }
}

/** Clients of both eras begin a session when they are told of older revisions only. */
const unsupported = (requested: string, supported: readonly string[]): RpcError => ({
  code: CODES.unsupportedVersion,
  message: `Unsupported protocol version: ${requested.slice(0, 40)}`,
  data: { supported, requested: requested.slice(0, 40) },
})
