/** What an agent's `package.json` asks for. Pure. */
import { parseJson } from '../../core/json.ts'
import { PloinkyError } from '../../core/error.ts'

/** Names as the npm registry has them, scopes included; they become folder names. */
const PACKAGE = /^(?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*$/i

export interface PackageNeeds {
  /** Names that have to be there after an install. */
  readonly names: readonly string[]
  /** Paths, relative to the package, of archives that are installed from (`file:vendor/x.tgz`). */
  readonly files: readonly string[]
}

/** Null: it asks for nothing. CONFIG_INVALID for what is no package.json. */
export function packageNeeds(text: string, file: string): PackageNeeds | null {
  const fail = (problem: string): never => {
    throw new PloinkyError('CONFIG_INVALID', `Invalid "${file}": ${problem}`, { hint: `Correct it: ${file}` })
  }
  const json = parseJson(text)
  if (!json.ok) return fail(json.problem)
  if (typeof json.value !== 'object' || json.value === null) return fail('expected an object')
  const { dependencies = {} } = json.value as { dependencies?: unknown }
  if (typeof dependencies !== 'object' || dependencies === null) return fail('dependencies: expected an object')
  const entries = Object.entries(dependencies)
  for (const [name, version] of entries) {
    if (!PACKAGE.test(name)) fail(`dependencies: not the name of a package: ${JSON.stringify(name.slice(0, 80))}`)
    if (typeof version !== 'string') fail(`dependencies.${name}: expected text`)
  }
  if (entries.length === 0) return null
  const files = entries.flatMap(([name, version]) => {
    const path = /^file:(.+)$/.exec(String(version))?.[1]
    if (path === undefined) return []
    if (path.startsWith('/') || path.split('/').includes('..') || !/\.(?:tgz|tar\.gz)$/.test(path))
      return fail(`dependencies.${name}: expected an archive below the folder, such as "file:vendor/x.tgz"`)
    return [path.replace(/^\.\//, '')]
  })
  return { names: entries.map(([name]) => name), files }
}
