/** The table of agents; on a narrow screen each agent is a card. */
import { routerUrl } from '../shared/api.ts'
import { duration, plainText, secondsSince } from '../shared/format.ts'
import { Icon } from '../shared/icons.tsx'
import { Badge, Breakable, Button, Command, CopyButton } from '../shared/ui.tsx'
import type { Agent } from './model.ts'
import { actionsFor, commandFor, lookOf, shortImage } from './model.ts'
import { ProblemNote } from './problem.tsx'
import { hrefOf } from './route.ts'
import { busy, now, openLog, request } from './store.ts'
import { strings } from './strings.ts'

const { columns } = strings

/** Roles are spelled out because a table that is laid out as cards is no table to a screen reader any more. */
export function AgentTable({ agents }: { agents: readonly Agent[] }) {
  return (
    <table class="agents" role="table" aria-label={strings.agents}>
      <thead role="rowgroup">
        <tr role="row">
          {Object.entries(columns).map(([key, label]) => (
            <th key={key} role="columnheader" scope="col">
              {label}
            </th>
          ))}
        </tr>
      </thead>
      {agents.map((agent) => (
        <AgentRow key={agent.name} agent={agent} />
      ))}
    </table>
  )
}

function AgentRow({ agent }: { agent: Agent }) {
  return (
    <tbody class="agent card" role="rowgroup" data-agent={agent.name}>
      <tr role="row">
        <th role="rowheader" scope="row" class="agent-name">
          <a class="name" href={hrefOf('agents', agent.name)}>
            {plainText(agent.name)}
          </a>
          {agent.isStatic && (
            <span class="tag" title={strings.servesRootTitle}>
              {strings.servesRoot}
            </span>
          )}
          {agent.about !== '' && <p class="muted small about">{agent.about}</p>}
        </th>
        <td role="cell" data-label={columns.state}>
          <State agent={agent} />
        </td>
        <td role="cell" data-label={columns.runtime}>
          <RunsOn agent={agent} />
        </td>
        <td role="cell" data-label={columns.endpoints}>
          <Endpoints agent={agent} />
        </td>
        <td role="cell" class="actions-cell" data-label={columns.actions}>
          <Actions agent={agent} />
        </td>
      </tr>
      {agent.lastError !== null && (
        <tr role="row" class="problem-row">
          <td role="cell" colSpan={5}>
            <ProblemNote problem={agent.lastError} />
          </td>
        </tr>
      )}
    </tbody>
  )
}

function State({ agent }: { agent: Agent }) {
  const look = lookOf(agent.state)
  const seconds =
    agent.state === 'stopped' || agent.state === 'failed' ? null : secondsSince(agent.startedAt, now.value)
  return (
    <div class="stack">
      <Badge tone={look.tone} icon={look.icon} spin={agent.state === 'starting'}>
        {strings.state(agent.state)}
      </Badge>
      {seconds !== null && <span class="muted small">{strings.since(duration(seconds))}</span>}
    </div>
  )
}

function RunsOn({ agent }: { agent: Agent }) {
  return (
    <div class="stack">
      <span>{agent.runtime === '' ? <span class="muted">{strings.noRuntime}</span> : agent.runtime}</span>
      {agent.image !== '' && (
        <code class="muted small" title={agent.image}>
          <Breakable text={shortImage(agent.image)} />
        </code>
      )}
    </div>
  )
}

function Endpoints({ agent }: { agent: Agent }) {
  const name = plainText(agent.name)
  const mcp = agent.mcpUrl === null ? null : routerUrl(agent.mcpUrl)
  return (
    <div class="endpoints">
      {mcp !== null && (
        <span class="mcp">
          <span class="tag">{strings.mcpUrl}</span>
          <code class="small">
            <Breakable text={agent.mcpUrl ?? ''} />
          </code>
          <CopyButton text={mcp} name={strings.copyMcp(name)} />
        </span>
      )}
      {mcp === null && agent.pageUrl === null && <span class="muted small">{strings.noEndpoint}</span>}
      <span class="links">
        {agent.pageUrl !== null && (
          <a class="button quiet" href={routerUrl(agent.pageUrl)} aria-label={strings.openPage(name)}>
            <Icon name="open" />
            <span>{strings.page}</span>
          </a>
        )}
        {agent.container !== '' && (
          <Button
            kind="quiet"
            icon="logs"
            label={strings.logs}
            name={strings.logsOf(name)}
            onClick={() => openLog(agent.name)}
          />
        )}
      </span>
    </div>
  )
}

const ICONS = { start: 'start', stop: 'stopped', restart: 'restart' } as const

function Actions({ agent }: { agent: Agent }) {
  const name = plainText(agent.name)
  const doing = busy.value.get(agent.name)
  const actions = actionsFor(agent.state)
  if (actions.length === 0) {
    return (
      <div class="stack">
        <span class="muted small">{strings.enableWith}</span>
        <Command text={`ploinky enable agent ${agent.ref === '' ? name : agent.ref}`} />
      </div>
    )
  }
  // No keys: a button that turns from "Stop" into "Start" stays the same element and keeps the focus.
  return (
    <div class="actions">
      {actions.map((action, index) => (
        <Button
          icon={ICONS[action]}
          label={
            doing !== undefined && (doing === action || index === 0) ? strings.doing(doing) : strings.action(action)
          }
          name={strings.actionOn(action, name)}
          title={commandFor(action, agent.name)}
          busy={doing !== undefined}
          onClick={() => request(agent.name, action)}
        />
      ))}
    </div>
  )
}
