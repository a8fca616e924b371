// Puts a finished build in place, file by file, each with one rename.
//
// Not by swapping folders: containers mount `dist/Agent` and see the folder that was there when they started, so folders
// must stay themselves; and a running router loads its chunks when it needs them.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, rmdirSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Chunks have a hash in their name: those of the build before stay, for a router that still runs it. */
const CHUNK = /^chunks\//
/** What starts a program comes after what that program needs. */
const LAST = /^(?:bin\.js|build\.json|ploinky\.cjs)$/

/** Paths of all files below a folder, relative to it, sorted. @param {string} folder @returns {string[]} */
export function filesBelow(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort()
}

/**
 * @param {string} from a complete build, on the same file system; is gone afterwards
 * @param {string} to what is used
 * @param {{ keep: ReadonlySet<string> }} options chunks of the build before, which stay
 */
export function publish(from, to, { keep }) {
  const files = filesBelow(from)
  const ordered = [...files.filter((file) => !LAST.test(file)), ...files.filter((file) => LAST.test(file)).sort()]
  for (const file of ordered) {
    const target = join(to, file)
    if (isSame(join(from, file), target)) continue
    mkdirSync(dirname(target), { recursive: true })
    renameSync(join(from, file), target)
  }
  const wanted = new Set(files)
  for (const file of filesBelow(to)) {
    if (wanted.has(file) || (CHUNK.test(file) && keep.has(file))) continue
    rmSync(join(to, file), { force: true })
    removeEmpty(dirname(join(to, file)), to)
  }
  rmSync(from, { recursive: true, force: true })
}

function isSame(a, b) {
  if (!existsSync(b)) return false
  const [one, other] = [statSync(a), statSync(b)]
  return one.mode === other.mode && one.size === other.size && readFileSync(a).equals(readFileSync(b))
}

function removeEmpty(folder, root) {
  for (let at = folder; at !== root && readdirSync(at).length === 0; at = dirname(at)) rmdirSync(at)
}
