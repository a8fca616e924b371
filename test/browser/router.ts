/** The built program with a router of its own and agents on the engine of the run: for journeys through the pages. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort, runtimeName } from '../helpers/workspace.ts'

const BIN = join(dirname(fileURLToPath(import.meta.url)), '../../dist/ploinky.cjs')
const run = promisify(execFile)

export interface RealRouter extends AsyncDisposable {
  readonly workspace: string
  readonly origin: string
  /** Gives what it prints. */
  ploinky(...args: string[]): Promise<string>
  /** Signs a browser in, once, at the dashboard. */
  loginLink(): Promise<string>
}

/** With the demo agent started. */
export async function startRealRouter(): Promise<RealRouter> {
  if (!existsSync(BIN)) throw new Error('dist/ploinky.cjs is missing; run: npm run build')
  const workspace = await mkdtemp(join(tmpdir(), 'ploinky-test-pages-'))
  const port = await freePort()
  const ploinky = async (...args: string[]): Promise<string> =>
    (await run(process.execPath, [BIN, '--workspace', workspace, ...args], { timeout: 90_000 })).stdout
  await ploinky('start', 'demo', String(port), '--runtime', runtimeName)
  return {
    workspace,
    origin: `http://127.0.0.1:${port}`,
    ploinky,
    async loginLink() {
      const link = /https?:\/\/\S+token=\S+/.exec(await ploinky('open'))?.[0]
      if (link === undefined) throw new Error('No link in the answer of "ploinky open"')
      return link
    },
    async [Symbol.asyncDispose]() {
      await ploinky('destroy', '--yes')
      await rm(workspace, { recursive: true, force: true })
    },
  }
}
