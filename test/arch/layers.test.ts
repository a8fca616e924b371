import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { cruiseTree, ruleNames } from './cruise.ts'
import { SEEDS } from './seeds.ts'
import { sourceFiles } from './tree.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

describe('layers', () => {
  test('the tree keeps all rules', { timeout: 120_000 }, async () => {
    const { violations, sources } = await cruiseTree(ROOT)
    expect(violations).toEqual([])
    // A rule about a folder that was renamed would never find anything.
    for (const part of PARTS)
      expect({ part, found: sources.some((path) => path.startsWith(part)) }).toEqual({ part, found: true })
  })

  test('a small tree without faults keeps all rules', async () => {
    expect(await violationsOf({})).toEqual([])
  })

  test('there is a fault to find for every rule', () => {
    expect(Object.keys(SEEDS).sort()).toEqual([...ruleNames].sort())
  })

  test.each(Object.entries(SEEDS))('%s finds its fault', async (rule, files) => {
    const found = await violationsOf(files)
    expect(found.map((violation) => violation.rule)).toContain(rule)
    // One fault, one rule (or its stricter neighbour): a rule that shouts at everything proves nothing.
    expect(found.every(({ from }) => Object.keys(files).includes(from))).toBe(true)
  })

  test('no comment turns a check off', async () => {
    const found: string[] = []
    for (const path of sourceFiles(ROOT, ['src', 'runtimes', 'public', 'test'])) {
      const lines = (await readFile(join(ROOT, path), 'utf8')).split('\n')
      lines.forEach((line, index) => {
        if (DISABLING.test(line)) found.push(`${path}:${index + 1}: ${line.trim()}`)
      })
    }
    expect(found).toEqual([])
  })
})

/** Each partition that a rule speaks about. */
const PARTS = [
  'src/core/',
  'src/config/',
  'src/platform/',
  'src/platform/relay/',
  'src/features/',
  'src/http/',
  'src/cli/bin.ts',
  'src/agent/',
  'src/tools/',
  'src/repositories/builtin/',
  'src/compose.ts',
  'runtimes/adapter.ts',
  'runtimes/cli/',
  'runtimes/process/',
  'runtimes/docker/',
  'runtimes/podman/',
  'runtimes/host/',
  'runtimes/bwrap/',
  'runtimes/fake/',
  'public/shared/',
  'public/dashboard/',
]

/** Put together here, so that this file does not find itself. */
const DISABLING = new RegExp(
  [
    ['(?:ox|es)lint', '-(?:disable|enable)'],
    ['@ts', '-(?:ignore|expect-error|nocheck)'],
    ['knip', '-ignore'],
    ['(?:v8|c8|istanbul)', ' ignore'],
  ]
    .map((parts) => `(?:${parts.join('')})`)
    .join('|'),
)

/** A product in miniature that keeps every rule; a seed adds to it or replaces parts of it. */
const CLEAN: Readonly<Record<string, string>> = {
  'package.json': '{ "type": "module" }',
  'node_modules/execa/package.json': '{ "name": "execa", "type": "module", "exports": "./index.js" }',
  'node_modules/execa/index.js': 'export const execa = 1\n',
  'node_modules/zod/package.json': '{ "name": "zod", "type": "module", "exports": "./index.js" }',
  'node_modules/zod/index.js': 'export const z = 1\n',
  'src/core/error.ts': "import { z } from 'zod'\nexport const error = z\nexport type Code = string\n",
  'src/config/paths.ts':
    "import { join } from 'node:path'\nimport { error } from '../core/error.ts'\nexport const paths = [join, error]\n",
  'src/platform/index.ts': "import { z } from 'zod'\nexport interface Platform { z: typeof z }\n",
  'src/platform/node.ts':
    "import { readFileSync } from 'node:fs'\nimport { execa } from 'execa'\nexport const node = [readFileSync, execa]\n",
  'src/features/agents/index.ts':
    "import type { Platform } from '../../platform/index.ts'\nexport type Agents = Platform\nexport const agents = 1\n",
  'src/features/agents/plan.ts': 'export const plan = 1\n',
  'src/features/router/index.ts': "import { agents } from '../agents/index.ts'\nexport const router = agents\n",
  'src/features/mcp/index.ts': "export const mcp = () => import('../../agent/main.ts')\n",
  'src/http/app.ts':
    "import type { Agents } from '../features/agents/index.ts'\nimport { command } from '../cli/command.ts'\nexport const app: Agents[] = []\nexport const shared = command\n",
  'src/cli/command.ts':
    "import type { Platform } from '../platform/index.ts'\nexport const command = (platform: Platform) => platform\n",
  'src/cli/bin.ts': "import { compose } from '../compose.ts'\ncompose()\n",
  'src/compose.ts':
    "import { docker } from '../runtimes/docker/index.ts'\nimport { router } from './features/router/index.ts'\nimport { node } from './platform/node.ts'\nexport const compose = () => [docker, router, node]\n",
  'src/agent/main.ts':
    "import { createServer } from 'node:http'\nimport { error } from '../core/error.ts'\nexport const main = [createServer, error]\n",
  'src/tools/build.mjs': "import { rmSync } from 'node:fs'\nexport const build = rmSync\n",
  'src/repositories/builtin/demo/code/tool.mjs':
    "import { readFileSync } from 'node:fs'\nexport const tool = readFileSync\n",
  'runtimes/adapter.ts': "import type { Platform } from '../src/platform/index.ts'\nexport type Adapter = Platform\n",
  'runtimes/cli/exec.ts': "import { error } from '../../src/core/error.ts'\nexport const exec = error\n",
  'runtimes/docker/index.ts':
    "import { exec } from '../cli/exec.ts'\nimport type { Adapter } from '../adapter.ts'\nexport const docker: Adapter[] = []\nexport const run = exec\n",
  'runtimes/podman/index.ts': 'export const podman = 1\n',
  'runtimes/process/record.ts':
    "import { exec } from '../cli/exec.ts'\nimport { error } from '../../src/core/error.ts'\nexport const record = [exec, error]\n",
  'runtimes/host/index.ts': "import { record } from '../process/record.ts'\nexport const host = record\n",
  'public/dashboard/main.ts': "import type { Code } from '../../src/core/error.ts'\nexport const page: Code[] = []\n",
}

async function violationsOf(seed: Readonly<Record<string, string>>) {
  const root = await mkdtemp(join(tmpdir(), 'ploinky-layers-'))
  try {
    for (const [path, text] of Object.entries({ ...CLEAN, ...seed })) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), text)
    }
    return (await cruiseTree(root)).violations
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}
