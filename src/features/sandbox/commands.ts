/** `sandbox status`, `sandbox enable`, `sandbox disable`. Light at import. */
import { type Command, defineCommand } from '../../cli/command.ts'
import type { Services } from '../../services.ts'
import type { SandboxState } from './index.ts'

function render(data: unknown): string {
  const { enabled, from, runtime, usable, detail, hint, notes, agents } = data as SandboxState
  const which = agents.length === 0 ? 'no enabled agent asks for it' : agents.join(', ')
  const start = enabled ? 'until then they do not start' : 'nothing depends on it'
  return [
    `Sandboxes are ${enabled ? 'on' : 'off'} (${from})`,
    `Agents with "lite-sandbox": ${which}`,
    usable ? `${runtime}: ${detail}` : `${runtime} cannot be used: ${detail}; ${start}`,
    ...(hint === null ? [] : [hint]),
    ...(enabled ? notes : []),
  ].join('\n')
}

const status = defineCommand<Services>({
  name: 'sandbox status',
  summary: 'Whether agents may run in sandboxes here, whether they can, and which ones do',
  group: 'Settings',
  access: 'local',
  permission: 'read',
  run: async (_input, context) => await (await context.services()).sandbox.state(),
  render,
})

const enable = defineCommand<Services>({
  name: 'sandbox enable',
  summary: 'Run agents that say "lite-sandbox" under bubblewrap, from their next start on',
  description:
    'Such a sandbox has the network of this machine and no limits, and starts faster than a container. An agent that asks for one never falls back to something else: where bubblewrap cannot be used, it does not start. "ploinky start --runtime docker" still runs it in a container.',
  group: 'Settings',
  examples: [{ run: 'ploinky sandbox enable', does: 'agents with "lite-sandbox": true start without a container' }],
  access: 'local',
  permission: 'admin',
  async run(_input, context) {
    const { settings, sandbox } = await context.services()
    return await sandbox.state(await settings.set('sandbox', true))
  },
  render,
})

const disable = defineCommand<Services>({
  name: 'sandbox disable',
  summary: 'Run all agents in containers, from their next start on',
  group: 'Settings',
  access: 'local',
  permission: 'admin',
  async run(_input, context) {
    const { settings, sandbox } = await context.services()
    return await sandbox.state(await settings.set('sandbox', false))
  },
  render,
})

export const sandboxCommands: readonly Command<Services>[] = [status, enable, disable]
