import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ParsedConfig } from './config.ts'
import { EMPTY_CONFIG, parseAgentConfig } from './config.ts'
import { LIMITS } from './limits.ts'

const FILE = 'mcp-config.json'

/** Where an agent's configuration may be, first match wins: four variables, the staging folder, the code directory, here. */
export function configCandidates(
  env: Readonly<Record<string, string | undefined>>,
  dirs: { codeDir: string; cwd: string },
): string[] {
  const named = ['PLOINKY_AGENT_CONFIG', 'MCP_CONFIG_FILE', 'AGENT_CONFIG_FILE', 'PLOINKY_MCP_CONFIG_PATH'].map(
    (name) => env[name],
  )
  const places = [...named, `/tmp/ploinky/${FILE}`, join(dirs.codeDir, FILE), join(dirs.cwd, FILE)]
  return [...new Set(places.filter((place): place is string => place !== undefined && place !== ''))]
}

/** Which file it is and in what state: differs whenever `loadConfig` may answer something else. Null when there is none. */
export function configStamp(candidates: readonly string[]): string | null {
  const path = candidates.find(isFile)
  const info = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false, bigint: true })
  return info === undefined ? null : `${path}:${info.ino}:${info.mtimeNs}:${info.size}`
}

/** Reads the first configuration that exists; without one the agent simply offers nothing. */
export function loadConfig(candidates: readonly string[], codeDir: string): ParsedConfig & { path?: string } {
  const path = candidates.find(isFile)
  if (path === undefined) return { config: EMPTY_CONFIG, errors: [], warnings: [] }
  const failed = (found: string, expected: string, hint: string): ParsedConfig & { path: string } => ({
    path,
    errors: [{ path: '', found, expected, hint }],
    warnings: [],
  })
  try {
    const size = statSync(path).size
    if (size > LIMITS.configBytes)
      return failed(`${size} bytes`, `at most ${LIMITS.configBytes} bytes`, 'Shorten it or split the agent')
    return {
      path,
      ...parseAgentConfig(readFileSync(path, 'utf8'), { codeDir, hasFile: (name) => isFile(join(codeDir, name)) }),
    }
  } catch (error) {
    return failed(
      (error as NodeJS.ErrnoException).code ?? 'an error',
      'a readable file',
      `Check the permissions of "${path}"`,
    )
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}
