// Whether an engine that answers can really run a container with an init: the product gives one to every container.
import { spawnAs } from './detect.mjs'
import { runAsync } from './process.mjs'

const IMAGE = 'docker.io/library/alpine:3'

/**
 * @param {import('./detect.mjs').Engine} engine
 * @returns {Promise<import('./detect.mjs').Engine>} the same, or not available with the reason
 */
export async function smokeTest(engine) {
  if (!engine.available) return engine
  const argv = [engine.program, 'run', '--rm', '--init', IMAGE, 'cat', '/proc/1/cmdline']
  const { code, stdout, stderr } = await runAsync(argv, { ...spawnAs(engine), timeoutMs: 120_000 })
  const reason = `does not run a container: ${stderr.trim().split('\n').at(-1)}`
  if (code !== 0) return { ...engine, available: false, reason }
  // Without an init the command itself would be process 1.
  if (stdout.startsWith('cat')) return { ...engine, available: false, reason: 'ignores --init' }
  return engine
}
