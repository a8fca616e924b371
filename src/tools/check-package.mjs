#!/usr/bin/env node
// What a person gets who installs the package: packs a fresh build, looks at the contents, installs it without network and
// runs it.
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildAll } from './build.mjs'
import { ROOT, startGraph } from './bundle.mjs'
import { filesBelow } from './publish.mjs'

const KB = 1024
/** Upper limits, in bytes: what a start reads, what is mounted, what a page loads, what is downloaded. */
const LIMITS = {
  // 50 KB of command line, and a good KB for each command; what that costs is measured: npm run bench -- cli.
  'read at start': 190 * KB,
  'dist/describe.cjs': 145 * KB,
  'Agent/server/AgentServer.mjs': 1100 * KB,
  // All sections and the library of terminals with what it loads on demand; what one visit loads has its budget in
  // test/public/design.test.ts.
  'packed page': 195 * KB,
  tarball: 2100 * KB,
}
const MUST_HAVE = [
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'dist/ploinky.cjs',
  'dist/describe.cjs',
  'dist/bin.js',
  'dist/THIRD-PARTY.txt',
  'dist/schemas/manifest.schema.json',
  'dist/Agent/server/AgentServer.mjs',
  'dist/Agent/server/AgentServer.sh',
  'dist/Agent/default_cli.sh',
  'dist/public/dashboard/index.html',
  'dist/repositories/builtin/demo/manifest.json',
  'dist/repositories/builtin/shell/manifest.json',
  ...['node', 'python', 'shell'].map((name) => `dist/repositories/templates/${name}/manifest.json`),
]
const MAY_HAVE =
  /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/(?:(?:ploinky|describe)\.cjs|bin\.js|THIRD-PARTY\.txt|chunks\/[\w-]+\.js|schemas\/[\w.-]+\.json|(?:Agent|public|repositories)\/.+))$/
/** These are run: by a shell, by a container. */
const EXECUTABLE = ['dist/ploinky.cjs', 'dist/bin.js', 'dist/Agent/server/AgentServer.sh', 'dist/Agent/default_cli.sh']

const problems = []
const check = (holds, problem) => {
  if (!holds) problems.push(problem)
}

function run(argv, options = {}) {
  const [file = '', ...args] = argv
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8', ...options })
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${error?.message ?? stderr + stdout}`)
  return stdout
}

/** npm tells its own place to what it runs; by hand it is found on PATH. */
function npm(...args) {
  const own = process.env['npm_execpath']
  return own?.endsWith('npm-cli.js') ? [process.execPath, own, ...args] : ['npm', ...args]
}

function checkSizes(dist, metafile) {
  const limit = (name, what, bytes) => {
    const max = LIMITS[name]
    console.log(`  ${what.padEnd(34)}${(bytes / KB).toFixed(0).padStart(6)} KB of ${(max / KB).toFixed(0)}`)
    check(bytes <= max, `${what} is ${bytes} bytes; the limit is ${max}`)
  }
  limit('read at start', 'read at start', startGraph(metafile).bytes)
  limit('dist/describe.cjs', 'describe.cjs', statSync(join(dist, 'describe.cjs')).size)
  const agent = 'Agent/server/AgentServer.mjs'
  limit(agent, agent, statSync(join(dist, agent)).size)
  const packed = filesBelow(join(dist, 'public')).filter((file) => file.endsWith('.br'))
  for (const page of new Set(packed.map((file) => file.split('/')[0]))) {
    const files = packed.filter((file) => file === page || file.startsWith(`${page}/`))
    const bytes = files.reduce((sum, file) => sum + statSync(join(dist, 'public', file)).size, 0)
    limit('packed page', `public/${page}`, bytes)
  }
  return limit
}

function checkContents(files) {
  const paths = files.map(({ path }) => path)
  for (const path of MUST_HAVE) check(paths.includes(path), `The package has no ${path}`)
  for (const path of paths) check(MAY_HAVE.test(path), `The package has ${path}, which is nothing that it ships`)
  for (const path of EXECUTABLE) {
    const mode = files.find((file) => file.path === path)?.mode ?? 0
    check((mode & 0o111) !== 0, `${path} is not executable`)
  }
}

/** The package alone, in an empty folder, without a registry: all that it needs is inside. */
function checkInstall(folder, tarball) {
  const home = join(folder, 'home')
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), '{ "private": true }\n')
  run(npm('install', '--offline', '--omit=optional', '--no-audit', '--no-fund', tarball), { cwd: home })
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const installed = filesBelow(join(home, 'node_modules')).filter((file) => file.endsWith('package.json'))
  check(installed.length === 1, `Installing it brings more packages: ${installed.join(' ')}`)
  for (const name of ['ploinky', 'p-cli']) {
    const program = join(home, 'node_modules/.bin', name)
    const shown = run([program, '--version'], { cwd: home }).trim()
    check(shown === version, `${name} --version says "${shown}", not "${version}"`)
  }
  // Loads nearly everything and reads the shipped agents; the answer names them.
  const catalog = run([join(home, 'node_modules/.bin/ploinky'), 'list', 'agents', '--json', '--workspace', home])
  for (const agent of ['demo', 'shell']) check(catalog.includes(`"${agent}"`), `"list agents" does not name "${agent}"`)
}

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ploinky-package-')))
try {
  const staged = join(folder, 'staged')
  mkdirSync(staged)
  const { metafile } = await buildAll({ outDir: join(staged, 'dist'), say: () => undefined })
  for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'])
    copyFileSync(join(ROOT, name), join(staged, name))
  const limit = checkSizes(join(staged, 'dist'), metafile)
  const [packed] = JSON.parse(
    run(npm('pack', '--json', '--ignore-scripts', '--pack-destination', folder), { cwd: staged }),
  )
  limit('tarball', 'tarball', packed.size)
  checkContents(packed.files)
  console.log(run([join(ROOT, 'node_modules/.bin/publint'), staged, '--strict', '--pack', 'false']).trim())
  checkInstall(folder, join(folder, packed.filename))
} catch (error) {
  problems.push(error.stack ?? String(error))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
for (const problem of problems) console.error(`  ${problem}`)
process.exitCode = problems.length === 0 ? 0 : 1
