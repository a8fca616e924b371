// Whether what is installed and built still belongs to the sources. By content: file times say nothing after a checkout or a copy.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Everything that the build reads. */
const SOURCES = ['src', 'runtimes', 'public', 'package.json', 'package-lock.json', 'tsconfig.json', 'LICENSE']

/** @param {string} root the checkout @returns {string} one hash over all sources */
export function sourceStamp(root) {
  const hash = createHash('sha256')
  for (const path of SOURCES) add(hash, root, path)
  return hash.digest('hex')
}

function add(hash, root, path) {
  const full = join(root, path)
  let entries
  try {
    entries = readdirSync(full, { withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOENT') return
    if (error.code !== 'ENOTDIR') throw error
    hash.update(`${path}\n`).update(readFileSync(full))
    return
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const below = `${path}/${entry.name}`
    if (entry.isDirectory()) add(hash, root, below)
    else if (entry.isFile()) hash.update(`${below}\n`).update(readFileSync(join(root, below)))
  }
}

/** @param {string} root @returns {{ stamp: string, chunks: string[] } | null} what the build in `dist` was made of */
export function builtStamp(root) {
  try {
    return JSON.parse(readFileSync(join(root, 'dist/build.json'), 'utf8'))
  } catch {
    // Absent, or cut off in the middle of a build: the same as not built.
    return null
  }
}

/** @param {string} root @returns {string | null} why the dependencies must be installed; null when they are right */
export function staleModules(root) {
  if (existsSync(join(root, 'node_modules/.deno'))) return staleForDeno(root)
  const present = packages(join(root, 'node_modules/.package-lock.json'))
  if (present === null) return 'node_modules is missing'
  for (const [path, { version, optional }] of Object.entries(packages(join(root, 'package-lock.json')) ?? {})) {
    if (path === '') continue
    const installed = present[path]
    if (installed === undefined ? !optional : installed.version !== version) return `${path} is not ${version}`
  }
  return null
}

/** Deno keeps no copy of the lockfile: compares the exact versions that package.json asks for. */
function staleForDeno(root) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    const file = join(root, 'node_modules', name, 'package.json')
    if (!existsSync(file) || JSON.parse(readFileSync(file, 'utf8')).version !== version)
      return `${name} is not ${version}`
  }
  return null
}

function packages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch (error) {
    if (error.code === 'ENOENT') return null
    throw error
  }
}
