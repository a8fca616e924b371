/** The everything server as an agent: built to one file, enabled and started in a throw-away workspace. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { createWorkspace, type Workspace } from '../helpers/workspace.ts'
import type { SUBJECTS } from './matrix.mjs'
import type { Endpoint } from './suite.ts'

type Subject = (typeof SUBJECTS)[number]

const MAIN = fileURLToPath(new URL('everything/main.ts', import.meta.url))
const IMAGE = 'docker.io/library/node:24-alpine'

/** Everything that differs between the subjects. */
const MANIFESTS: Readonly<Record<Subject, object>> = {
  http: { agent: 'exec node everything.mjs', readiness: { protocol: 'http', path: '/health' } },
  stdio: { mcp: { transport: 'stdio', command: 'node everything.mjs --stdio' } },
}

/** Agents have no modules of ours: the server comes as one file with all it needs. */
async function bundle(outfile: string): Promise<void> {
  await build({
    entryPoints: [MAIN],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
    // A dependency is CommonJS and asks for built-in modules with require, which ES modules do not have.
    banner: {
      js: "import { createRequire as createRequire_ } from 'node:module'; const require = createRequire_(import.meta.url);",
    },
  })
}

export interface Everything extends AsyncDisposable {
  readonly workspace: Workspace
  /** The MCP endpoint: `direct` only where there is one. */
  endpoint(subject: Subject, way: 'direct' | 'routed'): Promise<Endpoint>
}

/** Starts one agent for each subject. */
export async function startEverything(subjects: readonly Subject[]): Promise<Everything> {
  const workspace = await createWorkspace()
  try {
    await workspace.json(['init'])
    for (const id of subjects) {
      const dir = join(workspace.dir, '.ploinky/repos/conformance', id)
      await mkdir(dir, { recursive: true })
      await bundle(join(dir, 'everything.mjs'))
      await writeFile(join(dir, 'manifest.json'), JSON.stringify({ about: id, container: IMAGE, ...MANIFESTS[id] }))
    }
    const repos = { version: 1, repos: ['builtin', 'conformance'] }
    await writeFile(join(workspace.dir, '.ploinky/enabled_repos.json'), JSON.stringify(repos))
    for (const id of subjects) await workspace.json(['enable', 'agent', `conformance/${id}`])
    await workspace.json(['start'])
  } catch (error) {
    await workspace[Symbol.asyncDispose]()
    throw error
  }
  return {
    workspace,
    async endpoint(subject, way) {
      if (way === 'routed') return { url: `${workspace.url}/mcps/${subject}/mcp`, token: await workspace.token() }
      const file = await readFile(join(workspace.dir, '.ploinky/routing.json'), 'utf8')
      const { routes } = JSON.parse(file) as { routes: Record<string, { hostPort: number }> }
      return { url: `http://127.0.0.1:${routes[subject]?.hostPort}/mcp`, token: null }
    },
    [Symbol.asyncDispose]: () => workspace[Symbol.asyncDispose](),
  }
}
