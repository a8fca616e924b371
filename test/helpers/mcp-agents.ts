/** Agents that speak MCP without a library, and official clients at an endpoint. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { Workspace } from './workspace.ts'

const FIXTURE = fileURLToPath(new URL('../fixtures/mcp-agent.mjs', import.meta.url))

export type AgentEra = 'both' | 'legacy' | 'modern'

/** More of a manifest, by agent. */
export type More = Readonly<Record<string, object>>

/** Definitions in a repository `wire`, enabled in it. */
export async function defineMcpAgents(
  workspace: Workspace,
  agents: Readonly<Record<string, AgentEra>>,
  more: More = {},
): Promise<void> {
  for (const [name, era] of Object.entries(agents)) {
    const dir = join(workspace.dir, '.ploinky/repos/wire', name)
    await mkdir(dir, { recursive: true })
    await copyFile(FIXTURE, join(dir, 'server.mjs'))
    const manifest = {
      about: name,
      container: 'docker.io/library/node:24-alpine',
      agent: 'exec node server.mjs',
      env: { NAME: name, ERA: era },
      readiness: { protocol: 'http' },
      ...more[name],
    }
    await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest))
  }
  const repos = { version: 1, repos: ['builtin', 'wire'] }
  await writeFile(join(workspace.dir, '.ploinky/enabled_repos.json'), JSON.stringify(repos))
  for (const name of Object.keys(agents)) await workspace.json(['enable', 'agent', `wire/${name}`])
}

export interface ConnectOptions {
  readonly era: 'modern' | 'legacy'
  /** Answers to elicitations; absent: the client has no such capability. */
  readonly elicit?: (message: string) => string | Promise<string>
}

export async function connect(workspace: Workspace, path: string, options: ConnectOptions): Promise<Client> {
  const { era, elicit } = options
  const client = new Client(
    { name: 'test', version: '1' },
    {
      capabilities: elicit === undefined ? {} : { elicitation: { form: {} } },
      ...(era === 'modern' ? { versionNegotiation: { mode: 'auto' as const } } : {}),
    },
  )
  if (elicit !== undefined)
    client.setRequestHandler('elicitation/create', async ({ params }) => ({
      action: 'accept' as const,
      content: { answer: await elicit(params.message) },
    }))
  const headers = { authorization: `Bearer ${await workspace.token()}` }
  await client.connect(new StreamableHTTPClientTransport(new URL(path, workspace.url), { requestInit: { headers } }))
  return client
}

/** Text of the first block of a result. */
export const textOf = (result: unknown): string => (result as { content: { text: string }[] }).content[0]?.text ?? ''

/** What an agent of this fixture has seen. */
export async function report(client: Client, tool: string) {
  const result = await client.callTool({ name: tool, arguments: {} })
  return JSON.parse(textOf(result)) as {
    ended: number
    sessions: number
    open: number
    listeners: number
    lists: number
    cancelled: unknown[]
    answers: { result?: { content?: { answer?: string } } }[]
  }
}
