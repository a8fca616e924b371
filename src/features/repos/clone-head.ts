/** Where a clone stands, from its files: listing twenty repositories must not start twenty programs. */
import { join } from 'node:path'
import type { FileSystem } from '../../platform/index.ts'

export interface Head {
  /** Null: no branch is checked out. */
  readonly branch: string | null
  readonly commit: string | null
}

const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/
const NONE: Head = { branch: null, commit: null }
/** `packed-refs` of a shallow clone has a line or two. */
const MAX_BYTES = 1024 * 1024

/** Null when the folder is no clone (gitrepository-layout(5)). */
export async function headOf(fs: FileSystem, dir: string): Promise<Head | null> {
  const git = join(dir, '.git')
  if ((await fs.lstat(git))?.kind !== 'directory') return null
  const read = async (name: string): Promise<string> => {
    const text = await fs.readText(join(git, name), { maxBytes: MAX_BYTES }).catch(() => null)
    return text?.trim() ?? ''
  }
  const head = await read('HEAD')
  if (COMMIT.test(head)) return { branch: null, commit: head }
  const branch = /^ref: refs\/heads\/([^\s\0]+)$/.exec(head)?.[1]
  if (branch === undefined || branch.split('/').includes('..')) return NONE
  const ref = `refs/heads/${branch}`
  const loose = await read(ref)
  if (COMMIT.test(loose)) return { branch, commit: loose }
  const packed = (await read('packed-refs')).split('\n').find((line) => line.endsWith(` ${ref}`))
  const commit = packed?.split(' ')[0] ?? ''
  return { branch, commit: COMMIT.test(commit) ? commit : null }
}
