import { watch } from 'node:fs'

/** Changes of one save come in several steps; they are looked at when it has been quiet for this long (ms). */
const SETTLE_MS = 100
/** Bind mounts from another machine's disk (virtual machines of desktop engines) tell nothing, so the file is looked at too (ms). */
const POLL_MS = 2000

interface Watched {
  /** What the file looks like now; null when it is missing, which is the middle of a replacement and no news. */
  stamp: () => string | null
  /** What it looked like when it was read. */
  first: string | null
  folder: string
}

/** Calls back when the configuration has changed and is quiet again. Does not keep the process alive. */
export function watchConfig({ stamp, first, folder }: Watched, onChange: () => void): () => void {
  let last = first
  let settling: ReturnType<typeof setTimeout> | undefined
  const look = (): void => {
    const now = stamp()
    if (now === null || now === last) return
    clearTimeout(settling)
    settling = setTimeout(() => {
      const settled = stamp()
      // Still being written: the next look decides.
      if (settled !== now) return look()
      last = settled
      onChange()
    }, SETTLE_MS)
    settling.unref()
  }
  const poll = setInterval(look, POLL_MS)
  poll.unref()
  const stopWatching = watchFolder(folder, look)
  return () => {
    clearTimeout(settling)
    clearInterval(poll)
    stopWatching()
  }
}

/** The folder and not the file: editors replace files, and a watched file that is gone tells nothing any more. */
function watchFolder(folder: string, onChange: () => void): () => void {
  try {
    const watcher = watch(folder, { persistent: false }, () => onChange())
    // The folder is gone, or the system has no more watches: the poll remains.
    watcher.on('error', () => watcher.close())
    return () => watcher.close()
  } catch {
    return () => undefined
  }
}
