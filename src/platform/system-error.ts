/** Errors of the operating system on a path, as errors that a person can act on. */
import { dirname } from 'node:path'
import { isPloinkyError, PloinkyError, quoteWord } from '../core/error.ts'

export type FileAction = 'read' | 'write' | 'list' | 'remove'

/** What is wrong, and what to do about it; by the codes of errno(3). */
const MEANINGS: Readonly<Record<string, readonly [problem: string, hint: (path: string) => string]>> = {
  EACCES: ['permission denied', (path) => `Run: ls -ld ${quoteWord(path)}, and give yourself access`],
  EPERM: ['not permitted', (path) => `Run: ls -ld ${quoteWord(path)}, and give yourself access`],
  EROFS: ['the disk is read-only', (path) => `Use a folder that can be written; see: df ${quoteWord(dirname(path))}`],
  ENOSPC: ['the disk is full', (path) => `Free some space; see: df -h ${quoteWord(dirname(path))}`],
  EDQUOT: ['your share of the disk is used up', (path) => `Free some space; see: df -h ${quoteWord(dirname(path))}`],
  EISDIR: ['a folder is in its place', (path) => `Move it away: mv ${quoteWord(path)} ${quoteWord(`${path}.old`)}`],
  EEXIST: ['something else is in its place', (path) => `Look at it: ls -ld ${quoteWord(path)}`],
  ENOTDIR: ['a part of the path is a file, not a folder', (path) => `Look at it: ls -ld ${quoteWord(dirname(path))}`],
  ENOTEMPTY: ['something is still written there', (path) => `Look into it: ls -la ${quoteWord(path)}`],
  ELOOP: ['its links go round in a circle', (path) => `Look at it: ls -l ${quoteWord(path)}`],
  ENAMETOOLONG: ['the name is too long for this file system', () => 'Use a shorter path'],
  ENOENT: ['its folder does not exist', (path) => `Look for it: ls -ld ${quoteWord(dirname(path))}`],
  EMFILE: ['too many open files', () => 'Allow more: ulimit -n 65536'],
  ENFILE: ['too many open files on this machine', () => 'Close some programs'],
  EIO: ['the disk does not work', () => 'See the log of the kernel: dmesg'],
}

/** CONFIG_INVALID for the errors that a person can act on; anything else is given back as it came. */
export function systemError(action: FileAction, path: string, error: unknown): unknown {
  if (isPloinkyError(error)) return error
  const code = (error as { code?: unknown } | null)?.code
  const meaning = typeof code === 'string' && Object.hasOwn(MEANINGS, code) ? MEANINGS[code] : undefined
  if (meaning === undefined) return error
  return new PloinkyError('CONFIG_INVALID', `Cannot ${action} "${path}": ${meaning[0]}`, {
    hint: meaning[1](path),
    details: { file: path, system: code },
    cause: error,
  })
}

/** Waits for a call on a path; what it throws is made readable. */
export async function onPath<T>(action: FileAction, path: string, call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw systemError(action, path, error)
  }
}
