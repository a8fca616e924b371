/**
 * Bundles each page of `public/` (a folder with an `index.html`) into `<outDir>/<page>/`: index.html, main.js, main.css,
 * theme.js, icon.svg, and packed siblings (.br, .gz) that the router sends as they are. Beside the pages, the modules that
 * pages of others import (`MODULES`).
 *
 * Names of first files carry no hash: the router tags every file, so a browser asks once per file and gets "not modified", and
 * a new version is never mixed with an old one.
 */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { build, context } from 'esbuild'

const SOURCE = join(dirname(fileURLToPath(import.meta.url)), '../../public')
/** Folder -> file below the router's root; people import them by this name. */
const MODULES = { 'mcp-client': 'MCPBrowserClient' }
const PACKED = /\.(?:html|css|js|svg)$/
/** Smaller files fit in one packet anyway. */
const PACK_MIN_BYTES = 512

/**
 * @param {string} outDir e.g. `dist/public`
 * @param {{ minify?: boolean, watch?: boolean }} [options]
 * @returns {Promise<{ pages: string[], close: () => Promise<void> }>} `close` ends watching
 */
export async function buildPublic(outDir, options = {}) {
  const pages = (await readdir(SOURCE)).filter((name) => existsSync(join(SOURCE, name, 'index.html'))).sort()
  const closers = []
  for (const page of pages) {
    const target = join(outDir, page)
    await rm(target, { recursive: true, force: true })
    await mkdir(target, { recursive: true })
    await copyFile(join(SOURCE, page, 'index.html'), join(target, 'index.html'))
    await copyFile(join(SOURCE, 'shared/icon.svg'), join(target, 'icon.svg'))
    await make(target, bundleSettings(page, target, options), { ...options, closers })
  }
  await make(outDir, moduleSettings(outDir, options), { ...options, closers })
  return { pages, close: async () => void (await Promise.all(closers.map((close) => close()))) }
}

async function make(folder, settings, { watch, closers }) {
  if (watch !== true) {
    await Promise.all(settings.map((one) => build(one)))
    return await pack(folder)
  }
  for (const one of settings) {
    const watcher = await context(one)
    await watcher.rebuild()
    await watcher.watch()
    closers.push(() => watcher.dispose())
  }
}

function moduleSettings(outdir, options) {
  const entryPoints = Object.entries(MODULES).map(([folder, name]) => [name, join(SOURCE, folder, 'main.ts')])
  return [{ ...commonSettings(options), entryPoints: Object.fromEntries(entryPoints), outdir, format: 'esm' }]
}

function bundleSettings(page, target, options) {
  const entry = ['main.tsx', 'main.ts'].map((name) => join(SOURCE, page, name)).find(existsSync)
  if (entry === undefined) throw new Error(`Page "${page}" has no main.ts or main.tsx`)
  const common = commonSettings(options)
  return [
    // What a page loads later (`import()`) is a file of its own. Only those names carry a hash: a page that was open while the
    // router was updated must not get the new half of a pair; it says that it has to be loaded again.
    {
      ...common,
      ...{ entryPoints: { main: entry }, outdir: target, format: 'esm' },
      ...{ splitting: true, chunkNames: 'part-[name]-[hash]' },
    },
    { ...common, entryPoints: { theme: join(SOURCE, 'shared/theme-boot.ts') }, outdir: target, format: 'iife' },
  ]
}

function commonSettings(options) {
  return {
    bundle: true,
    minify: options.minify ?? true,
    sourcemap: options.watch === true ? 'inline' : false,
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
    define: { 'process.env.NODE_ENV': '"production"' },
  }
}

const brotli = promisify(brotliCompress)
const gzipped = promisify(gzip)

async function pack(folder) {
  for (const name of (await readdir(folder)).filter((file) => PACKED.test(file))) {
    const path = join(folder, name)
    const data = await readFile(path)
    if (data.byteLength < PACK_MIN_BYTES) continue
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: data.byteLength,
    }
    await writeFile(`${path}.br`, await brotli(data, { params }))
    await writeFile(`${path}.gz`, await gzipped(data, { level: 9 }))
  }
}
