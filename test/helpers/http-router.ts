/** A real router with the demo agent beside it, as processes of this machine: what HTTP tests talk to. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Answer, ask, type RawRequest } from './raw-http.ts'
import { createWorkspace, engine, isAlive, platform, type Workspace } from './workspace.ts'

/** Nothing here depends on a container engine: once for each JavaScript runtime is enough. */
export const isHere = engine === 'host' || platform === 'deno'

export interface TestRouter extends AsyncDisposable {
  readonly workspace: Workspace
  readonly port: number
  readonly token: string
  readonly pid: number
  ask(request: RawRequest): Promise<Answer>
  /** With the operator's token. */
  operator(request: RawRequest): Promise<Answer>
  log(): Promise<string>
  /** Fails unless the same process still answers. */
  isWell(): Promise<void>
}

export async function createRouter(
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<TestRouter> {
  const workspace = await createWorkspace()
  try {
    await workspace.json(['start', 'demo', '--runtime', 'host', ...args], { env })
    const [token, pid] = [await workspace.token(), await workspace.routerPid()]
    const { port } = workspace
    const router: TestRouter = {
      workspace,
      port,
      token,
      pid,
      ask: (request) => ask(port, request),
      operator: (request) =>
        ask(port, { ...request, headers: [['authorization', `Bearer ${token}`], ...(request.headers ?? [])] }),
      log: () => readFile(join(workspace.dir, '.ploinky/logs/router.log'), 'utf8'),
      async isWell() {
        expect((await ask(port)).status).toBe(200)
        expect(isAlive(pid)).toBe(true)
      },
      [Symbol.asyncDispose]: () => workspace[Symbol.asyncDispose](),
    }
    return router
  } catch (error) {
    await workspace[Symbol.asyncDispose]()
    throw error
  }
}
