/** The programs that every fake instance has: enough for pages, logs and health checks to have something to show. */
import { delay } from '../../src/core/time.ts'
import type { IncomingMessage, ServerResponse } from '../../src/platform/index.ts'
import type { FakeProcess, FakeProgram, FakePrograms } from './program.ts'

const HEARTBEAT_MS = 30_000

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

function answer(agent: string, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '/').split('?')[0]
  const send = (status: number, type: string, body: string): void => {
    response.writeHead(status, {
      'content-type': type,
      'content-length': String(new TextEncoder().encode(body).length),
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  }
  if (path === '/health') return send(200, 'application/json', '{"ok":true,"server":"ploinky-fake"}')
  if (path === '/') {
    const name = escapeHtml(agent)
    const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${name}</title><h1>${name}</h1><p>A fake agent: no program runs behind this page.</p></html>`
    return send(200, 'text/html; charset=utf-8', page)
  }
  const error = { code: 'ROUTE_NOT_FOUND', message: 'A fake agent has no such page', details: {} }
  return send(path === '/mcp' ? 501 : 404, 'application/json', JSON.stringify({ error }))
}

/** What runs when nothing else is registered for the command of an instance: a service that answers and logs. */
export const service: FakeProgram = async (process) => {
  const agent = process.env['PLOINKY_AGENT_NAME'] ?? process.env['AGENT_NAME'] ?? 'agent'
  process.on('SIGTERM', () => process.exit(0))
  for (const port of publishedPorts(process)) {
    process.serve(port, (request, response) => {
      void process.out(`${request.method} ${request.url}\n`).catch(() => {})
      answer(agent, request, response)
    })
  }
  await process.out(`fake agent ${agent} is up\n`)
  for (let beats = 1; ; beats++) {
    await delay(HEARTBEAT_MS, process.ended)
    await process.out(`alive for ${(beats * HEARTBEAT_MS) / 1000} s\n`)
  }
}

/** Ports of the instance as the adapter names them in the environment. */
function publishedPorts({ env }: FakeProcess): number[] {
  return Object.keys(env).flatMap((name) => {
    const port = /^PLOINKY_PORT_(\d+)$/.exec(name)?.[1]
    return port === undefined ? [] : [Number(port)]
  })
}

const copy: FakeProgram = async (process) => {
  for await (const chunk of process.stdin) await process.out(chunk)
  return 0
}

/** A conversation, not a shell: it says what was typed until `exit`. */
const conversation: FakeProgram = async (process) => {
  const decoder = new TextDecoder()
  let pending = ''
  await process.out('Fake shell: it repeats what you type; "exit" ends it\n$ ')
  for await (const chunk of process.stdin) {
    pending += decoder.decode(chunk, { stream: true })
    for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
      const line = pending.slice(0, end).trim()
      pending = pending.slice(end + 1)
      if (line === 'exit') return 0
      await process.out(`${line}\n$ `)
    }
  }
  return 0
}

export const defaultPrograms: FakePrograms = {
  cat: copy,
  echo: async (process) => {
    await process.out(`${process.argv.slice(1).join(' ')}\n`)
    return 0
  },
  env: async (process) => {
    for (const [name, value] of Object.entries(process.env)) await process.out(`${name}=${value}\n`)
    return 0
  },
  false: () => 1,
  pwd: async (process) => {
    await process.out(`${process.cwd}\n`)
    return 0
  },
  sh: (process) => {
    if (process.argv.length === 1) return conversation(process)
    // The main program of agents that bring none of their own.
    return process.argv[1]?.endsWith('/AgentServer.sh') ? service(process) : notFound(process)
  },
  sleep: async (process) => {
    await delay(Math.min(Number(process.argv[1] ?? 0) * 1000, 0x7fff_ffff), process.ended)
    return 0
  },
  true: () => 0,
}

/** A shell's answer to a command that does not exist. */
export const notFound: FakeProgram = async (process) => {
  await process.err(`fake: no such program: ${process.argv[0] ?? ''}\n`)
  return 127
}
