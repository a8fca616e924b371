/** Router and agent are killed again and again while clients call: every request ends, and nothing is done twice. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createRandom, statusOf } from '../helpers/chaos.ts'
import { type Gateway, startGateway } from '../helpers/mcp-gateway.ts'
import { engine, platform, runtimeName, waitFor } from '../helpers/workspace.ts'

const exec = promisify(execFile)

/** Where the agent runs: in a container of the engine of this run, where there is one. */
const runtime = platform === 'deno' ? 'host' : runtimeName
/** PLOINKY_TEST_MCP_KILLS=200 for the long run. */
const KILLS = Number(process.env['PLOINKY_TEST_MCP_KILLS'] ?? (runtime === 'host' ? 10 : 4))
const SEED = Number(process.env['PLOINKY_TEST_SEED'] ?? 20_261_126)
const CLIENTS = 6
/** Far beyond what any request takes that was not forgotten. */
const HUNG_MS = 60_000
const TIMEOUT_MS = 120_000 + KILLS * 10_000

interface Call {
  readonly nonce: string
  readonly outcome: 'answered' | 'failed' | 'hung'
}

/** Calls one after the other until it is told to stop. */
async function callAll(gateway: Gateway, name: string, isOver: () => boolean, pause: () => number): Promise<Call[]> {
  const calls: Call[] = []
  while (!isOver()) {
    const nonce = `${name}-${calls.length}`
    const began = performance.now()
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: {} })
    const signal = AbortSignal.timeout(HUNG_MS)
    const isAnswered = await gateway.workspace
      .fetch(gateway.target('run', { nonce, ms: pause() }), { method: 'POST', body, signal })
      .then(async (response) => {
        const text = await response.text()
        return response.status === 200 && (JSON.parse(text) as { nonce: string }).nonce === nonce
      })
      .catch(() => false)
    const outcome = performance.now() - began >= HUNG_MS ? 'hung' : isAnswered ? 'answered' : 'failed'
    calls.push({ nonce, outcome })
    // A router that is not there refuses at once; its port is not asked without end.
    if (outcome === 'failed') await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return calls
}

async function containerOf({ workspace }: Gateway): Promise<string> {
  return (await statusOf(workspace)).agents[0]?.container ?? ''
}

const back = (gateway: Gateway) =>
  waitFor('router and agent are back', async () => gateway.state().catch(() => undefined), 60_000)

/** The victim dies while a stream is open through it; gives how the stream ended. */
async function strike(gateway: Gateway, victim: 'router' | 'agent', nonce: string): Promise<string> {
  const before = await back(gateway)
  const stream = gateway.open(gateway.text(`POST ${gateway.target('hold', { nonce })}`, [], '{}'))
  await stream.until(`"nonce":"${nonce}"`)
  if (victim === 'router') process.kill(await gateway.workspace.routerPid(), 'SIGKILL')
  else if (runtime === 'host') process.kill(before.pid, 'SIGKILL')
  else await exec(runtime, ['kill', await containerOf(gateway)])
  await stream.rest()
  // The watchdog waits longer after each kill; a person need not.
  if (victim === 'router') await gateway.workspace.json(['start', 'raw', '--runtime', runtime])
  const after = await back(gateway)
  // Agents outlive their router.
  expect([victim, after.run === before.run]).toEqual([victim, victim === 'router'])
  return stream.received
}

describe(`MCP while things die on ${engine}`, () => {
  it(`${KILLS} kills of router and agent (seed ${SEED})`, { timeout: TIMEOUT_MS }, async () => {
    await using gateway = await startGateway(runtime)
    const random = createRandom(SEED)
    const { env } = (await (await gateway.workspace.fetch(gateway.target('env'))).json()) as {
      env: Record<string, string>
    }
    let isOver = false
    const began = performance.now()
    const clients = Array.from({ length: CLIENTS }, (_, index) =>
      callAll(
        gateway,
        `c${index}`,
        () => isOver,
        () => random(120),
      ),
    )
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        const seen = await strike(gateway, kill % 2 === 0 ? 'router' : 'agent', `stream-${kill}`)
        expect(seen).not.toContain('0\r\n\r\n')
        await new Promise((resolve) => setTimeout(resolve, random(300)))
      }
    } finally {
      isOver = true
    }
    const calls = (await Promise.all(clients)).flat()
    const runs = new Map<string, number>()
    const text = await readFile(join(env['WORKSPACE_PATH'] ?? '', 'runs'), 'utf8')
    for (const nonce of text.split('\n').filter(Boolean)) runs.set(nonce, (runs.get(nonce) ?? 0) + 1)
    const of = (wanted: Call['outcome']): Call[] => calls.filter(({ outcome }) => outcome === wanted)
    const seconds = Math.round((performance.now() - began) / 1000)
    process.stdout.write(
      `${KILLS} kills in ${seconds} s: ${of('answered').length} calls answered, ${of('failed').length} failed\n`,
    )
    expect(of('hung')).toEqual([])
    expect([...runs].filter(([, times]) => times > 1)).toEqual([])
    expect(of('answered').filter(({ nonce }) => runs.get(nonce) !== 1)).toEqual([])
    // There was something to lose, and to find.
    expect(of('answered').length).toBeGreaterThan(KILLS)
    expect(of('failed').length).toBeGreaterThan(0)
  })
})
