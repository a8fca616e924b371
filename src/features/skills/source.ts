/** The skills of a repository, read as what strangers wrote: names, links and sizes are checked before anything is copied. */
import { join } from 'node:path'
import * as z from 'zod/mini'
import { problemsOf, problemText } from '../../config/check.ts'
import { PloinkyError } from '../../core/error.ts'
import { isName } from '../../core/id.ts'
import type { FileSystem, Hashing } from '../../platform/index.ts'

const MANIFEST = 'ploinky-skills-manifest.json'
const MAX_MANIFEST_BYTES = 256 * 1024
const MAX_FILE_BYTES = 1024 * 1024
/** Of one skill. */
const MAX_FILES = 500
const MAX_SKILL_BYTES = 8 * 1024 * 1024
const MAX_DEPTH = 8
const FILE_NAME = /^[A-Za-z0-9_.@+][A-Za-z0-9_.@+ -]{0,127}$/

const skillEntry = z.union([z.string(), z.strictObject({ name: z.string(), default: z.optional(z.boolean()) })])
const manifestSchema = z.strictObject({ skills: z.array(skillEntry) })

export interface Skill {
  readonly name: string
  /** Taken without being asked for by name. */
  readonly isDefault: boolean
}

export interface SkillFile {
  /** `<skill>/<path>`, with `/`. */
  readonly path: string
  readonly data: Uint8Array
  readonly sha256: string
  readonly mode: number
}

export interface SkillSource {
  list(): Promise<Skill[]>
  read(skill: string): Promise<SkillFile[]>
}

function refused(path: string, problem: string): PloinkyError {
  return new PloinkyError('CONFIG_INVALID', `Cannot take ${JSON.stringify(path.slice(0, 200))}: ${problem}`, {
    hint: 'Correct it in the repository, or leave the skill out with --skip',
    details: { path: path.slice(0, 200) },
  })
}

/** `root`: real path of the repository. */
export function createSkillSource(fs: FileSystem, hash: Hashing, root: string): SkillSource {
  const folder = join(root, 'skills')
  const isInside = (path: string | null): path is string => path !== null && path.startsWith(`${root}/`)

  async function listed(names: readonly string[]): Promise<Skill[] | null> {
    const file = join(root, MANIFEST)
    const real = await fs.realPath(file)
    if (real === null) return null
    if (!isInside(real)) throw refused(MANIFEST, 'it leads out of the repository')
    const text = (await fs.readText(real, { maxBytes: MAX_MANIFEST_BYTES })) ?? ''
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      throw refused(MANIFEST, `it is not JSON (${(error as Error).message})`)
    }
    const result = manifestSchema.safeParse(value)
    if (!result.success) throw refused(MANIFEST, problemText(problemsOf(result.error, value)))
    const skills = result.data.skills.map((entry) =>
      typeof entry === 'string'
        ? { name: entry, isDefault: true }
        : { name: entry.name, isDefault: entry.default !== false },
    )
    const missing = skills.find(({ name }) => !names.includes(name))
    if (missing !== undefined) throw refused(MANIFEST, `there is no skill ${JSON.stringify(missing.name.slice(0, 80))}`)
    return skills
  }

  async function bytesOf(path: string, name: string): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of fs.readStream(path)) {
      size += chunk.byteLength
      if (size > MAX_FILE_BYTES) throw refused(name, `it is larger than ${MAX_FILE_BYTES} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }

  async function readFile(path: string): Promise<SkillFile> {
    const real = await fs.realPath(join(folder, path))
    if (!isInside(real)) throw refused(path, 'it leads out of the repository')
    const info = await fs.lstat(real)
    // A pipe or a device would never end.
    if (info?.kind !== 'file') throw refused(path, 'it is not a file')
    const data = await bytesOf(real, path)
    return { path, data, sha256: hash.sha256Hex(data), mode: (info.mode & 0o111) === 0 ? 0o644 : 0o755 }
  }

  return {
    async list() {
      if (!isInside(await fs.realPath(folder))) return []
      const names: string[] = []
      for (const name of await fs.list(folder)) {
        // A folder that is not one itself is a link, maybe to somewhere else.
        if ((await fs.lstat(join(folder, name)))?.kind !== 'directory') continue
        if (!isName(name)) throw refused(`skills/${name}`, 'such a name is not allowed')
        names.push(name)
      }
      return (await listed(names)) ?? names.map((name) => ({ name, isDefault: true }))
    },
    async read(skill) {
      const files: SkillFile[] = []
      let bytes = 0
      const walk = async (path: string, depth: number): Promise<void> => {
        if (depth > MAX_DEPTH) throw refused(path, `folders are deeper than ${MAX_DEPTH}`)
        for (const name of await fs.list(join(folder, path))) {
          const below = `${path}/${name}`
          if (!FILE_NAME.test(name) || name === '.git') throw refused(below, 'such a name is not allowed')
          if ((await fs.lstat(join(folder, below)))?.kind === 'directory') {
            await walk(below, depth + 1)
            continue
          }
          if (files.length >= MAX_FILES) throw refused(skill, `it has more than ${MAX_FILES} files`)
          const file = await readFile(below)
          bytes += file.data.byteLength
          if (bytes > MAX_SKILL_BYTES) throw refused(skill, `it is larger than ${MAX_SKILL_BYTES} bytes`)
          files.push(file)
        }
      }
      await walk(skill, 1)
      return files
    },
  }
}
