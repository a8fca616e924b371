// Podman, rootful and rootless (a dedicated user), and their API sockets.
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { dirname } from 'node:path'
import { startDaemon } from './daemons.mjs'
import { ROOTFUL_SOCKET, rootlessUser } from './detect.mjs'
import { readText, run, until, which } from './process.mjs'

/** The user that rootless podman runs as when the tests themselves run as root. */
const USER = 'ploinky'
const SYSTEM_CONF = '/etc/containers/containers.conf'
/** Podman asks for this many open files unless told otherwise. */
const DEFAULT_NOFILE = 1_048_576

/** Everything podman needs to run containers as root and as the dedicated user. @param {(line: string) => void} say */
export function preparePodman(say) {
  if (which('podman') === null) return
  writeContainersConf(say)
  prepareUser(say)
}

/**
 * Where the control groups are version 1, crun does not start; where the hard limits are lower than podman's wish,
 * no container starts. Both have a setting; a file that exists is somebody's decision and stays.
 */
function writeContainersConf(say) {
  if (existsSync(SYSTEM_CONF)) return
  const containers = []
  const engine = []
  if (!existsSync('/sys/fs/cgroup/cgroup.controllers')) engine.push('runtime = "runc"')
  const nofile = hardLimit('Max open files')
  const nproc = Math.min(hardLimit('Max processes'), 10_000)
  if (nofile < DEFAULT_NOFILE)
    containers.push(`default_ulimits = ["nofile=${nofile}:${nofile}", "nproc=${nproc}:${nproc}"]`)
  if (containers.length + engine.length === 0) return
  say(`Writes ${SYSTEM_CONF}: ${[...containers, ...engine].join(', ')}`)
  mkdirSync(dirname(SYSTEM_CONF), { recursive: true })
  writeFileSync(SYSTEM_CONF, `[containers]\n${containers.join('\n')}\n[engine]\n${engine.join('\n')}\n`, {
    mode: 0o644,
  })
}

function hardLimit(name) {
  const line = (readText('/proc/self/limits') ?? '').split('\n').find((text) => text.startsWith(name))
  const value = line?.slice(name.length).trim().split(/\s+/)[1]
  return value === undefined || value === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(value)
}

function prepareUser(say) {
  // Without these two devices there is neither a network nor a file system for an unprivileged user.
  for (const device of ['/dev/net/tun', '/dev/fuse']) if (existsSync(device)) chmodSync(device, 0o666)
  if (rootlessUser() === null) {
    say(`Adds the user ${USER} for rootless podman`)
    run(['useradd', '--create-home', '--shell', '/bin/bash', USER])
  }
  const user = rootlessUser()
  if (user === null) return
  if (!(readText('/etc/subuid') ?? '').includes(`${USER}:`))
    run(['usermod', '--add-subuids', '100000-165535', '--add-subgids', '100000-165535', USER])
  // With systemd the user's manager makes the folder, and keeps it after logout.
  if (existsSync('/run/systemd/system')) run(['loginctl', 'enable-linger', USER])
  ownFolder(user, '/run/user', user.runtimeDir)
  // Debian 12 would take the copying vfs driver for a new user: seconds and gigabytes per container.
  const conf = `${user.home}/.config/containers/storage.conf`
  if (existsSync(conf) || existsSync(`${user.home}/.local/share/containers/storage/db.sql`)) return
  ownFolder(user, user.home, dirname(conf))
  writeFileSync(conf, '[storage]\ndriver = "overlay"\n', { mode: 0o644 })
  chownSync(conf, user.uid, user.gid)
}

/** Makes `folder` and what is missing between it and `base`, owned by the user. */
function ownFolder(user, base, folder) {
  mkdirSync(base, { recursive: true })
  let path = base
  for (const part of folder.slice(base.length).split('/').filter(Boolean)) {
    path += `/${part}`
    if (existsSync(path)) continue
    mkdirSync(path, { mode: 0o700 })
    chownSync(path, user.uid, user.gid)
  }
}

/** Starts the API services of both podmans unless their sockets already answer. @param {(line: string) => void} say */
export async function startPodmanServices(say) {
  if (which('podman') === null) return
  const wanted = [{ name: 'podman-service', socket: ROOTFUL_SOCKET, options: {} }]
  const user = rootlessUser()
  if (user !== null) {
    const options = { uid: user.uid, gid: user.gid, env: user.env, cwd: '/' }
    wanted.push({ name: 'podman-rootless-service', socket: `${user.runtimeDir}/podman/podman.sock`, options })
    ownFolder(user, user.runtimeDir, `${user.runtimeDir}/podman`)
  }
  await Promise.all(
    wanted.map(async ({ name, socket, options }) => {
      if (await pings(socket)) return
      mkdirSync(dirname(socket), { recursive: true })
      say(`Starts ${name} on ${socket}`)
      const log = startDaemon(name, ['podman', 'system', 'service', '--time=0', `unix://${socket}`], options)
      if (await until(() => pings(socket), 20_000)) return
      say(`${name} does not answer: ${(readText(log) ?? '').trim().split('\n').slice(-3).join(' | ')}`)
    }),
  )
}

/** Whether an engine API answers on the socket. */
function pings(socketPath) {
  return new Promise((resolve) => {
    const call = request({ socketPath, path: '/_ping', timeout: 2000 }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(false))
    call.end()
  })
}
