// Daemons that the set-up started itself. Each is recorded with its start time, so that a process that
// merely got the same number later is never touched.
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readText, startTime, until } from './process.mjs'

/** Folder of the records and logs. */
const STATE = process.env['PLOINKY_TEST_STATE'] ?? '/run/ploinky-test'

/**
 * Starts a program that outlives this one, with its output in a log file, and records it.
 * @param {string} name record and log name
 * @param {string[]} argv
 * @param {{ uid?: number, gid?: number, env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {string} path of the log file
 */
export function startDaemon(name, argv, options = {}) {
  mkdirSync(STATE, { recursive: true, mode: 0o755 })
  const logFile = join(STATE, `${name}.log`)
  const log = openSync(logFile, 'w', 0o600)
  const [file = '', ...args] = argv
  const child = spawn(file, args, { cwd: '/', ...options, detached: true, stdio: ['ignore', log, log] })
  child.on('error', () => undefined)
  child.unref()
  closeSync(log)
  if (child.pid !== undefined) {
    const record = { name, pid: child.pid, startTime: startTime(child.pid), command: file }
    writeFileSync(join(STATE, `${name}.json`), `${JSON.stringify(record)}\n`, { mode: 0o600 })
  }
  return logFile
}

/** Records of the daemons that are still running. @returns {{ name: string, pid: number, startTime: string }[]} */
export function ownDaemons() {
  let names = []
  try {
    names = readdirSync(STATE).filter((name) => name.endsWith('.json'))
  } catch {
    return []
  }
  return names.flatMap((name) => {
    const text = readText(join(STATE, name))
    // Another user's record: not ours to judge.
    if (text === null) return []
    const record = parse(text)
    if (record !== null && startTime(record.pid) === record.startTime) return [record]
    rmSync(join(STATE, name), { force: true })
    return []
  })
}

function parse(text) {
  try {
    const record = JSON.parse(text)
    return Number.isSafeInteger(record.pid) && record.pid > 1 && typeof record.startTime === 'string' ? record : null
  } catch {
    return null
  }
}

/**
 * Ends one recorded daemon with its whole process group: SIGTERM, then SIGKILL.
 * @param {{ name: string, pid: number, startTime: string }} daemon
 * @param {number} [graceMs] time between the two
 * @returns {Promise<boolean>} false when it is still there
 */
export async function stopDaemon(daemon, graceMs = 20_000) {
  const gone = () => startTime(daemon.pid) !== daemon.startTime
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    if (gone()) break
    try {
      process.kill(-daemon.pid, signal)
    } catch {
      break
    }
    await until(gone, graceMs)
  }
  if (!gone()) return false
  rmSync(join(STATE, `${daemon.name}.json`), { force: true })
  return true
}
