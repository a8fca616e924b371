import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import * as documents from '../../src/config/documents.ts'
import { workspacePaths } from '../../src/config/paths.ts'
import { SETTINGS } from '../../src/config/settings.ts'
import * as id from '../../src/core/id.ts'
import { sourceFiles } from '../arch/tree.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

// Shells, service files and containers set or read these.
const SETTING_VARIABLES = {
  port: ['PLOINKY_PORT', 'ROUTER_PORT'],
  host: ['PLOINKY_HOST'],
  allowedHosts: ['PLOINKY_ALLOWED_HOSTS'],
  runtime: ['CONTAINER_RUNTIME', 'PLOINKY_RUNTIME'],
  sandbox: ['PLOINKY_SANDBOX'],
  profile: ['PLOINKY_PROFILE'],
  debug: ['PLOINKY_DEBUG'],
  fileLimit: ['PLOINKY_FILE_LIMIT'],
  mcpPrefix: ['PLOINKY_MCP_PREFIX'],
  readyTimeout: ['PLOINKY_READY_TIMEOUT'],
  blobLimit: ['PLOINKY_BLOB_LIMIT'],
  bodyLimit: ['PLOINKY_BODY_LIMIT'],
  terminalCommands: ['PLOINKY_TERMINAL_COMMANDS'],
  terminalScrollback: ['PLOINKY_TERMINAL_SCROLLBACK'],
  terminalLimit: ['PLOINKY_TERMINAL_LIMIT'],
  terminalAgentLimit: ['PLOINKY_TERMINAL_AGENT_LIMIT'],
  terminalDetached: ['PLOINKY_TERMINAL_DETACHED'],
  terminalLongest: ['PLOINKY_TERMINAL_LONGEST'],
  recordingLimit: ['PLOINKY_RECORDING_LIMIT'],
  recordingsTotal: ['PLOINKY_RECORDINGS_TOTAL'],
  recordingMaxAge: ['PLOINKY_RECORDING_MAX_AGE'],
  logMaxSize: ['PLOINKY_LOG_MAX_SIZE'],
  logMaxAge: ['PLOINKY_LOG_MAX_AGE'],
  logKeep: ['PLOINKY_LOG_KEEP'],
}
const OTHER_VARIABLES = [
  // Read by the program.
  'PLOINKY_ASSETS',
  'PLOINKY_DISABLE_HOST_SANDBOX',
  'PLOINKY_MASTER_KEY',
  'PLOINKY_WORKSPACE',
  // Kept in .ploinky/.secrets.
  'PLOINKY_AGENT_KEYS',
  'PLOINKY_OPERATOR_TOKEN',
  // Words of templates.
  'PLOINKY_WORKSPACE_ROOT',
  'PLOINKY_REPO_AUTH_',
  // Where MCP clients take the token from, when they call the router themselves.
  'PLOINKY_TOKEN',
  // Given to agents.
  'PLOINKY_AGENT_CONFIG',
  'PLOINKY_AGENT_NAME',
  'PLOINKY_AGENT_PRINCIPAL',
  'PLOINKY_BIND',
  'PLOINKY_CODE_DIR',
  'PLOINKY_CONTAINER_NAME',
  'PLOINKY_CREDENTIAL_FILE',
  'PLOINKY_CWD',
  'PLOINKY_INVOCATION_KEY_FILE',
  'PLOINKY_MCP_CONFIG_PATH',
  'PLOINKY_MCP_TASK_LOG_TAIL_BYTES',
  'PLOINKY_PORT_',
  'PLOINKY_PROFILE_ENV',
  'PLOINKY_REPO_NAME',
  'PLOINKY_TASKS_DIR',
  'PLOINKY_ROUTER_SOCKET',
  'PLOINKY_WORKLOAD',
  // Given to hooks.
  'PLOINKY_AGENT_DIR',
  'PLOINKY_HOOK',
  'PLOINKY_HOOK_TYPE',
  // Given to the commands of tools.
  'PLOINKY_ARG_',
  'PLOINKY_TASK_ID',
  'PLOINKY_DEPTH',
  // Between our own processes; nobody else sets them.
  'PLOINKY_DOCKER',
  'PLOINKY_EXEC',
  'PLOINKY_STDIO',
  'PLOINKY_GIT_PASSWORD',
  'PLOINKY_GIT_USER',
  'PLOINKY_PODMAN',
  'PLOINKY_SANDBOX_',
  'PLOINKY_SELF',
  'PLOINKY_TTY_COLS',
  'PLOINKY_TTY_NAME',
  'PLOINKY_TTY_ROWS',
  'PLOINKY_TTY_WORDS',
  'PLOINKY_TTY_WORD_',
]

