/** Text of the workspace's results for a person. */
import type { Out } from '../../cli/command.ts'
import type { StartReport, WorkspaceStatus } from './service.ts'
import type { AgentResult } from './start-agents.ts'
import { supervisionLines } from './render-supervision.ts'

const paint = (out: Out, code: number, text: string): string => (out.color ? `\u001b[${code}m${text}\u001b[0m` : text)
const GREEN = 32
const RED = 31
const YELLOW = 33
const COLORS: Record<string, number> = {
  ready: GREEN,
  failed: RED,
  unready: YELLOW,
  starting: YELLOW,
  paused: YELLOW,
  lost: YELLOW,
  stopped: 0,
}

export const stateText = (out: Out, state: string): string => paint(out, COLORS[state] ?? 0, state)

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`

function agentLines(agents: readonly AgentResult[], out: Out): string[] {
  const width = Math.max(0, ...agents.map(({ agent }) => agent.length))
  return agents.flatMap((item) => {
    const head = `  ${item.agent.padEnd(width)}  ${stateText(out, item.state)}  ${[item.outcome, item.runtime, seconds(item.milliseconds)].filter(Boolean).join(', ')}`
    const warnings = (item.warnings ?? []).map((warning) => `    note: ${warning}`)
    if (item.error === undefined) return [head, ...warnings]
    return [
      head,
      `    ${item.error.message} (${item.error.code})`,
      ...(item.error.hint === undefined ? [] : [`    hint: ${item.error.hint}`]),
    ]
  })
}

export function renderStart(report: StartReport, out: Out): string {
  if (report.stopped) return 'Stopped'
  const notices = report.notices.map((notice) => paint(out, YELLOW, `notice: ${notice}`))
  const address = report.url === undefined || report.url === null ? [] : [`Dashboard   ${report.url}/dashboard/`]
  const endpoints = report.agents
    .filter(({ state }) => state === 'ready')
    .map(({ agent }) => `MCP         ${report.url ?? ''}/mcps/${agent}/mcp`)
  const login = report.login
    ? [`Sign in     ${report.login}`, '            (works once, for 10 minutes; again: ploinky open)']
    : []
  return [
    ...notices,
    ...agentLines(report.agents, out),
    ...(report.url ? ['', ...address, ...endpoints, ...login] : []),
  ].join('\n')
}

export function renderStopped(data: unknown, out: Out): string {
  const { router, agents } = data as { router: string; agents: readonly AgentResult[] }
  return [`Router ${router}`, ...agentLines(agents, out)].join('\n')
}

export function renderStatus(data: unknown, out: Out): string {
  const { workspace, router, profile, agents } = data as WorkspaceStatus
  const routerText = router.running
    ? `running on http://${router.host}:${router.port} (process ${router.pid})`
    : 'not running'
  const width = Math.max(0, ...agents.map(({ name }) => name.length))
  const lines = agents.flatMap((agent) => {
    const head = `  ${agent.name.padEnd(width)}  ${stateText(out, agent.state)}  ${[agent.runtime, agent.image].filter(Boolean).join(', ')}`
    const supervision = [
      ...agent.calls.map(({ agent: callee, tools }) => `may call ${callee}${tools ? `: ${tools.join(', ')}` : ''}`),
      ...supervisionLines(agent.supervision, Date.now()),
    ].map((line) => `    ${line}`)
    return agent.lastError === null
      ? [head, ...supervision]
      : [
          head,
          `    ${agent.lastError.message} (${agent.lastError.code})`,
          ...(agent.lastError.hint ? [`    hint: ${agent.lastError.hint}`] : []),
          ...supervision,
        ]
  })
  const none = ['  none enabled; run: ploinky start demo']
  return [
    `Workspace  ${workspace.root}`,
    `Profile    ${profile}`,
    `Router     ${routerText}`,
    'Agents',
    ...(lines.length > 0 ? lines : none),
  ].join('\n')
}
