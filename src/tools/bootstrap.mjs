#!/usr/bin/env node
// What `npm start` and `deno task start` do first: dependencies as the lockfile says, and the build. Says nothing and takes
// a moment when both are there. Needs Node and npm, or Deno alone; imports nothing that has to be installed first.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtStamp, sourceStamp, staleModules } from './stamp.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '')
const DENO = globalThis.Deno !== undefined
/** The oldest Node that the program runs on. */
const NODE = [20, 19]

class BootstrapError extends Error {}

function bootstrap() {
  refuseOldNode()
  const stale = staleModules(ROOT)
  if (stale !== null) install(stale)
  const built = builtStamp(ROOT)
  if (
    stale === null &&
    built !== null &&
    built.stamp === sourceStamp(ROOT) &&
    existsSync(join(ROOT, 'dist/ploinky.cjs'))
  )
    return
  say(built === null ? 'Building (once; takes some seconds)' : 'Building again: the sources have changed')
  run([process.execPath, ...(DENO ? ['run', '-A'] : []), join(ROOT, 'src/tools/build.mjs')])
}

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (DENO || major > NODE[0] || (major === NODE[0] && minor >= NODE[1])) return
  throw new BootstrapError(`Node ${process.versions.node} is too old: install Node ${NODE.join('.')} or later`)
}

function install(reason) {
  const npm = findNpm()
  if (npm !== null) {
    say(`Installing dependencies: ${reason} (about half a minute)`)
    // Builders are development dependencies; a shell set up for production would leave them out.
    run([...npm, 'ci', '--include=dev', '--no-audit', '--no-fund'])
  } else if (DENO) {
    say(`Installing dependencies with Deno: ${reason}`)
    run([process.execPath, 'install'])
  } else throw new BootstrapError('npm is missing: install it, or use "deno task start"')
}

/** npm tells its own place to what it runs; by hand it is found on PATH. @returns {string[] | null} */
function findNpm() {
  const own = process.env['npm_execpath']
  if (!DENO && own?.endsWith('npm-cli.js') && existsSync(own)) return [process.execPath, own]
  const name = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
  return found === undefined ? null : [found]
}

function run([file = '', ...args]) {
  const { status, signal, error } = spawnSync(file, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    // npm and its progress bar in a terminal; plain lines elsewhere.
    shell: process.platform === 'win32' && file.endsWith('.cmd'),
  })
  if (status === 0) return
  const how = error?.message ?? (signal === null ? `exit code ${status}` : signal)
  throw new BootstrapError(`${[file, ...args].join(' ')} failed: ${how}`)
}

function say(line) {
  console.error(`ploinky: ${line}`)
}

try {
  bootstrap()
} catch (error) {
  console.error(error instanceof BootstrapError ? `ploinky: ${error.message}` : error)
  process.exitCode = 1
}
