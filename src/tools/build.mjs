#!/usr/bin/env node
// `npm run build`: everything that the package ships, in dist/.
//   node src/tools/build.mjs [--fresh]     --fresh leaves nothing of an earlier build, as for a release
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { buildAgent } from './build-agent.mjs'
import { buildPublic } from './build-public.mjs'
import { bundle, ROOT, startGraph } from './bundle.mjs'
import { thirdParty } from './licences.mjs'
import { filesBelow, publish } from './publish.mjs'
import { builtStamp, sourceStamp } from './stamp.mjs'

/**
 * @param {{ outDir?: string, fresh?: boolean, say?: (line: string) => void }} [options]
 * @returns {Promise<{ metafile: import('esbuild').Metafile }>} of the router and the command line
 */
export async function buildAll(options = {}) {
  const { outDir = join(ROOT, 'dist'), fresh = false, say = console.log } = options
  // Taken first: a source that changes during the build makes the result stale, not fresh.
  const stamp = sourceStamp(ROOT)
  const work = join(ROOT, `.cache/build-${process.pid}`)
  removeAbandoned(join(ROOT, '.cache'))
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  try {
    const metafile = await buildParts(work)
    copyRepositories(join(work, 'repositories'))
    await writeSchema(work)
    const licences = await thirdParty([metafile], otherEntries())
    writeFileSync(join(work, 'THIRD-PARTY.txt'), licences.text)
    const chunks = filesBelow(work).filter((file) => file.startsWith('chunks/'))
    writeFileSync(join(work, 'build.json'), `${JSON.stringify({ stamp, chunks })}\n`)
    report(work, { metafile, licences }, say)
    const before = fresh || outDir !== join(ROOT, 'dist') ? null : builtStamp(ROOT)
    publish(work, outDir, { keep: new Set(before?.chunks ?? []) })
    return { metafile }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Work folders of builds that were killed. */
function removeAbandoned(folder) {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) {
    const pid = Number(/^build-(\d+)$/.exec(name)?.[1])
    if (pid > 0 && !isRunning(pid)) rmSync(join(folder, name), { recursive: true, force: true })
  }
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process is a process too.
    return error.code === 'EPERM'
  }
}

/** All end before a failure is told: none may write into a folder that is being removed. */
async function buildParts(folder) {
  const parts = [bundle(folder), buildAgent(join(folder, 'Agent')), buildPublic(join(folder, 'public'))]
  const [router, ...others] = await Promise.allSettled(parts)
  for (const { status, reason } of [router, ...others]) if (status === 'rejected') throw reason
  return router.value
}

/** The manifest's JSON Schema, for editors: made by the code that checks. */
async function writeSchema(folder) {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, 'src/config/manifest/json-schema.ts')],
    ...{ bundle: true, write: false, format: 'esm', platform: 'node', logLevel: 'warning' },
  })
  const program = join(folder, 'schema.mjs')
  writeFileSync(program, outputFiles[0].contents)
  const { manifestJsonSchema } = await import(pathToFileURL(program).href)
  rmSync(program)
  mkdirSync(join(folder, 'schemas'))
  const text = JSON.stringify(manifestJsonSchema(), null, 2)
  writeFileSync(join(folder, 'schemas/manifest.schema.json'), `${text}\n`)
}

/** The agents that ship with the package, and the templates of new ones, as they are: modes are part of them (tools are run). */
function copyRepositories(target) {
  cpSync(join(ROOT, 'src/repositories'), target, { recursive: true, preserveTimestamps: true })
}

/** Bundles that other builders make: only asked for which packages are in them. */
function otherEntries() {
  const pages = readdirSync(join(ROOT, 'public')).flatMap((page) =>
    ['main.ts', 'main.tsx'].map((name) => `public/${page}/${name}`).filter((path) => existsSync(join(ROOT, path))),
  )
  return ['src/agent/main.ts', ...pages]
}

function report(folder, { metafile, licences }, say) {
  const graph = startGraph(metafile)
  const line = (name, text) => say(`  ${name.padEnd(22)}${text}`)
  const sum = (files) => kilobytes(files.reduce((bytes, file) => bytes + statSync(join(folder, file)).size, 0))
  const below = (part) => filesBelow(join(folder, part)).map((file) => join(part, file))
  line('bin.js', `${kilobytes(graph.bytes)} in ${graph.files.length} files are read at start`)
  line('describe.cjs', `${sum(['ploinky.cjs', 'describe.cjs'])} in 2 files are read by help and --version`)
  line('chunks', `${sum(below('chunks'))} in ${below('chunks').length} files, each read when it is needed`)
  line('Agent', sum(below('Agent')))
  for (const { name, isPage } of partsOf(join(folder, 'public'))) {
    const packed = isPage ? below(join('public', name)).filter((file) => file.endsWith('.br')) : [`public/${name}.br`]
    line(`public/${name}`, `${sum(packed)} packed`)
  }
  for (const agent of readdirSync(join(folder, 'repositories/builtin')))
    line(`builtin/${agent}`, sum(below(join('repositories/builtin', agent))))
  line('templates', sum(below('repositories/templates')))
  line('THIRD-PARTY.txt', `${licences.packages.length} packages`)
}

/** Pages are folders, modules are files. */
const partsOf = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.name.endsWith('.js'))
    .map((entry) => ({ name: entry.name, isPage: entry.isDirectory() }))

const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1)} KB`

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await buildAll({ fresh: process.argv.includes('--fresh') })
  } catch (error) {
    // esbuild has printed its errors with places already.
    if (error.errors === undefined) console.error(error.stack ?? String(error))
    process.exitCode = 1
  }
}