test('environment variables of settings', () => {
  expect(Object.fromEntries(Object.entries(SETTINGS).map(([name, { env }]) => [name, env]))).toEqual(SETTING_VARIABLES)
})

test('no other environment variables', async () => {
  const found = new Set<string>()
  for (const path of sourceFiles(ROOT, ['src', 'runtimes', 'public'])) {
    // The shipped agents read what they are given, for example PLOINKY_ARG_BYTES.
    if (path.startsWith('src/repositories/')) continue
    const text = await readFile(join(ROOT, path), 'utf8')
    for (const [name] of text.matchAll(/PLOINKY_[A-Z][A-Z_]*/g)) found.add(name)
  }
  const settings = Object.values(SETTING_VARIABLES)
    .flat()
    .filter((name) => name.startsWith('PLOINKY_'))
  expect([...found].sort()).toEqual([...settings, ...OTHER_VARIABLES].sort())
})

test('names and labels of containers', () => {
  expect([id.LABEL_WORKSPACE, id.LABEL_AGENT, id.LABEL_SPEC, id.LABEL_JOB, id.LABEL_OWNER, id.LABEL_PORTS]).toEqual([
    'ploinky.workspace',
    'ploinky.agent',
    'ploinky.spec',
    'ploinky.job',
    'ploinky.owner',
    'ploinky.ports',
  ])
  expect(id.networkName('0a1b2c3d', 'shared')).toBe('ploinky-shared-0a1b2c3d')
  expect(id.workloadName('0a1b2c3d', 'demo')).toBe('ploinky-demo-0a1b2c3d')
})

test('files of a workspace', () => {
  const paths = workspacePaths('/w')
  const files = Object.values(paths).filter((value): value is string => typeof value === 'string')
  const folders = [paths.agentWork('a'), paths.agentCode('a'), paths.agentSkills('a')]
  expect([...files, ...folders].map((path) => relative('/w', path))).toEqual([
    '',
    '.ploinky',
    '.ploinky/repos',
    '.ploinky/running',
    '.ploinky/running/router.pid',
    '.ploinky/running/router.json',
    '.ploinky/running/router.lock',
    '.ploinky/running/change.lock',
    '.ploinky/logs',
    '.ploinky/logs/router.log',
    '.ploinky/logs/events.ndjson',
    '.ploinky/running/logs.lock',
    '.ploinky/blobs',
    '.ploinky/recordings',
    '.ploinky/running/terminals.json',
    '.ploinky/.secrets',
    '.ploinky/master-key',
    '.ploinky/profile',
    '.ploinky/history',
    '.ploinky/runtimes',
    '.ploinky/data',
    '.ploinky/shared',
    '.ploinky/deps',
    '.ploinky/tasks',
    '.ploinky/running/hidden',
    '.ploinky/sockets',
    'agents/a',
    'code/a',
    'skills/a',
  ])
})

test('state files and their versions', () => {
  const all = Object.values(documents).flatMap((value) =>
    typeof value === 'object' && 'name' in value && 'version' in value ? [`${value.name} ${value.version}`] : [],
  )
  expect(all.sort()).toEqual([
    'agents 1',
    'config.json 1',
    'consents.json 1',
    'default_skills.json 1',
    'enabled_repos.json 1',
    'exposed.json 1',
    'grants.json 1',
    'images.json 1',
    'mcp_endpoints.json 1',
    'repo_sources.json 1',
    'routing.json 1',
    'sessions.json 1',
    'supervisor.json 1',
    'tool_locks.json 1',
  ])
})
