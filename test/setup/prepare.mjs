// What a fresh clone needs before its tests run: dependencies as the lockfile says, and the build.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readText, SetUpError } from './process.mjs'

/**
 * @param {string} root the checkout
 * @param {(line: string) => void} say
 * @throws {SetUpError} when npm or the build fails
 */
export function prepareCheckout(root, say) {
  const reason = staleModules(root)
  if (reason !== null) {
    say(`npm ci (${reason})`)
    // npm tells its own place to what it runs; by hand it is found on PATH.
    const npm = process.env['npm_execpath']
    const argv = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm']
    must(root, [...argv, 'ci', '--no-audit', '--no-fund'])
  }
  if (existsSync(join(root, 'src/tools/bootstrap.mjs'))) {
    say('Build')
    must(root, [process.execPath, 'src/tools/bootstrap.mjs'])
  }
}

/**
 * Compares what is installed with the lockfile, by content: file times say nothing after a checkout.
 * @returns {string | null} why the dependencies must be installed
 */
function staleModules(root) {
  const wanted = packages(join(root, 'package-lock.json'))
  const present = packages(join(root, 'node_modules/.package-lock.json'))
  if (present === null) return 'node_modules is missing'
  for (const [path, { version, optional }] of Object.entries(wanted ?? {})) {
    if (path === '') continue
    const installed = present[path]
    if (installed === undefined ? !optional : installed.version !== version) return `${path} is not ${version}`
  }
  return null
}

function packages(file) {
  const text = readText(file)
  return text === null ? null : JSON.parse(text).packages
}

function must(root, [file = '', ...args]) {
  const { status, error } = spawnSync(file, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0)
    throw new SetUpError(`${file} ${args.join(' ')} failed${error ? `: ${error.message}` : ` with code ${status}`}`)
}
