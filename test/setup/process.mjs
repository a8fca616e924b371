// Small process helpers of the test set-up: argv arrays only, no dependencies.
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** A step of the set-up failed, for a reason that its message tells completely. */
export class SetUpError extends Error {}

/**
 * Runs a program to its end.
 * @param {string[]} argv program and arguments
 * @param {{ input?: string, stdin?: number, cwd?: string, env?: NodeJS.ProcessEnv, uid?: number, gid?: number, timeoutMs?: number }} [options]
 * @returns {{ code: number, stdout: string, stderr: string, text: string }} `code` is 127 when the program could not be started, 124 after a timeout
 */
export function run(argv, options = {}) {
  const { input, stdin, timeoutMs = 60_000, ...rest } = options
  const [file = '', ...args] = argv
  const result = spawnSync(file, args, {
    ...rest,
    input,
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 64 * 1024 * 1024,
    encoding: 'utf8',
    stdio: [stdin ?? (input === undefined ? 'ignore' : 'pipe'), 'pipe', 'pipe'],
  })
  const timedOut = result.error !== undefined && 'code' in result.error && result.error.code === 'ETIMEDOUT'
  const code = timedOut ? 124 : (result.status ?? 127)
  const stderr = timedOut ? `no answer within ${timeoutMs / 1000} s` : result.stderr || (result.error?.message ?? '')
  return { code, stdout: result.stdout ?? '', stderr, text: (result.stdout ?? '').trim() }
}

/**
 * Runs a program without blocking; used where several engines work at the same time.
 * @param {string[]} argv
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, uid?: number, gid?: number, timeoutMs?: number }} [options]
 * @returns {Promise<{ code: number, stdout: string, stderr: string, text: string }>}
 */
export function runAsync(argv, options = {}) {
  const { timeoutMs = 60_000, ...rest } = options
  const [file = '', ...args] = argv
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      ...rest,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
    child.on('error', (error) => resolve({ code: 127, stdout, stderr: error.message, text: '' }))
    child.on('close', (code) => resolve({ code: code ?? 124, stdout, stderr, text: stdout.trim() }))
  })
}

/** Full path of a program on PATH (the administrator's folders included), or null. */
export function which(program) {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  for (const folder of folders) {
    const file = join(folder, program)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      continue
    }
  }
  return null
}

/** The text of a file, or null when it cannot be read. */
export function readText(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

/**
 * Waits until `check` answers true.
 * @param {() => boolean | Promise<boolean>} check
 * @param {number} timeoutMs
 * @returns {Promise<boolean>} false when the time is over
 */
export async function until(check, timeoutMs) {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    if (await check()) return true
    if (Date.now() > deadline) return false
    await pause(100)
  }
}

/** When process `pid` started, in clock ticks since boot (field 22 of /proc/PID/stat), or null if it is gone. */
export function startTime(pid) {
  const stat = readText(`/proc/${pid}/stat`)
  // The program name in parentheses may itself contain blanks and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields === undefined || fields[0] === 'Z') return null
  return fields[19] ?? null
}
