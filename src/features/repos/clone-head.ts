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
  const read = (name: string): Promise<string | null> =>
    fs.readText(join(git, name), { maxBytes: MAX_BYTES }).catch(() => null)
  const head = (await read('HEAD'))?.trim() ?? ''
  if (COMMIT.test(head)) return { branch: null, commit: head }
  const ref = /^ref: (refs\/heads\/([^\s\0]+))$/.exec(head)
  const [, path = '', branch = null] = ref ?? []
  if (branch === null || path.split('/').includes('..')) return NONE
  const loose = (await read(path))?.trim() ?? ''
  if (COMMIT.test(loose)) return { branch, commit: loose }
  const packed = (await read('packed-refs')) ?? ''
  const line = packed.split('\n').find((text) => text.endsWith(` ${path}`))
  const commit = line?.split(' ')[0] ?? ''
  return { branch, commit: COMMIT.test(commit) ? commit : null }
}
