/** One fault for each rule of layers.config.mjs: files that are added to a small clean tree. */
export const SEEDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'no-circular': {
    'src/core/a.ts': "import { b } from './b.ts'\nexport const a = () => b\n",
    'src/core/b.ts': "import { a } from './a.ts'\nexport const b = () => a\n",
  },
  'no-unresolvable': { 'src/core/lost.ts': "export * from './nowhere.ts'\n" },
  'core-is-leaf': { 'src/core/high.ts': "import { paths } from '../config/paths.ts'\nexport const high = paths\n" },
  'config-knows-only-core': {
    'src/config/high.ts': "import type { Platform } from '../platform/index.ts'\nexport type High = Platform\n",
  },
  'builtins-only-in-platform': {
    'src/http/file.ts': "import { readFileSync } from 'node:fs'\nexport const file = readFileSync\n",
  },
  'process-libraries-only-in-platform': {
    'runtimes/docker/run.ts': "import { execa } from 'execa'\nexport const run = execa\n",
  },
  'platform-is-below': {
    'src/platform/high.ts': "import { command } from '../cli/command.ts'\nexport const high = command\n",
  },
  'only-compose-picks-runtimes': {
    'src/features/agents/pick.ts':
      "import { docker } from '../../../runtimes/docker/index.ts'\nexport const pick = docker\n",
  },
  'runtimes-know-only-core': {
    'runtimes/docker/node.ts': "import { node } from '../../src/platform/node.ts'\nexport const own = node\n",
  },
  'runtimes-types-from-core-or-platform': {
    'runtimes/docker/types.ts':
      "import type { Agents } from '../../src/features/agents/index.ts'\nexport type Known = Agents\n",
  },
  'adapters-are-strangers': {
    'runtimes/docker/friend.ts': "import { podman } from '../podman/index.ts'\nexport const friend = podman\n",
  },
  'engines-run-no-processes': {
    'runtimes/docker/record.ts': "import { record } from '../process/record.ts'\nexport const known = record\n",
  },
  'features-meet-at-the-door': {
    'src/features/router/window.ts': "import { plan } from '../agents/plan.ts'\nexport const window = plan\n",
  },
  'features-are-given-ports': {
    'src/features/agents/take.ts': "import { node } from '../../platform/node.ts'\nexport const take = node\n",
  },
  'agent-server-only-in-mcp': {
    'src/features/agents/server.ts': "import { main } from '../../agent/main.ts'\nexport const server = main\n",
  },
  'agent-stands-alone': {
    'src/agent/paths.ts': "import { paths } from '../config/paths.ts'\nexport const known = paths\n",
  },
  'http-is-given-features': {
    'src/http/agents.ts': "import { agents } from '../features/agents/index.ts'\nexport const known = agents\n",
  },
  'cli-is-given-features': {
    'src/cli/agents.ts': "import { agents } from '../features/agents/index.ts'\nexport const known = agents\n",
  },
  'browser-sees-types-only': {
    'public/dashboard/error.ts': "import { error } from '../../src/core/error.ts'\nexport const known = error\n",
  },
  'nobody-needs-builders-or-tests': {
    'src/http/build.ts': "import { build } from '../tools/build.mjs'\nexport const known = build\n",
  },
  'shipped-agents-stand-alone': {
    'src/repositories/builtin/demo/code/core.mjs':
      "import { error } from '../../../../core/error.ts'\nexport const known = error\n",
  },
}
