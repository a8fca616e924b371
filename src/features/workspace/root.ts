/** Where the workspace is: `--workspace`, `PLOINKY_WORKSPACE`, the nearest ancestor with `.ploinky/`, else the current folder. */
import { dirname, join, resolve } from 'node:path'
import { WORKSPACE_DIR } from '../../config/paths.ts'
import { PloinkyError } from '../../core/error.ts'
import type { FileSystem } from '../../platform/index.ts'

export interface RootInput {
  readonly flag: string | undefined
  readonly env: string | undefined
  readonly cwd: string
}

export async function findWorkspaceRoot(fs: FileSystem, input: RootInput): Promise<string> {
  const named = input.flag ?? (input.env === '' ? undefined : input.env)
  if (named !== undefined) {
    const root = await fs.realPath(resolve(input.cwd, named))
    if (root !== null && (await fs.stat(root))?.kind === 'directory') return root
    const what = root === null ? 'No such folder' : 'Not a folder'
    throw new PloinkyError('WORKSPACE_NOT_FOUND', `${what}: ${JSON.stringify(named.slice(0, 200))}`, {
      hint: root === null && /^[\w./-]+$/.test(named) ? `Create it: mkdir -p ${named}` : 'Name a folder that exists',
    })
  }
  const start = (await fs.realPath(input.cwd)) ?? input.cwd
  for (let folder = start; ; folder = dirname(folder)) {
    if ((await fs.stat(join(folder, WORKSPACE_DIR)))?.kind === 'directory') return folder
    if (dirname(folder) === folder) return start
  }
}
