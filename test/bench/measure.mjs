/** Taking samples: alternately, one round after the other, so that a neighbour's load meets both sides alike. Linux only. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

const LIMIT_MS = 120_000

/**
 * @typedef {{ wallMs: number, cpuMs: number, code: number, stdout: string, stderr: string }} Ran
 * @typedef {{ wallMs: number, cpuMs?: number }} Sample
 */

/** CPU time (user and system, ms) of all children that have ended and were waited for; 10 ms ticks, proc(5) fields 16 and 17. */
function childrenCpuMs() {
  const text = readFileSync('/proc/self/stat', 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) * 10
}

/**
 * Runs a program to its end. Only one at a time: CPU time is the growth over the run, with all that the program waited for.
 * @param {string[]} argv
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, capture?: boolean, limitMs?: number }} [options] without `capture` the output goes nowhere
 * @returns {Promise<Ran>}
 */
export function ran(argv, { cwd, env, capture = false, limitMs = LIMIT_MS } = {}) {
  const [file = '', ...args] = argv
  const sink = capture ? 'pipe' : 'ignore'
  return new Promise((resolve, reject) => {
    const cpu = childrenCpuMs()
    const began = performance.now()
    const child = spawn(file, args, {
      cwd,
      env,
      stdio: ['ignore', sink, sink],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    })
    let wallMs = 0
    let stdout = ''
    let stderr = ''
    child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text))
    child.once('error', reject)
    child.once('exit', () => (wallMs = performance.now() - began))
    child.once('close', (code, signal) =>
      resolve({ wallMs, cpuMs: childrenCpuMs() - cpu, code: code ?? (signal === null ? 1 : 128), stdout, stderr }),
    )
  })
}

/** Like `ran`, and throws when the program fails. */
export async function must(argv, options = {}) {
  const result = await ran(argv, { ...options, capture: true })
  if (result.code === 0) return result
  throw new Error(
    `${argv.join(' ')} ended with ${result.code}: ${(result.stderr || result.stdout).trim().slice(-1500)}`,
  )
}

/**
 * Takes samples A B C, A B C, ...; the first round warms caches and does not count.
 * @template {string} K
 * @param {Record<K, () => Promise<Sample>>} variants
 * @param {{ rounds: number, warm?: boolean }} options
 * @returns {Promise<Record<K, Sample[]>>}
 */
export async function alternate(variants, { rounds, warm = true }) {
  const names = Object.keys(variants)
  const samples = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = warm ? -1 : 0; round < rounds; round++) {
    for (const name of names) {
      const sample = await variants[name]()
      if (round >= 0) samples[name].push(sample)
    }
  }
  return samples
}

/**
 * Rounds of many short samples of each side in turn; a side's sample of a round is the median of them. The first round warms up.
 * @template {string} K
 * @param {Record<K, () => Promise<number>>} sides milliseconds of one
 * @param {{ rounds: number, count: number }} options
 * @returns {Promise<Record<K, Sample[]>>}
 */
export async function alternateMany(sides, { rounds, count }) {
  const samples = Object.fromEntries(Object.keys(sides).map((name) => [name, []]))
  for (let round = -1; round < rounds; round++)
    for (const name of round % 2 === 0 ? Object.keys(sides) : Object.keys(sides).reverse()) {
      const taken = []
      for (let i = 0; i < count; i++) taken.push(await sides[name]())
      if (round >= 0) samples[name].push({ wallMs: median(taken) })
    }
  return samples
}

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * One row of the table from samples of both sides.
 * @param {{ name: string, baseline: string, bound: number | null, unit?: string }} what
 * @param {Sample[]} ours @param {Sample[]} base
 */
export function compare(what, ours, base) {
  const wall = (samples) => samples.map(({ wallMs }) => wallMs)
  const cpu = (samples) => samples.reduce((sum, { cpuMs }) => sum + (cpuMs ?? Number.NaN), 0) / samples.length
  return {
    unit: 'ms',
    ...what,
    ours: median(wall(ours)),
    theirs: median(wall(base)),
    // Inside a round, since both sides of a round met the same neighbours.
    ratio: median(ours.map(({ wallMs }, index) => wallMs / (base[index]?.wallMs ?? Number.NaN))),
    // A busy machine only adds: the least disturbed sample of each side is nearest to the truth.
    least: Math.min(...wall(ours)) / Math.min(...wall(base)),
    cpuRatio: cpu(ours) / cpu(base),
  }
}

/** Processors' time (ticks, all cores) spent and idle since boot. */
export function machineTime() {
  const [, ...fields] = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0].split(/\s+/)
  const ticks = fields.map(Number)
  // user nice system idle iowait irq softirq steal
  const idle = ticks[3] + ticks[4]
  return { idle, total: ticks.slice(0, 8).reduce((sum, each) => sum + each, 0) }
}
