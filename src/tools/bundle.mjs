// The router and the command line as ES modules: one entry, and a chunk for each thing that is loaded only when needed.
// Before them stands a front in CommonJS, which Node starts sooner, with a bundle for what only describes the program.
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, context } from 'esbuild'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '')

/** Native and optional: found in node_modules where it is installed, else done without. */
const EXTERNAL = ['@lydell/node-pty']

/**
 * Built-in modules are taken when a chunk runs, without an `import`: that would make a namespace of everything in them,
 * deprecated and seldom used parts included (`node:http` alone: 25 ms on Node 22). `require` of CommonJS dependencies is
 * answered in the same way, since ES modules do not have it.
 */
const builtins = {
  name: 'builtins',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^(?:node:)?[a-z]/ }, ({ path, kind, importer }) => {
      if (!isBuiltin(path) || !['import-statement', 'require-call'].includes(kind)) return undefined
      const namespace = kind === 'require-call' ? 'builtin-for-require' : 'builtin'
      // One for each importer: a line in its own chunk is read sooner than a chunk that is shared.
      const suffix = `?${createHash('sha256').update(relative(ROOT, importer)).digest('hex').slice(0, 8)}`
      return { path: path.replace(/^(?:node:)?/, 'node:'), namespace, suffix, sideEffects: false }
    })
    const whole = (path) => `process.getBuiltinModule(${JSON.stringify(path)})`
    esbuild.onLoad({ filter: /.*/, namespace: 'builtin-for-require' }, ({ path }) => ({
      contents: `module.exports = ${whole(path)}`,
    }))
    esbuild.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => {
      const names = Object.getOwnPropertyNames(process.getBuiltinModule(path)).filter((name) =>
        /^[a-z]\w*$/i.test(name),
      )
      // Pure, so that what nobody imports is left out and never touched.
      const lines = names
        .filter((name) => name !== 'default')
        .map((name) => `const ${name}_ = /* @__PURE__ */ part(${JSON.stringify(name)}); export { ${name}_ as ${name} }`)
      return {
        contents: `const all = /* @__PURE__ */ ${whole(path)}; const part = (name) => all[name]; export default all\n${lines.join('\n')}`,
      }
    })
  },
}

/** `@hono/node-server` asks whether a request is one of HTTP/2. Ours never are, and loading HTTP/2 takes longer than Hono. */
const noHttp2 = {
  name: 'no-http2',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^node:http2$/ }, ({ importer }) =>
      /[/\\]@hono[/\\]node-server[/\\]/.test(importer) ? { path: 'http2', namespace: 'no-http2' } : undefined,
    )
    esbuild.onLoad({ filter: /.*/, namespace: 'no-http2' }, () => ({
      contents: 'export class Http2ServerRequest {}\nexport const constants = {}',
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

/**
 * The MCP SDK uses all of zod, our schemas a tenth of the small one. Shared, every command would read what only the SDK
 * needs; so the SDK, which is loaded seldom, gets a copy.
 */
const zodForSdk = {
  name: 'zod-for-sdk',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^(?:zod|\.)/ }, async ({ path, pluginData, importer, kind, resolveDir }) => {
      const isFirst = path.startsWith('zod') && /[/\\]@modelcontextprotocol[/\\]/.test(importer)
      if (pluginData === 'asked' || (!isFirst && pluginData !== 'copy')) return undefined
      const found = await esbuild.resolve(path, { importer, kind, resolveDir, pluginData: 'asked' })
      return found.errors.length > 0 ? found : { ...found, suffix: '?sdk', pluginData: undefined }
    })
    esbuild.onLoad({ filter: /[/\\]zod[/\\].*\.js$/ }, ({ path, suffix }) =>
      suffix === '?sdk' ? { contents: readFileSync(path), loader: 'js', pluginData: 'copy' } : undefined,
    )
  },
}

