// The file tree of a local image, and its archive.
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run, SetUpError } from './process.mjs'

const FOLDERS = [
  'bin', 'sbin', 'dev', 'etc', 'home/node', 'lib', 'lib64', 'mnt', 'opt', 'proc', 'root', 'run', 'srv', 'sys', 'tmp',
  'usr/bin', 'usr/lib', 'usr/local/bin', 'usr/sbin', 'var/log', 'var/tmp',
] // prettier-ignore

const FILES = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n',
  'etc/group': 'root:x:0:\ntty:x:5:\nnode:x:1000:\nnobody:x:65534:\n',
  'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'etc/profile': 'export PAGER=less\n',
  'etc/os-release': 'NAME="ploinky test image"\nID=ploinky-test\nPRETTY_NAME="ploinky test image (busybox)"\n',
}

/** The official image's entry point, in its behaviour: options and unknown words are given to node. */
const ENTRYPOINT = `#!/bin/sh
set -e
case "$1" in -*) set -- node "$@" ;; esac
if [ -z "$(command -v "$1")" ] || { [ -f "$1" ] && ! [ -x "$1" ]; }; then set -- node "$@"; fi
exec "$@"
`

/**
 * Writes the tree below `root`, which must not exist.
 * @param {string} root
 * @param {{ busybox: string, node: { file: string, version: string, npm: string | null } | null }} programs `busybox` must be static, `npm` is its package's folder
 */
export function writeTree(root, { busybox, node }) {
  for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true, mode: 0o755 })
  for (const folder of ['tmp', 'var/tmp']) chmodSync(join(root, folder), 0o1777)
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(root, name), text, { mode: 0o644 })
  install(busybox, join(root, 'bin/busybox'))
  for (const applet of run([busybox, '--list-full']).text.split('\n')) {
    const link = join(root, applet)
    mkdirSync(dirname(link), { recursive: true })
    if (!existsSync(link) && applet !== 'bin/busybox') symlinkSync('/bin/busybox', link)
  }
  if (node !== null) installNode(root, node)
}

function installNode(root, { file, npm }) {
  install(file, join(root, 'usr/local/bin/node'))
  writeFileSync(join(root, 'usr/local/bin/docker-entrypoint.sh'), ENTRYPOINT, { mode: 0o755 })
  if (npm !== null) {
    const modules = join(root, 'usr/local/lib/node_modules')
    mkdirSync(modules, { recursive: true })
    cpSync(npm, join(modules, 'npm'), { recursive: true })
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'))
    chmodSync(join(modules, 'npm/bin/npm-cli.js'), 0o755)
  }
  // The program is linked against this machine's C library, so those files go along.
  for (const library of run(['ldd', file]).stdout.match(/\/[^\s)]+/g) ?? []) {
    const target = join(root, library)
    mkdirSync(dirname(target), { recursive: true })
    install(library, target)
  }
}

function install(from, to) {
  copyFileSync(from, to)
  chmodSync(to, 0o755)
}

/** Packs the tree as root's, except the home folder of the user `node`. */
export function packTree(root, archive) {
  const owner = (id) => ['--numeric-owner', `--owner=${id}`, `--group=${id}`]
  const steps = [
    ['tar', '-C', root, '-cf', archive, ...owner(0), '--exclude=./home/node', '.'],
    ['tar', '-C', root, '-rf', archive, ...owner(1000), './home/node'],
  ]
  for (const step of steps) {
    const { code, stderr } = run(step)
    if (code !== 0) throw new SetUpError(`Cannot pack the image: ${stderr.trim()}`)
  }
}
