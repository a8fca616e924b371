#!/usr/bin/env node
// `npm run ok`: the gate. Runs every check, side by side, and ends with a table; the exit code is 0 when all passed.
//   node src/tools/ok.mjs [check...]      only these
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { staleModules } from './stamp.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '')
const tool = (name, ...args) => [join(ROOT, 'node_modules/.bin', name), ...args]
const script = (path, ...args) => [process.execPath, join(ROOT, path), ...args]
const vitest = (...args) => tool('vitest', 'run', '--project', 'unit', ...args)
/** Folders of tests that have a check of their own, here or in `npm test`. */
const NOT_UNIT = new Set(['arch', 'pins', 'contract', 'e2e', 'browser', 'bench', 'helpers', 'fixtures', 'silence'])
const unitFolders = readdirSync(join(ROOT, 'test'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !NOT_UNIT.has(entry.name))
  .map((entry) => `test/${entry.name}/`)

/**
 * Longest first, so that the last ones are short.
 * @type {readonly { name: string, does: string, argv: string[], after?: string }[]}
 */
const CHECKS = [
  { name: 'build', does: 'everything that is shipped', argv: script('src/tools/build.mjs') },
  { name: 'layers', does: 'layer rules, lists, sizes, pinned names', argv: vitest('test/arch/', 'test/pins/') },
  { name: 'unit', does: 'tests without an engine', argv: vitest(...unitFolders), after: 'build' },
  { name: 'types', does: 'TypeScript, strict', argv: tool('tsc', '--noEmit', '-p', '.') },
  { name: 'lint', does: 'oxlint with types', argv: tool('oxlint', '--type-aware', '--deny-warnings', '.') },
  { name: 'deno', does: 'types as Deno sees them', argv: tool('deno', 'check', '--quiet', 'src/cli/bin.ts') },
  { name: 'unused', does: 'files, exports, dependencies', argv: tool('knip', '--no-progress') },
  { name: 'format', does: 'prettier', argv: tool('prettier', '--check', '--log-level', 'warn', '.') },
  { name: 'package', does: 'contents, sizes, installs offline', argv: script('src/tools/check-package.mjs') },
]

const running = new Set()
const interrupt = (signal) => {
  for (const child of running) child.kill(signal)
  process.exitCode = 130
}

function run({ name, argv: [file, ...args] }) {
  const begin = performance.now()
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    })
    running.add(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
    const end = (passed, extra = '') => {
      running.delete(child)
      resolve({
        name,
        state: passed ? 'ok' : 'FAILED',
        output: output + extra,
        seconds: (performance.now() - begin) / 1000,
      })
    }
    child.on('error', (error) => end(false, error.message))
    child.on('close', (code, signal) => end(code === 0, signal === null ? '' : `\nended by ${signal}`))
  })
}

/** As many at a time as there are cores; a check whose base failed is not run. */
async function runAll(checks) {
  const results = new Map()
  const active = new Map()
  const waiting = [...checks]
  const isWanted = (name) => checks.some((check) => check.name === name)
  while (waiting.length + active.size > 0) {
    const next = waiting.findIndex(({ after }) => after === undefined || !isWanted(after) || results.has(after))
    if (next >= 0 && active.size < Math.max(2, availableParallelism()) && process.exitCode !== 130) {
      const [check] = waiting.splice(next, 1)
      if (check.after !== undefined && results.get(check.after)?.state === 'FAILED')
        results.set(check.name, { name: check.name, state: 'not run', output: `needs "${check.after}"`, seconds: 0 })
      else active.set(check.name, run(check))
      continue
    }
    if (active.size === 0) break
    const result = await Promise.race(active.values())
    active.delete(result.name)
    results.set(result.name, result)
    console.log(line(result))
    if (result.state === 'FAILED') console.log(indent(result.output))
  }
  return checks.map(({ name }) => results.get(name) ?? { name, state: 'not run', output: '', seconds: 0 })
}

const indent = (text) =>
  text
    .trimEnd()
    .split('\n')
    .map((part) => `    ${part}`)
    .join('\n')
const line = ({ name, state, seconds }) => `${state.padEnd(8)}${name.padEnd(9)}${`${seconds.toFixed(1)} s`.padStart(8)}`

async function main(wanted) {
  const unknown = wanted.filter((name) => !CHECKS.some((check) => check.name === name))
  if (unknown.length > 0) {
    console.error(`No check "${unknown.join(' ')}"; there are: ${CHECKS.map(({ name }) => name).join(' ')}`)
    return 2
  }
  const stale = existsSync(join(ROOT, 'node_modules')) ? staleModules(ROOT) : 'node_modules is missing'
  if (stale !== null) {
    console.error(`Dependencies are not as the lockfile says (${stale}); run: npm ci`)
    return 2
  }
  const begin = performance.now()
  const results = await runAll(CHECKS.filter(({ name }) => wanted.length === 0 || wanted.includes(name)))
  console.log(`\n${'Check'.padEnd(10)}${'Result'.padEnd(9)}${'Time'.padStart(8)}  Looks at`)
  for (const { name, state, seconds } of results) {
    const { does } = CHECKS.find((check) => check.name === name) ?? { does: '' }
    console.log(`${name.padEnd(10)}${state.padEnd(9)}${`${seconds.toFixed(1)} s`.padStart(8)}  ${does}`)
  }
  const bad = results.filter(({ state }) => state !== 'ok')
  const total = `${((performance.now() - begin) / 1000).toFixed(0)} s`
  console.log(bad.length === 0 ? `\nAll ok in ${total}` : `\n${bad.length} of ${results.length} not ok, in ${total}`)
  return bad.length === 0 ? 0 : 1
}

process.once('SIGINT', () => interrupt('SIGINT'))
process.once('SIGTERM', () => interrupt('SIGTERM'))
const code = await main(process.argv.slice(2))
process.exitCode ??= code