/** What a command loads when it runs is nothing that its description needs. */
const neverRun = {
  name: 'never-run',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^\./ }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, namespace: 'never-run' } : undefined,
    )
    esbuild.onLoad({ filter: /.*/, namespace: 'never-run' }, () => ({ contents: '' }))
  },
}

const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node20',
  // Small to read at start; names stay, for stack traces that tell something.
  minifyWhitespace: true,
  minifySyntax: true,
  charset: 'utf8',
  // The licences are in THIRD-PARTY.txt.
  legalComments: 'none',
  external: EXTERNAL,
  // Its other form hides what it needs from bundlers.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  // `ws` would look for native helpers, which nobody installs beside a bundle.
  define: { 'process.env.WS_NO_BUFFER_UTIL': '"1"', 'process.env.WS_NO_UTF_8_VALIDATE': '"1"' },
  plugins: [noHttp2, builtins, onlyVersion, onlyEnglish, zodForSdk],
  logLevel: 'warning',
  metafile: true,
}

/** @param {string} outDir @returns {import('esbuild').BuildOptions & { metafile: true }} */
export function bundleOptions(outDir) {
  return {
    ...COMMON,
    entryPoints: { bin: join(ROOT, 'src/cli/bin.ts') },
    outdir: outDir,
    chunkNames: 'chunks/[name]-[hash]',
    splitting: true,
    format: 'esm',
  }
}

/** `help` and `--version`: what they never run is loaded from nowhere. @returns {import('esbuild').BuildOptions & { metafile: true }} */
function describeOptions(outDir) {
  return {
    ...COMMON,
    entryPoints: [join(ROOT, 'src/cli/describe.ts')],
    outfile: join(outDir, 'describe.cjs'),
    plugins: [neverRun, ...COMMON.plugins],
    format: 'cjs',
    // Read as a whole at every help; a fault in it has no stack that anybody would read.
    minifyIdentifiers: true,
  }
}

/**
 * @param {string} outDir where ploinky.cjs, describe.cjs, bin.js and chunks/ go
 * @returns {Promise<import('esbuild').Metafile>}
 * @throws when a bundled file would need `require` at run time
 */
export async function bundle(outDir) {
  const [program, described] = await Promise.all([build(bundleOptions(outDir)), build(describeOptions(outDir))])
  dropEmptyImports(program.metafile)
  copyFront(outDir)
  const metafile = {
    inputs: { ...program.metafile.inputs, ...described.metafile.inputs },
    outputs: { ...program.metafile.outputs, ...described.metafile.outputs },
  }
  for (const [file, { imports }] of Object.entries(metafile.outputs)) {
    const required = imports.find(({ kind, external }) => kind === 'require-call' && external)
    if (required !== undefined) throw new Error(`${file} needs "require" for "${required.path}"`)
  }
  return metafile
}

/** As it is: it is smaller than what a bundler would put around it. */
function copyFront(outDir) {
  copyFileSync(join(ROOT, 'src/cli/front.cjs'), join(outDir, 'ploinky.cjs'))
  for (const name of ['ploinky.cjs', 'bin.js']) chmodSync(join(outDir, name), 0o755)
}

/** Chunks that hold nothing but helpers of the bundler are imported by every other chunk, used or not; a file less to read. */
function dropEmptyImports({ outputs }) {
  const helpers = Object.entries(outputs).filter(([, { inputs }]) => Object.keys(inputs).length === 0)
  const names = new Set(helpers.map(([file]) => basename(file)))
  for (const [file, output] of Object.entries(outputs)) {
    const path = join(ROOT, file)
    const before = readFileSync(path, 'utf8')
    const dropped = new Set()
    const after = before.replace(/import"(\.[^"]+)";/g, (statement, from) => {
      if (!names.has(basename(from))) return statement
      dropped.add(basename(from))
      return ''
    })
    if (dropped.size === 0) continue
    writeFileSync(path, after)
    output.imports = output.imports.filter((each) => !dropped.has(basename(each.path)))
  }
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
