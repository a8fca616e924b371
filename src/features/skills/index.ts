/** Skills of a repository in the workspace's `.agents/skills/`, for the assistants that look there. */
import { dirname, join } from 'node:path'
import { type SkillRecord, skillsDocument } from '../../config/documents.ts'
import type { WorkspacePaths } from '../../config/paths.ts'
import { PloinkyError } from '../../core/error.ts'
import { nearest, own } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import type { FileSystem, Hashing } from '../../platform/index.ts'
import type { Catalog } from '../repos/index.ts'
import { withIgnored } from './git-ignore.ts'
import { createSkillSource, type Skill, type SkillFile } from './source.ts'

export interface SkillChoice {
  readonly repo: string
  /** Null: all that are default. */
  readonly only: readonly string[] | null
  readonly skip: readonly string[]
}

export interface SkillChanges {
  readonly repository: string
  readonly skills: readonly string[]
  readonly written: readonly string[]
  readonly removed: readonly string[]
  /** Not touched: somebody else's, or changed since it was copied. */
  readonly kept: readonly string[]
  readonly unchanged: number
}

export interface Skills {
  install(choice: SkillChoice): Promise<SkillChanges>
  /** Removes what was copied and is still as it was copied. */
  remove(choice: SkillChoice): Promise<SkillChanges>
}

export interface SkillsOptions {
  fs: FileSystem
  hash: Hashing
  store: Store
  paths: WorkspacePaths
  catalog: Pick<Catalog, 'repos'>
}

const LINK = '.claude'
const LINK_TARGET = '.agents'
const skillOf = (path: string): string => path.split('/')[0] ?? ''

function choose(all: readonly Skill[], { repo, only, skip }: SkillChoice): string[] {
  const names = all.map(({ name }) => name)
  const unknown = [...(only ?? []), ...skip].find((name) => !names.includes(name))
  if (unknown !== undefined) {
    const near = nearest(unknown, names)
    const message = `Repository "${repo}" has no skill ${JSON.stringify(unknown.slice(0, 80))}`
    const hint = near === null ? `It has: ${names.join(', ') || 'none'}` : `Did you mean "${near}"?`
    throw new PloinkyError('USAGE_INVALID', message, { hint, details: { available: names } })
  }
  const wanted = only ?? all.filter(({ isDefault }) => isDefault).map(({ name }) => name)
  return [...new Set(wanted)].filter((name) => !skip.includes(name))
}

