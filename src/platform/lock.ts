/** Lock files that survive crashes: the file names its owner, and a lock whose owner is gone is taken over. */
import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PloinkyError } from '../core/error.ts'
import { delay } from '../core/time.ts'
import type { LockOptions, ProcessInfo } from './index.ts'

interface Holder {
  pid: number
  startTicks: string | null
  what: string
  nonce: string
}

type InfoOf = (pid: number) => Promise<ProcessInfo | null>

async function readHolder(path: string): Promise<{ text: string; holder: Holder | null } | null> {
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return null
  try {
    const value = JSON.parse(text) as Partial<Holder>
    if (typeof value.pid === 'number' && typeof value.nonce === 'string') {
      return {
        text,
        holder: { pid: value.pid, startTicks: value.startTicks ?? null, what: value.what ?? '', nonce: value.nonce },
      }
    }
  } catch {
    // Not JSON: a torn or foreign file. It names nobody, so nobody holds it.
  }
  return { text, holder: null }
}

async function isAlive(holder: Holder, infoOf: InfoOf): Promise<boolean> {
  const info = await infoOf(holder.pid)
  return (
    info !== null && (holder.startTicks === null || info.startTicks === null || info.startTicks === holder.startTicks)
  )
}

/** Creates the lock with its content in one step (link fails when the file exists), so nobody ever sees an empty lock. */
async function tryCreate(path: string, content: string): Promise<boolean> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(temporary, content, { mode: 0o600, flag: 'wx' })
  try {
    await link(temporary, path)
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Moves a dead owner's lock away. Moving is atomic, so of two takers one gets the file; what it got is checked again. */
async function takeOver(path: string, stale: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}.stale`
  try {
    await rename(path, aside)
  } catch {
    return
  }
  const moved = await readFile(aside, 'utf8').catch(() => null)
  if (moved !== null && moved !== stale) await link(aside, path).catch(() => {})
  await rm(aside, { force: true })
}

export function createLock(infoOf: InfoOf) {
  return async function lock<T>(path: string, options: LockOptions, run: () => Promise<T>): Promise<T> {
    await mkdir(dirname(path), { recursive: true })
    const self = await infoOf(process.pid)
    const mine: Holder = {
      pid: process.pid,
      startTicks: self?.startTicks ?? null,
      what: options.what,
      nonce: randomBytes(8).toString('hex'),
    }
    const content = JSON.stringify(mine)
    const deadline = Date.now() + options.waitMs
    for (;;) {
      if (await tryCreate(path, content)) break
      const current = await readHolder(path)
      if (current === null) continue
      if (current.holder === null || !(await isAlive(current.holder, infoOf))) {
        await takeOver(path, current.text)
        continue
      }
      if (Date.now() >= deadline) {
        throw new PloinkyError(
          'LOCKED',
          `Process ${current.holder.pid} is busy with this workspace: ${current.holder.what}`,
          {
            hint: `Wait for process ${current.holder.pid}, or end it if it hangs`,
            details: { pid: current.holder.pid, holding: current.holder.what },
          },
        )
      }
      await delay(20)
    }
    try {
      return await run()
    } finally {
      // Only ours: after a takeover (this process was stopped for long) the file belongs to another.
      if ((await readFile(path, 'utf8').catch(() => null)) === content) await rm(path, { force: true })
    }
  }
}
