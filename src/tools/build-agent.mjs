import { chmod, copyFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const source = join(dirname(fileURLToPath(import.meta.url)), '../agent')

/**
 * Builds the program that is mounted at /Agent in every container: server/AgentServer.mjs (one file, Node 18 or later,
 * no dependencies), server/AgentServer.sh and default_cli.sh.
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
  await copyFile(join(source, 'AgentServer.sh'), launcher)
  await copyFile(join(source, 'default_cli.sh'), cli)
  await Promise.all(files.map((file) => chmod(file, 0o755)))
  return files
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const file of await buildAgent(process.argv[2] ?? 'dist/Agent')) console.log(file)
}