export function createSkills({ fs, hash, store, paths, catalog }: SkillsOptions): Skills {
  const target = join(paths.root, '.agents/skills')
  const ignoreFile = join(paths.root, '.gitignore')

  /** Nothing is written through a link: it may lead anywhere. */
  async function refuseLinks(skills: readonly string[]): Promise<void> {
    for (const path of [join(paths.root, '.agents'), target, ...skills.map((name) => join(target, name)), ignoreFile]) {
      if ((await fs.lstat(path))?.kind !== 'symlink') continue
      throw new PloinkyError('CONFLICT', `"${path}" is a link`, { hint: `Put a real one in its place: rm ${path}` })
    }
  }

  /** Digest of what is at a path; null: nothing, '': something that cannot be ours. */
  async function digestOf(path: string): Promise<string | null> {
    let at = target
    for (const part of path.split('/')) {
      at = join(at, part)
      const info = await fs.lstat(at)
      if (info === null) return null
      if (at === join(target, path)) break
      if (info.kind !== 'directory') return ''
    }
    if ((await fs.lstat(at))?.kind !== 'file') return ''
    const digest = hash.createSha256()
    for await (const chunk of fs.readStream(at)) digest.update(chunk)
    return digest.hex()
  }

  async function removeFile(path: string): Promise<void> {
    await fs.remove(join(target, path))
    for (let at = dirname(path); at !== '.'; at = dirname(at)) {
      if ((await fs.list(join(target, at))).length > 0) return
      await fs.remove(join(target, at))
    }
  }

  async function recordOf(repo: string): Promise<SkillRecord> {
    return own((await store.read(skillsDocument)).repos, repo) ?? {}
  }

  async function writeRecord(repo: string, files: SkillRecord): Promise<void> {
    await store.update(skillsDocument, ({ repos, link }) => {
      const { [repo]: _old, ...others } = repos
      return { link, repos: Object.keys(files).length === 0 ? others : { ...others, [repo]: files } }
    })
  }

  /** The link and the lines of .gitignore follow what is there. */
  async function settle(): Promise<void> {
    const { repos, link } = await store.read(skillsDocument)
    const skills = [...new Set(Object.values(repos).flatMap((files) => Object.keys(files).map(skillOf)))].sort()
    const path = join(paths.root, LINK)
    const current = (await fs.lstat(path))?.kind
    const isOurs = link && current === 'symlink' && (await fs.readLink(path)) === LINK_TARGET
    let made = isOurs
    if (skills.length > 0 && current === undefined) {
      await fs.symlink(LINK_TARGET, path)
      made = true
    } else if (skills.length === 0) {
      if (isOurs) await fs.remove(path)
      made = false
      for (const folder of [target, join(paths.root, '.agents')])
        if ((await fs.lstat(folder)) !== null && (await fs.list(folder)).length === 0) await fs.remove(folder)
    }
    if (made !== link) await store.update(skillsDocument, (now) => ({ ...now, link: made }))
    await ignore([...skills.map((name) => `/.agents/skills/${name}/`), ...(made ? [`/${LINK}`] : [])])
  }

  async function ignore(lines: readonly string[]): Promise<void> {
    const before = await fs.readText(ignoreFile)
    const after = withIgnored(before ?? '', lines)
    if (after === (before ?? '')) return
    if (after === '') await fs.remove(ignoreFile)
    else await fs.writeAtomic(ignoreFile, after, { mode: (await fs.stat(ignoreFile))?.mode ?? 0o644 })
  }

  async function sourceOf(repo: string) {
    const known = (await catalog.repos()).find(({ name, enabled }) => name === repo && enabled)
    const root = known === undefined ? null : await fs.realPath(known.path)
    if (root !== null) return createSkillSource(fs, hash, root)
    throw new PloinkyError('REPO_NOT_FOUND', `No enabled repository is named "${repo.slice(0, 100)}"`, {
      hint: 'Run: ploinky list repos',
    })
  }

  async function put(file: SkillFile, recorded: string | undefined): Promise<'written' | 'kept' | 'unchanged'> {
    const current = await digestOf(file.path)
    if (current !== null && current !== recorded) return 'kept'
    if (current === file.sha256) return 'unchanged'
    await fs.mkdir(dirname(join(target, file.path)))
    await fs.writeAtomic(join(target, file.path), file.data, { mode: file.mode })
    return 'written'
  }

  /** What was copied once and is no longer wanted, where it is still as it was copied. */
  async function drop(listed: readonly string[], record: Record<string, string>) {
    const removed: string[] = []
    const kept: string[] = []
    for (const path of listed) {
      const current = await digestOf(path)
      if (current !== null && current !== record[path]) kept.push(path)
      else if (current !== null) {
        await removeFile(path)
        removed.push(path)
      }
      delete record[path]
    }
    return { removed, kept }
  }

  return {
    async install(choice) {
      const source = await sourceOf(choice.repo)
      const skills = choose(await source.list(), choice)
      // Everything is looked at before anything is written.
      const files = (await Promise.all(skills.map((name) => source.read(name)))).flat()
      await refuseLinks(skills)
      withIgnored((await fs.readText(ignoreFile)) ?? '', [])
      const record = { ...(await recordOf(choice.repo)) }
      const written: string[] = []
      const kept: string[] = []
      for (const file of files) {
        const outcome = await put(file, own(record, file.path))
        if (outcome === 'kept') kept.push(file.path)
        else record[file.path] = file.sha256
        if (outcome === 'written') written.push(file.path)
      }
      const wanted = new Set(files.map(({ path }) => path))
      const gone = Object.keys(record).filter((path) => skills.includes(skillOf(path)) && !wanted.has(path))
      const dropped = await drop(gone, record)
      await writeRecord(choice.repo, record)
      await settle()
      return {
        repository: choice.repo,
        skills,
        written,
        removed: dropped.removed,
        kept: [...kept, ...dropped.kept],
        unchanged: files.length - written.length - kept.length,
      }
    },
    async remove(choice) {
      const record = { ...(await recordOf(choice.repo)) }
      const all = [...new Set(Object.keys(record).map(skillOf))]
      const skills = choose(
        all.map((name) => ({ name, isDefault: true })),
        choice,
      )
      await refuseLinks(skills)
      withIgnored((await fs.readText(ignoreFile)) ?? '', [])
      const listed = Object.keys(record).filter((path) => skills.includes(skillOf(path)))
      const { removed, kept } = await drop(listed, record)
      await writeRecord(choice.repo, record)
      await settle()
      return { repository: choice.repo, skills, written: [], removed, kept, unchanged: 0 }
    },
  }
}
