/** Builds the Platform of the JavaScript runtime that this runs on. */
import { homedir, hostname, tmpdir, userInfo } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PloinkyError } from '../core/error.ts'
import { denoCommand, denoVersion } from './deno.ts'
import { createFileSystem } from './files.ts'
import { hashing } from './hashing.ts'
import type { Platform, Terminal } from './index.ts'
import { createLock } from './lock.ts'
import { createNetwork } from './network.ts'
import { nodeCommand } from './node.ts'
import { createProcesses } from './processes.ts'
import { onSignal } from './signals.ts'
import { createTerminal } from './terminal.ts'

/** `dist`, both when this file is a chunk in it and when it is run from source. */
function findAssets(): string {
  const here = dirname(fileURLToPath(import.meta.url))
  if (here.endsWith(join('src', 'platform'))) return join(dirname(dirname(here)), 'dist')
  return here.split(sep).at(-1) === 'chunks' ? dirname(here) : here
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A uid without an entry in the password database (containers): the number will do.
    return String(process.getuid?.() ?? '')
  }
}

/** `terminal`: the one that the program uses already. */
function currentFolder(): string {
  try {
    return process.cwd()
  } catch (error) {
    throw new PloinkyError('WORKSPACE_NOT_FOUND', 'The current folder no longer exists', {
      hint: 'Change to a folder that exists, for example: cd ~',
      cause: error,
    })
  }
}

export function createPlatform(terminal: Terminal = createTerminal()): Platform {
  const processes = createProcesses()
  const version = denoVersion()
  return {
    runtime: version === null ? { name: 'node', version: process.versions.node } : { name: 'deno', version },
    os: {
      platform: process.platform,
      arch: process.arch,
      uid: process.getuid?.() ?? -1,
      user: userName(),
      homeDir: homedir(),
      tempDir: tmpdir(),
      hostname: hostname(),
    },
    env: process.env,
    pid: process.pid,
    cwd: currentFolder,
    assetsDir: process.env['PLOINKY_ASSETS'] ?? findAssets(),
    fs: createFileSystem(),
    processes,
    hash: hashing,
    net: createNetwork(processes),
    terminal,
    lock: createLock(processes.info),
    selfCommand: version === null ? nodeCommand : denoCommand,
    onSignal,
    pty: async () => (await import('./pty.ts')).loadPty(),
  }
}
