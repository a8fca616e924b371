// The router and the command line as ES modules: one entry, and a chunk for each thing that is loaded only when needed.
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, context } from 'esbuild'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '')

/** Native and optional: found in node_modules where it is installed, else done without. */
const EXTERNAL = ['@lydell/node-pty']

/**
 * CommonJS dependencies ask for built-in modules with `require`, which ES modules do not have. The usual answer is a
 * `createRequire` banner on every file; this one costs nothing at start.
 */
const builtinsForCommonJs = {
  name: 'builtins-for-commonjs',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^[a-z]/ }, ({ path, kind }) =>
      kind === 'require-call' && isBuiltin(path) ? { path, namespace: 'builtin', sideEffects: false } : undefined,
    )
    esbuild.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }))
  },
}

/** Of package.json the program needs the version; the rest would be read at every start. */
const onlyVersion = {
  name: 'only-version',
  setup(esbuild) {
    esbuild.onLoad({ filter: /[/\\]package\.json$/ }, ({ path }) => {
      if (path !== join(ROOT, 'package.json')) return undefined
      const { version } = JSON.parse(readFileSync(path, 'utf8'))
      return { contents: JSON.stringify({ version }), loader: 'json' }
    })
  },
}

/** Messages are English: the other languages of zod are a third of it. */
const onlyEnglish = {
  name: 'only-english',
  setup(esbuild) {
    esbuild.onLoad({ filter: /[/\\]zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({ contents: 'export {}' }))
  },
}

/** @param {string} outDir @returns {import('esbuild').BuildOptions & { metafile: true }} */
export function bundleOptions(outDir) {
  return {
    absWorkingDir: ROOT,
    entryPoints: { bin: join(ROOT, 'src/cli/bin.ts') },
    outdir: outDir,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Small to read at start; names stay, for stack traces that tell something.
    minifyWhitespace: true,
    minifySyntax: true,
    charset: 'utf8',
    // The licences are in THIRD-PARTY.txt.
    legalComments: 'none',
    external: EXTERNAL,
    plugins: [builtinsForCommonJs, onlyVersion, onlyEnglish],
    logLevel: 'warning',
    metafile: true,
  }
}

/**
 * @param {string} outDir where bin.js and chunks/ go
 * @returns {Promise<import('esbuild').Metafile>}
 * @throws when a bundled file would need `require` at run time
 */
export async function bundle(outDir) {
  const { metafile } = await build(bundleOptions(outDir))
  for (const [file, { imports }] of Object.entries(metafile.outputs)) {
    const required = imports.find(({ kind, external }) => kind === 'require-call' && external)
    if (required !== undefined) throw new Error(`${file} needs "require" for "${required.path}"`)
  }
  return metafile
}

/** Builds again at each change, and calls back after each build. @returns {Promise<() => Promise<void>>} ends watching */
export async function watchBundle(outDir, onBuilt) {
  const options = bundleOptions(outDir)
  const tell = {
    name: 'tell',
    setup: (esbuild) => esbuild.onEnd(({ errors }) => onBuilt(errors.length === 0)),
  }
  const watcher = await context({ ...options, minifyWhitespace: false, plugins: [...options.plugins, tell] })
  await watcher.watch()
  return () => watcher.dispose()
}

/**
 * What is read before the first line of ours runs.
 * @param {import('esbuild').Metafile} metafile
 * @param {string} [entry] an output of the bundle
 */
export function startGraph(metafile, entry = findOutput(metafile, 'bin.js')) {
  const files = new Set([entry])
  const builtins = new Set()
  for (const file of files) {
    for (const { path, kind, external } of metafile.outputs[file]?.imports ?? []) {
      if (kind !== 'import-statement') continue
      if (external) builtins.add(path)
      else files.add(path)
    }
  }
  const inputs = [...files].flatMap((file) => Object.entries(metafile.outputs[file]?.inputs ?? {}))
  return {
    files: [...files],
    bytes: [...files].reduce((sum, file) => sum + (metafile.outputs[file]?.bytes ?? 0), 0),
    builtins: [...builtins].sort((a, b) => (a < b ? -1 : 1)),
    inputs: inputs
      .map(([path, { bytesInOutput }]) => ({ path, bytes: bytesInOutput }))
      .sort((a, b) => b.bytes - a.bytes),
  }
}

function findOutput(metafile, name) {
  const found = Object.keys(metafile.outputs).find((file) => file === name || file.endsWith(`/${name}`))
  if (found === undefined) throw new Error(`The bundle has no ${name}`)
  return found
}
