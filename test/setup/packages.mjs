// Debian packages that the tests need. Says what it will install before it does.
import { spawnSync } from 'node:child_process'
import { browserFile } from './detect.mjs'
import { run, which } from './process.mjs'

/** Program that proves the package, package, and whether its recommended packages are wanted as well. */
const WANTED = [
  ['dockerd', 'docker.io'],
  ['docker', 'docker.io'],
  // `docker run --init` needs docker-init (docker.io brings it, on tini); `podman run --init` needs catatonit.
  ['docker-init', 'docker.io'],
  ['tini', 'tini'],
  ['podman', 'podman'],
  ['catatonit', 'catatonit'],
  ['runc', 'runc'],
  ['iptables', 'iptables'],
  ['bwrap', 'bubblewrap'],
  // Rootless podman: sub-ids, network, file system.
  ['newuidmap', 'uidmap'],
  ['slirp4netns', 'slirp4netns'],
  ['fuse-overlayfs', 'fuse-overlayfs'],
]

/**
 * Installs the packages whose program is missing.
 * @param {(line: string) => void} say
 */
export function installPackages(say) {
  const missing = new Set(WANTED.filter(([program]) => which(program) === null).map(([, name]) => name))
  if (!isStaticBusybox()) missing.add('busybox-static')
  const browser = browserFile() === null
  if (missing.size === 0 && !browser) return
  // Debian 13 moved the client out of docker.io.
  if (missing.has('docker.io') && run(['apt-cache', 'show', 'docker-cli']).code === 0) missing.add('docker-cli')
  const names = [...missing, ...(browser ? ['chromium', 'fonts-liberation'] : [])]
  say(`Will install with apt-get: ${names.join(' ')} (PLOINKY_TEST_SETUP=0 to opt out)`)
  if (!aptGet(say, ['update', '-qq'])) return
  if (missing.size > 0) aptGet(say, ['install', '-y', '-qq', ...missing])
  // The browser's recommended packages are a desktop's; a font is what pages need.
  if (browser) aptGet(say, ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-liberation'])
}

/** The images are made of busybox: it must run in an empty root, so without shared libraries. */
function isStaticBusybox() {
  const file = which('busybox')
  if (file === null) return false
  const { code, stdout, stderr } = run(['ldd', file])
  return code !== 0 && /not a dynamic executable|statically linked/.test(stdout + stderr)
}

function aptGet(say, args) {
  say(`apt-get ${args.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' }
  const result = spawnSync('apt-get', args, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  })
  if (result.status === 0) return true
  say(
    `apt-get ${args[0]} failed: ${(result.stderr || String(result.error ?? '')).trim().split('\n').slice(-5).join(' | ')}`,
  )
  return false
}
