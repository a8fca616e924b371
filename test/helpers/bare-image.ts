/** An image that holds one static program and nothing else, as distroless ones do; made without a registry. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runtimeName } from './workspace.ts'

export const BARE_IMAGE = 'docker.io/ploinky-test/distroless:1'
const BUSYBOX = '/usr/bin/busybox'

const call = (args: readonly string[], input?: Buffer): void =>
  void execFileSync(runtimeName, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'ignore', 'pipe'], input })

/** False where there is no static program to make it of. */
export function makeBareImage(): boolean {
  if (!existsSync(BUSYBOX)) return false
  const folder = mkdtempSync(join(tmpdir(), 'ploinky-bare-'))
  try {
    for (const name of ['dev', 'etc', 'proc', 'sys', 'tmp']) mkdirSync(join(folder, name))
    copyFileSync(BUSYBOX, join(folder, 'busybox'))
    const archive = execFileSync('tar', ['-C', folder, '--owner=0', '--group=0', '-cf', '-', '.'], {
      maxBuffer: 64 * 1024 * 1024,
    })
    call(['import', '--change', 'CMD ["/busybox"]', '-', BARE_IMAGE], archive)
    return true
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function removeBareImage(): void {
  try {
    call(['image', 'rm', '--force', BARE_IMAGE])
  } catch {
    // Gone already.
  }
}
