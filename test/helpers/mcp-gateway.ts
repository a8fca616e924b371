/** A real router and, behind it, an agent that shows every byte that reached it: test/fixtures/raw-mcp.mjs. */
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createWorkspace, waitFor, type Workspace } from './workspace.ts'

const PROGRAM = fileURLToPath(new URL('../fixtures/raw-mcp.mjs', import.meta.url))

export interface State {
  /** Streams that are open at the agent, by their nonce, and those that were and are closed. */
  readonly held: readonly string[]
  readonly gone: readonly string[]
  readonly pid: number
  /** Another one for each start. */
  readonly run: string
}

export interface Gateway extends AsyncDisposable {
  readonly workspace: Workspace
  readonly token: string
  /** Address of a deed of the agent; `query` has more of its words. */
  target(deed: string, query?: Record<string, string | number>): string
  /** A request as it goes out: its lines as they are, then the credential and what frames the body. */
  text(line: string, headers: readonly string[], body?: string): string
  /** Sends bytes on a connection of their own. */
  open(bytes: string): Talk
  /** What the agent itself tells. */
  state(): Promise<State>
}

/** One client's connection: everything that has come, and how it ended. */
export class Talk {
  readonly socket: Socket
  received = ''
  ended: '' | 'fin' | 'reset' = ''

  constructor(port: number, bytes: string) {
    this.socket = connect({ host: '127.0.0.1', port })
    this.socket.setEncoding('latin1').on('data', (text: string) => (this.received += text))
    this.socket.on('end', () => (this.ended ||= 'fin')).on('error', () => (this.ended = 'reset'))
    this.socket.on('close', () => (this.ended ||= 'reset'))
    this.socket.write(bytes, 'latin1')
  }

  /** Waits for some text. */
  until(text: string, timeoutMs?: number): Promise<string> {
    return this.wait(JSON.stringify(text), timeoutMs, () => {
      if (this.received.includes(text)) return this.received
      if (this.ended !== '') throw new Error(`ended (${this.ended}) before ${text}: ${this.received}`)
      return undefined
    })
  }

  /** Everything up to the end of the connection. */
  rest(timeoutMs?: number): Promise<string> {
    return this.wait('the end', timeoutMs, () => (this.ended === '' ? undefined : this.received))
  }

  private async wait(what: string, timeoutMs: number | undefined, check: () => string | undefined): Promise<string> {
    try {
      return await waitFor(what, check, timeoutMs)
    } catch (error) {
      throw new Error(`${String(error)}; received ${JSON.stringify(this.received.slice(-500))}`, { cause: error })
    }
  }
}

/** The agent is restarted soon when it is killed; as a process of this machine unless something else is asked for. */
export async function startGateway(runtime = 'host'): Promise<Gateway> {
  const workspace = await createWorkspace()
  try {
    await workspace.json(['init'])
    const dir = join(workspace.dir, '.ploinky/repos/mine/raw')
    await mkdir(dir, { recursive: true })
    await cp(PROGRAM, join(dir, 'raw-mcp.mjs'))
    const manifest = {
      ...{ about: 'raw', container: 'docker.io/library/node:24-alpine', agent: 'exec node raw-mcp.mjs' },
      readiness: { protocol: 'http', path: '/health' },
      restart: { backoffSeconds: 0.1, maxBackoffSeconds: 0.1 },
    }
    await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest))
    const repos = { version: 1, repos: ['builtin', 'mine'] }
    await writeFile(join(workspace.dir, '.ploinky/enabled_repos.json'), JSON.stringify(repos))
    await workspace.json(['start', 'mine/raw', '--runtime', runtime])
  } catch (error) {
    await workspace[Symbol.asyncDispose]()
    throw error
  }
  const token = await workspace.token()
  const host = `127.0.0.1:${workspace.port}`
  const target = (deed: string, query: Record<string, string | number> = {}): string =>
    `/mcps/raw/mcp?${new URLSearchParams({ do: deed, ...Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)])) })}`
  return {
    workspace,
    token,
    target,
    text(line, headers, body) {
      const framing = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`]
      const lines = [`${line} HTTP/1.1`, `Host: ${host}`, ...headers, `Authorization: Bearer ${token}`, ...framing]
      return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
    },
    open: (bytes) => new Talk(workspace.port, bytes),
    async state() {
      const response = await workspace.fetch(target('state'))
      if (!response.ok) throw new Error(`The agent does not answer: ${response.status} ${await response.text()}`)
      return (await response.json()) as State
    },
    [Symbol.asyncDispose]: () => workspace[Symbol.asyncDispose](),
  }
}
