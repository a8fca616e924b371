/** The nearest `.env`, from the workspace upward to the home folder (or `/` outside of it). */
import { dirname, join } from 'node:path'
import { isPloinkyError } from '../../core/error.ts'
import type { FileSystem } from '../../platform/index.ts'
import { parseDotEnv } from './dotenv.ts'
import type { DotEnv } from './types.ts'

const MAX_BYTES = 1024 * 1024

export interface FindDotEnvOptions {
  readonly fs: FileSystem
  readonly root: string
  readonly home: string
  /** This user; below 0 where the system has none. */
  readonly uid: number
  readonly onWarning: (message: string) => void
}

/** Folders that are looked into, nearest first. */
export function foldersUpward(root: string, home: string): string[] {
  const folders: string[] = []
  for (let folder = root; ; folder = dirname(folder)) {
    folders.push(folder)
    if (folder === home || folder === dirname(folder)) return folders
  }
}

/**
 * Null when there is none, or when the nearest one may not be believed: somebody else's, or one that anybody may write. Then no
 * other is looked for either: which file counts must not depend on who put one in between. Wrong lines are warnings.
 */
export async function findDotEnv(options: FindDotEnvOptions): Promise<DotEnv | null> {
  const { fs, root, home, onWarning } = options
  for (const folder of foldersUpward(root, home)) {
    const file = join(folder, '.env')
    // A folder of this name is a Python environment.
    const info = await fs.stat(file)
    if (info === null || info.kind === 'directory') continue
    const refusal = await refusalOf(file, options)
    if (refusal !== null) {
      onWarning(`${file} is not read: ${refusal}`)
      return null
    }
    return await read(file, options)
  }
  return null
}

async function refusalOf(file: string, { fs, uid }: FindDotEnvOptions): Promise<string | null> {
  const [target, link] = await Promise.all([fs.stat(file), fs.lstat(file)])
  if (target === null || link === null) return 'it is gone'
  if (target.kind !== 'file') return 'it is not a file'
  // The system's own is as good as this user's.
  const strangers = [target, link].map((info) => info.uid).filter((owner) => owner !== uid && owner !== 0)
  if (uid >= 0 && strangers.length > 0) return `it belongs to another user (${strangers[0]})`
  if ((target.mode & 0o002) !== 0) return `everybody may write it; run: chmod o-w ${file}`
  return null
}

async function read(file: string, { fs, onWarning }: FindDotEnvOptions): Promise<DotEnv | null> {
  const text = await fs.readText(file, { maxBytes: MAX_BYTES }).catch((error: unknown) => {
    if (!isPloinkyError(error)) throw error
    onWarning(error.message)
    return null
  })
  if (text === null) return null
  const { values, problems } = parseDotEnv(text)
  for (const { line, message } of problems) onWarning(`${file} line ${line}: ${message}`)
  return { file, values }
}
