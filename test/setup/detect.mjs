// What this machine has: engines, who they run as, and a browser. Changes nothing.
import { existsSync } from 'node:fs'
import { readText, runAsync, which } from './process.mjs'

export const ROOTFUL_SOCKET = '/run/podman/podman.sock'
const USER = 'ploinky'

/**
 * @typedef {{ name: string, uid: number, gid: number, home: string, runtimeDir: string, env: Record<string, string> }} User
 * @typedef {object} Engine
 * @property {'docker' | 'podman' | 'podman-rootless'} id
 * @property {string} program
 * @property {User | null} user whose engine it is, when that is not the user who runs the tests
 * @property {boolean} available
 * @property {string} version
 * @property {string} reason why it is not available
 * @property {string[]} notes what it cannot do here
 * @typedef {{ file: string | null, version: string }} Browser
 */

/** The dedicated user for rootless podman, or null. @returns {User | null} */
export function rootlessUser() {
  const line = (readText('/etc/passwd') ?? '').split('\n').find((text) => text.startsWith(`${USER}:`))
  if (line === undefined) return null
  const [, , uid, gid, , home = '/'] = line.split(':')
  const runtimeDir = `/run/user/${uid}`
  const bus = `${runtimeDir}/bus`
  const env = {
    HOME: home,
    USER,
    LOGNAME: USER,
    XDG_RUNTIME_DIR: runtimeDir,
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    LANG: process.env['LANG'] ?? 'C.UTF-8',
    ...(existsSync(bus) ? { DBUS_SESSION_BUS_ADDRESS: `unix:path=${bus}` } : {}),
  }
  return { name: USER, uid: Number(uid), gid: Number(gid), home, runtimeDir, env }
}

/** How to spawn a program as the engine's user. @param {Pick<Engine, 'user'>} engine */
export function spawnAs(engine) {
  if (engine.user === null) return {}
  return { uid: engine.user.uid, gid: engine.user.gid, env: engine.user.env, cwd: '/' }
}

/** All engines that the tests know, in the order in which they are tested. @returns {Promise<Engine[]>} */
export function detectEngines() {
  const isRoot = process.getuid?.() === 0
  const user = isRoot ? rootlessUser() : null
  return Promise.all([
    detectDocker(),
    isRoot ? detectPodman('podman', null) : missing('podman', 'rootful podman needs root'),
    isRoot && user === null
      ? missing('podman-rootless', `the user ${USER} does not exist`)
      : detectPodman('podman-rootless', user),
  ])
}

function missing(id, reason, program = 'podman') {
  return { id, program, user: null, available: false, version: '', reason, notes: [] }
}

async function detectDocker() {
  if (which('docker') === null) return missing('docker', 'docker is not installed', 'docker')
  const format = '{{json .}}'
  const { code, stdout, stderr } = await runAsync(['docker', 'info', '--format', format], { timeoutMs: 15_000 })
  const info = parse(stdout)
  if (code !== 0 || info === null || !info.ServerVersion)
    return missing('docker', lastLine(stderr) || lastLine(info?.ServerErrors?.[0] ?? ''), 'docker')
  const notes = info.MemoryLimit === false ? ['memory limits are not enforced'] : []
  return {
    id: 'docker',
    program: 'docker',
    user: null,
    available: true,
    version: info.ServerVersion,
    reason: '',
    notes,
  }
}

async function detectPodman(id, user) {
  if (which('podman') === null) return missing(id, 'podman is not installed')
  const options = { ...spawnAs({ user }), timeoutMs: 30_000 }
  const { code, stdout, stderr } = await runAsync(['podman', 'info', '--format', 'json'], options)
  const info = parse(stdout)
  if (code !== 0 || info === null) return missing(id, lastLine(stderr))
  const rootless = info.host?.security?.rootless === true
  if (rootless !== (id === 'podman-rootless')) return missing(id, `podman is ${rootless ? 'rootless' : 'rootful'} here`)
  const notes =
    rootless && info.host?.cgroupVersion === 'v1'
      ? ['cgroup v1: rootless limits (memory, cpu, pids) are not enforced']
      : []
  return { id, program: 'podman', user, available: true, version: info.version?.Version ?? '', reason: '', notes }
}

/** Path of Chromium or Chrome, or null. `PLOINKY_TEST_BROWSER` names another one. */
export function browserFile() {
  const chosen = process.env['PLOINKY_TEST_BROWSER']
  if (chosen !== undefined && chosen !== '') return existsSync(chosen) ? chosen : null
  return ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].map(which).find(Boolean) ?? null
}

/** @returns {Promise<Browser>} */
export async function detectBrowser() {
  const file = browserFile()
  if (file === null) return { file, version: '' }
  const { text } = await runAsync([file, '--version'], { timeoutMs: 20_000 })
  return { file, version: text }
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const lastLine = (text) => String(text).trim().split('\n').at(-1)?.slice(0, 160) ?? ''
