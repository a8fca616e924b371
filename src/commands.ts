/** The one table of commands, in the order of the help text. `help`, `version` and `completion` are added by the CLI. */
import type { Command } from './cli/command.ts'
import { agentCommands } from './features/agents/commands.ts'
import { consentCommands } from './features/agents/consent-commands.ts'
import { maintenanceCommands } from './features/agents/maintenance-commands.ts'
import { clientCommands } from './features/client/commands.ts'
import { mcpClientCommands } from './features/client/mcp-commands.ts'
import { sessionCommands } from './features/auth/commands.ts'
import { callerCommands } from './features/callers/commands.ts'
import { dependencyCommands } from './features/dependencies/commands.ts'
import { eventCommands } from './features/events/commands.ts'
import { logCommands } from './features/logs/commands.ts'
import { fileCommands } from './features/files/commands.ts'
import { manifestCommands } from './features/manifests/commands.ts'
import { endpointCommands } from './features/mcp/endpoint-commands.ts'
import { metricsCommands } from './features/metrics/commands.ts'
import { profileCommands } from './features/profiles/commands.ts'
import { repoCommands } from './features/repos/commands.ts'
import { routerCommands } from './features/router/commands.ts'
import { sandboxCommands } from './features/sandbox/commands.ts'
import { scaffoldCommands } from './features/scaffold/commands.ts'
import { settingsCommands } from './features/settings/commands.ts'
import { variablesCommands } from './features/variables/commands.ts'
import { skillCommands } from './features/skills/commands.ts'
import { supervisorCommands } from './features/supervisor/commands.ts'
import { taskCommands } from './features/mcp/task-commands.ts'
import { terminalCommands } from './features/terminals/commands.ts'
import { toolLockCommands } from './features/tool-lock/commands.ts'
import { workspaceCommands } from './features/workspace/commands.ts'
import type { Services } from './services.ts'

export const commands: readonly Command<Services>[] = [
  ...workspaceCommands,
  ...eventCommands,
  ...skillCommands,
  ...agentCommands,
  ...logCommands,
  ...fileCommands,
  ...terminalCommands,
  ...clientCommands,
  ...taskCommands,
  ...mcpClientCommands,
  ...maintenanceCommands,
  ...consentCommands,
  ...manifestCommands,
  ...callerCommands,
  ...dependencyCommands,
  ...scaffoldCommands,
  ...endpointCommands,
  ...repoCommands,
  ...supervisorCommands,
  ...toolLockCommands,
  ...routerCommands,
  ...sessionCommands,
  ...metricsCommands,
  ...profileCommands,
  ...variablesCommands,
  ...sandboxCommands,
  ...settingsCommands,
]
