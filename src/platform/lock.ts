/**
 * Locks that survive crashes: each names its owner, and one whose owner is gone is cleared.
 * A lock is a symbolic link that points at its own description: made in one step, never seen half-written, and exclusive.
 */
import { mkdir, readFile, readlink, rm, symlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PloinkyError } from '../core/error.ts'
import { delay } from '../core/time.ts'
import { hashing } from './hashing.ts'
import type { LockOptions, ProcessInfo } from './index.ts'
import { onPath, systemError } from './system-error.ts'

interface Holder {
  pid: number
  startTicks: string | null
  what: string
}

interface Found {
  /** Names this one lock and no later one of the same path. */
  readonly id: string
  readonly text: string
  /** Null: the file is torn or foreign. It names nobody, so nobody holds it. */
  readonly holder: Holder | null
}

type InfoOf = (pid: number) => Promise<ProcessInfo | null>

const POLL_MS = 20
/** A link holds no more. */
const MAX_WHAT = 500

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code

/** What stands at the path, or null when nothing does any more. */
async function find(path: string): Promise<Found | null> {
  let text: string
  try {
    text = await readlink(path).catch((error: unknown) => {
      // A file, as locks of another kind are.
      if (codeOf(error) === 'EINVAL') return readFile(path, 'utf8')
      throw error
    })
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw systemError('read', path, error)
  }
  const id = hashing.sha256Hex(text).slice(0, 16)
  try {
    const { pid, startTicks, what } = JSON.parse(text) as Partial<Holder>
    if (typeof pid === 'number') return { id, text, holder: { pid, startTicks: startTicks ?? null, what: what ?? '' } }
  } catch {
    // Torn or foreign.
  }
  return { id, text, holder: null }
}

async function tryCreate(path: string, content: string): Promise<boolean> {
  try {
    await symlink(content, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw systemError('write', path, error)
  }
}

function locked({ pid, what }: Holder): PloinkyError {
  return new PloinkyError('LOCKED', `Process ${pid} is busy with this workspace: ${what}`, {
    hint: `Wait for process ${pid}, or end it if it hangs`,
    details: { pid, holding: what },
  })
}

export function createLock(infoOf: InfoOf) {
  async function isHeld({ holder }: Found): Promise<boolean> {
    const info = holder === null ? null : await infoOf(holder.pid)
    if (info === null || holder === null) return false
    return holder.startTicks === null || info.startTicks === null || info.startTicks === holder.startTicks
  }

  /**
   * Removes a lock whose owner is gone. Two that found the same dead lock must not both remove "it": the second would hit
   * the lock that the first has made meanwhile. So removing needs a lock of its own, named after the one dead lock.
   */
  async function clear(path: string, dead: Found, content: string): Promise<void> {
    const permit = `${path}.${dead.id}`
    if (!(await tryCreate(permit, content))) {
      const other = await find(permit)
      if (other === null) return
      if (await isHeld(other)) await delay(1)
      else await clear(permit, other, content)
      return
    }
    try {
      if ((await find(path))?.text === dead.text) await rm(path, { force: true })
    } finally {
      await rm(permit, { force: true })
    }
  }

  async function acquire(path: string, content: string, waitMs: number): Promise<void> {
    const deadline = Date.now() + waitMs
    while (!(await tryCreate(path, content))) {
      const current = await find(path)
      if (current === null) continue
      if (!(await isHeld(current))) {
        await clear(path, current, content)
        continue
      }
      if (Date.now() >= deadline && current.holder !== null) throw locked(current.holder)
      await delay(POLL_MS)
    }
  }

  return async function lock<T>(path: string, options: LockOptions, run: () => Promise<T>): Promise<T> {
    await onPath('write', dirname(path), mkdir(dirname(path), { recursive: true }))
    const self = await infoOf(process.pid)
    const content = JSON.stringify({
      pid: process.pid,
      startTicks: self?.startTicks ?? null,
      what: options.what.slice(0, MAX_WHAT),
      // The same process may lock the same path again, even within the same tick of the clock.
      nonce: hashing.randomToken(8),
    })
    await acquire(path, content, options.waitMs)
    try {
      return await run()
    } finally {
      // Only ours: the folder may have been removed and made anew by another.
      if ((await find(path).catch(() => null))?.text === content) await rm(path, { force: true })
    }
  }
}
