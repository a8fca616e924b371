// Docker Engine: started as the machine does it (systemd), else as a recorded daemon of the set-up.
import { existsSync } from 'node:fs'
import { startDaemon } from './daemons.mjs'
import { readText, run, until, which } from './process.mjs'

const READY_MS = 60_000

/** Makes `docker info` answer, if Docker Engine is installed. @param {(line: string) => void} say */
export async function startDocker(say) {
  if (which('dockerd') === null || which('docker') === null || answers()) return
  if (existsSync('/run/systemd/system')) {
    say('Starts docker.service')
    run(['systemctl', 'start', 'docker'])
    await until(answers, READY_MS)
    return
  }
  // Apart from it, as service managers do: containers survive the death of one of the two.
  const own = which('containerd') === null ? [] : await startContainerd(say)
  say('Starts dockerd')
  const log = startDaemon('dockerd', ['dockerd', ...own])
  if (await until(answers, READY_MS)) return
  const tail = (readText(log) ?? '').trim().split('\n').slice(-3).join(' | ')
  say(`dockerd does not answer: ${tail}`)
}

const CONTAINERD = '/run/containerd/containerd.sock'

/** Arguments for dockerd. @param {(line: string) => void} say */
async function startContainerd(say) {
  const isThere = () => run(['ctr', '--address', CONTAINERD, 'version'], { timeoutMs: 10_000 }).code === 0
  if (!isThere()) {
    say('Starts containerd')
    startDaemon('containerd', ['containerd'])
    if (!(await until(isThere, READY_MS))) return []
  }
  return [`--containerd=${CONTAINERD}`]
}

const answers = () => run(['docker', 'version', '--format', '{{.Server.Version}}'], { timeoutMs: 10_000 }).code === 0
