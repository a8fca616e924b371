/** How each agent answers MCP: `client status`. */
import type { Client } from '@modelcontextprotocol/client'
import { asPloinkyError, type ErrorCode, ERRORS, PloinkyError } from '../../core/error.ts'
import { assertName } from '../../core/id.ts'
import type { AgentStatus } from '../agents/index.ts'
import { agentStates } from './agents.ts'
import { type ClientServices, type ConnectOptions, withClient } from './connect.ts'

export interface AgentReport {
  readonly agent: string
  readonly state: string
  readonly reachable: boolean
  readonly protocolVersion: string | null
  /** `modern`: stateless, 2026-07-28 and later; `legacy`: with a session. */
  readonly era: string | null
  readonly server: string | null
  readonly serverVersion: string | null
  readonly tools: number
  readonly resources: number
  readonly prompts: number
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string } | null
  /** Exit code that it is worth: an agent that was stopped, or serves no MCP, fails only who asked for it by name. */
  readonly exit: number
}

const UNKNOWN = {
  ...{ reachable: false, protocolVersion: null, era: null, server: null, serverVersion: null },
  ...{ tools: 0, resources: 0, prompts: 0 },
}

async function ask(
  client: Client,
  options: ConnectOptions,
): Promise<Omit<AgentReport, 'agent' | 'state' | 'error' | 'exit'>> {
  const request = { signal: options.signal, timeout: options.timeoutMs }
  const can = client.getServerCapabilities()
  const [tools, resources, prompts] = await Promise.all([
    can?.tools === undefined ? 0 : client.listTools(undefined, request).then((list) => list.tools.length),
    can?.resources === undefined ? 0 : client.listResources(undefined, request).then((list) => list.resources.length),
    can?.prompts === undefined ? 0 : client.listPrompts(undefined, request).then((list) => list.prompts.length),
  ])
  const server = client.getServerVersion()
  return {
    reachable: true,
    protocolVersion: client.getNegotiatedProtocolVersion() ?? null,
    era: client.getProtocolEra() ?? null,
    server: server?.name ?? null,
    serverVersion: server?.version ?? null,
    ...{ tools, resources, prompts },
  }
}

type Described = Omit<AgentReport, 'exit'>

async function describe(
  services: ClientServices,
  { name, state, mcpUrl }: AgentStatus,
  options: ConnectOptions,
): Promise<Described> {
  const base = { agent: name, state, ...UNKNOWN }
  if (state === 'stopped') {
    const error = { code: 'AGENT_NOT_RUNNING', message: 'not running', hint: `Run: ploinky start ${name}` } as const
    return { ...base, error }
  }
  if (mcpUrl === null && state !== 'failed' && state !== 'unready') {
    return { ...base, error: { code: 'CAPABILITY_UNSUPPORTED', message: 'serves no MCP' } as const }
  }
  try {
    const found = await withClient(services, { agent: name, ...options }, (client) => ask(client, options))
    return { ...base, ...found, error: null }
  } catch (error) {
    options.signal.throwIfAborted()
    const { code, message, hint } = asPloinkyError(error)
    return { ...base, error: { code, message, ...(hint === undefined ? {} : { hint }) } }
  }
}

function exitOf({ state, error }: Described, byName: boolean): number {
  if (error === null) return 0
  return byName || (state !== 'stopped' && error.code !== 'CAPABILITY_UNSUPPORTED') ? ERRORS[error.code].exit : 0
}

/** Every enabled agent, or the one of a name (AGENT_NOT_FOUND). */
export async function reportAll(
  services: ClientServices,
  agent: string | null,
  options: ConnectOptions,
): Promise<AgentReport[]> {
  const all = await agentStates(services)
  const wanted = agent === null ? all : all.filter(({ name }) => name === assertName('agent', agent))
  if (agent !== null && wanted.length === 0) {
    throw new PloinkyError('AGENT_NOT_FOUND', `Agent "${agent}" is not enabled`, {
      hint: 'Run: ploinky list agents',
      details: { available: all.map(({ name }) => name) },
    })
  }
  const described = await Promise.all(wanted.map((status) => describe(services, status, options)))
  return described.map((report) => ({ ...report, exit: exitOf(report, agent !== null) }))
}
