// A copy of the checkout that another user owns: the rootless layers run as that user from end to end, as a person
// without privileges would, whatever folder the checkout itself is in.
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { run, SetUpError } from './process.mjs'
import { spawnAs } from './detect.mjs'

/** Not part of what is tested, or copied in another way. */
const LEFT_OUT = new Set(['node_modules', '.git', '.cache', '.ploinky', 'test/.output'])

/**
 * @param {string} root the checkout
 * @param {import('./detect.mjs').Engine & { user: import('./detect.mjs').User }} engine whose user shall own the copy
 * @returns {{ tree: string, node: string, path: string, remove: () => void }} `node` is a Node program that the user may run, `path` the PATH to find it
 */
export function copyForUser(root, engine) {
  const { user } = engine
  const folder = join(user.home, `tree-${process.pid}`)
  const tree = join(folder, basename(root))
  mkdirSync(folder, { recursive: true })
  cpSync(root, tree, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !LEFT_OUT.has(relative(root, source)),
  })
  // Hard links where the file system allows: node_modules is large, and stays root's own and so unchanged.
  const modules = [join(root, 'node_modules'), join(tree, 'node_modules')]
  if (run(['cp', '-al', ...modules], { timeoutMs: 120_000 }).code !== 0) {
    rmSync(modules[1] ?? '', { recursive: true, force: true })
    must(['cp', '-a', ...modules])
  }
  must(['chmod', 'u+rwX', folder])
  // Folders and our own files become the user's; files that are hard-linked must not change their owner.
  must(['find', folder, '-type', 'd', '-exec', 'chown', `${user.uid}:${user.gid}`, '{}', '+'])
  must([
    'find',
    tree,
    '-path',
    `${tree}/node_modules`,
    '-prune',
    '-o',
    '-exec',
    'chown',
    '-h',
    `${user.uid}:${user.gid}`,
    '{}',
    '+',
  ])
  must(['chown', `${user.uid}:${user.gid}`, `${tree}/node_modules`])
  const node = usableNode(folder, engine)
  const path = node === process.execPath ? user.env['PATH'] : `${folder}:${user.env['PATH']}`
  return { tree, node, path: path ?? '', remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** This Node, or a copy of it where the user cannot reach it (below root's home folder). */
function usableNode(folder, engine) {
  if (run([process.execPath, '--version'], spawnAs(engine)).code === 0) return process.execPath
  const copy = join(folder, 'node')
  if (!existsSync(copy)) cpSync(process.execPath, copy)
  return copy
}

function must(argv) {
  const { code, stderr } = run(argv, { timeoutMs: 120_000 })
  if (code !== 0) throw new SetUpError(`Cannot copy the checkout for the rootless tests: ${stderr.trim()}`)
}
