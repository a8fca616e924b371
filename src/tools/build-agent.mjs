import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const source = join(dirname(fileURLToPath(import.meta.url)), '../agent')

/**
 * Builds the program that is mounted at /Agent in every container: server/AgentServer.mjs (one file, Node 18 or later,
 * no dependencies), server/AgentServer.sh, default_cli.sh, and client/, with which programs of agents call other agents.
 *
 * @param {string} outDir the folder that becomes /Agent
 * @returns {Promise<string[]>} the files written
 */
export async function buildAgent(outDir) {
  const files = ['server/AgentServer.mjs', 'server/AgentServer.sh', 'default_cli.sh'].map((name) => join(outDir, name))
  const [program, launcher, cli] = files
  await mkdir(join(outDir, 'server'), { recursive: true })
  await build({
    entryPoints: [join(source, 'main.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    target: 'node18',
    format: 'esm',
    legalComments: 'eof',
    logLevel: 'warning',
    // A dependency is CommonJS and asks for built-in modules with require, which ES modules do not have.
    banner: {
      js: "import { createRequire as createRequire_ } from 'node:module'; const require = createRequire_(import.meta.url);",
    },
  })
  files.push(...(await buildClient(join(outDir, 'client'))))
  await copyFile(join(source, 'AgentServer.sh'), launcher)
  await copyFile(join(source, 'default_cli.sh'), cli)
  await Promise.all(files.map((file) => chmod(file, 0o755)))
  return files
}

/** One module, and its types. @param {string} outDir @returns {Promise<string[]>} */
async function buildClient(outDir) {
  const [module, types] = ['index.mjs', 'index.d.mts'].map((name) => join(outDir, name))
  await build({
    ...{ entryPoints: [join(source, 'client/index.ts')], outfile: module, logLevel: 'warning' },
    ...{ bundle: true, platform: 'node', target: 'node18', format: 'esm', legalComments: 'none' },
  })
  const declared = await readFile(join(source, 'client/types.ts'), 'utf8')
  await writeFile(types, `${declared}\n${DECLARED}`)
  return [module, types]
}

/** What is a value in the module; the rest of its types is in `types.ts`. */
const DECLARED = `export declare class AgentClientError extends Error {
  readonly name: 'AgentClientError'
  readonly code: ErrorCode
  readonly rpcCode: number | undefined
  readonly status: number | undefined
  readonly data: unknown
}

/** Throws AgentClientError, as everything that it gives does. */
export declare function createAgentClient(options?: ClientOptions): AgentClient
`

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const file of await buildAgent(process.argv[2] ?? 'dist/Agent')) console.log(file)
}
