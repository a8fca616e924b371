#!/usr/bin/env node
// Container engines and the browser for the tests.
//   node test/setup/engines.mjs [up|status|down]
// On Debian as root `up` installs and starts what is missing (PLOINKY_TEST_SETUP=0: only looks). Elsewhere it only
// looks. `down` ends the daemons that `up` started, and nothing else.
import { pathToFileURL } from 'node:url'
import { detectBrowser, detectEngines } from './detect.mjs'
import { ownDaemons, stopDaemon } from './daemons.mjs'
import { installPackages } from './packages.mjs'
import { startDocker } from './docker.mjs'
import { preparePodman, startPodmanServices } from './podman.mjs'
import { readText } from './process.mjs'

/** Why this machine is only looked at, or null when it may be set up. @returns {string | null} */
export function setUpRefusal() {
  if (process.env['PLOINKY_TEST_SETUP'] === '0') return 'PLOINKY_TEST_SETUP=0'
  if (process.platform !== 'linux' || !/^ID=debian$/m.test(readText('/etc/os-release') ?? '')) return 'not Debian'
  if (process.getuid?.() !== 0) return 'not root'
  return null
}

/**
 * Installs and starts what is missing, where that is allowed, and tells what there is.
 * @param {(line: string) => void} say one progress line
 * @returns {Promise<{ engines: import('./detect.mjs').Engine[], browser: import('./detect.mjs').Browser }>}
 */
export async function setUp(say) {
  const refusal = setUpRefusal()
  if (refusal !== null) {
    say(`Uses what is installed, installs nothing: ${refusal}`)
  } else {
    installPackages(say)
    await startDocker(say)
    preparePodman(say)
    await startPodmanServices(say)
  }
  return status(say)
}

/** Ends the daemons that the set-up started. @param {(line: string) => void} say @returns {Promise<boolean>} */
export async function tearDown(say) {
  let complete = true
  // By name, backwards: dockerd needs containerd to end.
  for (const daemon of ownDaemons().reverse()) {
    const stopped = await stopDaemon(daemon)
    say(`${daemon.name} (process ${daemon.pid}): ${stopped ? 'stopped' : 'DOES NOT STOP'}`)
    complete &&= stopped
  }
  return complete
}

async function status(say) {
  const [engines, browser] = await Promise.all([detectEngines(), detectBrowser()])
  for (const engine of engines) {
    say(engine.available ? `${engine.id} ${engine.version}` : `${engine.id}: not available, ${engine.reason}`)
    for (const note of engine.notes) say(`  ${note}`)
  }
  say(browser.file === null ? 'browser: not available, no Chromium or Chrome' : `browser ${browser.version}`)
  return { engines, browser }
}

async function main(command = 'up') {
  const say = (line) => process.stdout.write(`${line}\n`)
  if (command === 'up') await setUp(say)
  else if (command === 'status') await status(say)
  else if (command === 'down') process.exitCode = (await tearDown(say)) ? 0 : 1
  else {
    process.stderr.write(
      `Unknown command ${JSON.stringify(command)}\nUse: node test/setup/engines.mjs [up|status|down]\n`,
    )
    process.exitCode = 2
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv[2])
