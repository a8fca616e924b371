/** Runs the official suite as a program of its own, and reads what it wrote. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Scenarios } from './compare.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PACKAGE = join(ROOT, 'node_modules/@modelcontextprotocol/conformance')
/** A run takes seconds; one that hangs is ended. */
const LIMIT_MS = 120_000
/** The suite needs 22; that a request can still be changed when it is announced came a little later. */
const MAJOR = 24
/** Signs the suite's requests in. */
const CREDENTIAL = new URL('credential.mjs', import.meta.url).href

export interface SuiteRun {
  readonly code: number
  readonly scenarios: Scenarios
  readonly output: string
}

export interface Endpoint {
  readonly url: string
  /** Sent as a bearer token with every request; null: none is needed. */
  readonly token: string | null
}

/** This Node, or the newer one that the test set-up has fetched for the local image. */
function findNode(): string {
  if (Number(process.versions.node.split('.')[0]) >= MAJOR) return process.execPath
  const cached = join(ROOT, '.cache/node-24/node')
  if (existsSync(cached) && execFileSync(cached, ['--version'], { encoding: 'utf8' }).startsWith('v')) return cached
  throw new Error(`The conformance suite needs Node ${MAJOR}; the set-up of "npm test" fetches one`)
}

/** Scenarios of servers that a revision requires: the list `server:` of the suite's own file. */
export async function requiredScenarios(revision: string): Promise<string[]> {
  const text = await readFile(join(PACKAGE, `requirements/${revision}.yaml`), 'utf8')
  const list = /^server:\n((?: {2}- \S+\n)+)/m.exec(text)?.[1] ?? ''
  return [...list.matchAll(/- (\S+)/g)].map(([, name]) => name ?? '')
}

/** All scenarios of a revision against one address. The verdict is the exit code: the suite's totals count what was not reached. */
export const runSuite = (endpoint: Endpoint, revision: string): Promise<SuiteRun> =>
  runWith(endpoint, ['--requirements', revision])

/** One scenario, also one of an extension, which no revision requires. */
export const runScenario = (endpoint: Endpoint, name: string, revision: string): Promise<SuiteRun> =>
  runWith(endpoint, ['--scenario', name, '--spec-version', revision, '--force'])

async function runWith({ url, token }: Endpoint, chosen: readonly string[]): Promise<SuiteRun> {
  const folder = await mkdtemp(join(tmpdir(), 'ploinky-conformance-'))
  try {
    const signIn = token === null ? [] : ['--import', CREDENTIAL]
    const args = [...signIn, join(PACKAGE, 'dist/index.js'), 'server', '--url', url, ...chosen, '-o', folder]
    const { code, output } = await run([findNode(), ...args], token)
    return { code, output, scenarios: await readChecks(folder) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function run([file = '', ...args]: string[], token: string | null): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const env = token === null ? process.env : { ...process.env, PLOINKY_TEST_TOKEN: token }
    const stdio = ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe']
    const child = spawn(file, args, { env, stdio, timeout: LIMIT_MS, killSignal: 'SIGKILL' })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 137, output }))
  })
}

/** Each scenario has a folder `server-<name>-<time>` with the list of its checks. */
async function readChecks(folder: string): Promise<Scenarios> {
  const scenarios = new Map<string, { id: string; name: string; status: string }[]>()
  for (const entry of await readdir(folder)) {
    const name = /^server-(.+)-\d{4}-\d\d-\d\dT[\dZ-]+$/.exec(entry)?.[1]
    if (name === undefined) continue
    const checks = JSON.parse(await readFile(join(folder, entry, 'checks.json'), 'utf8')) as {
      id: string
      name: string
      status: string
      errorMessage?: string
    }[]
    scenarios.set(name, checks)
  }
  return scenarios
}
