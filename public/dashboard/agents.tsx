/** The table of agents; on a narrow screen each agent is a card. */
import { useComputed } from '@preact/signals'
import { routerUrl } from '../shared/api.ts'
import { duration, plainText, secondsSince } from '../shared/format.ts'
import { Icon } from '../shared/icons.tsx'
import { Badge, Breakable, Button, Command, CopyButton } from '../shared/ui.tsx'
import { selected, toggle } from './bulk.ts'
import { words as bulkWords } from './bulk-strings.ts'
import { isCompact } from './list-settings.ts'
import type { Agent } from './model.ts'
import { actionsFor, commandFor, isCrashLooping, lookOf, shortImage } from './model.ts'
import { ProblemNote } from './problem.tsx'
import { hrefOf } from './route.ts'
import { busy, filesOf, now, request } from './store.ts'
import { strings } from './strings.ts'
import { stretches } from './watch/metrics-model.ts'
import { useOf } from './watch/metrics.ts'
import { bytes, percent } from './watch/units.ts'

const { columns } = strings

/** Roles are spelled out because a table that is laid out as cards is no table to a screen reader any more. */
export function AgentTable({ agents }: { agents: readonly Agent[] }) {
  return (
    <table class={isCompact.value ? 'agents compact' : 'agents'} role="table" aria-label={strings.agents}>
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
          <Choice name={agent.name} />
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
            <LastLines agent={agent} />
          </td>
        </tr>
      )}
    </tbody>
  )
}

/** Follows the choice by itself: the row around it is left alone. */
function Choice({ name }: { name: string }) {
  const isChosen = useComputed(() => selected.value.has(name))
  return (
    <label class="choose" title={bulkWords.select(plainText(name))}>
      <input
        type="checkbox"
        checked={isChosen}
        aria-label={bulkWords.select(plainText(name))}
        onClick={(event) => {
          // The state is the page's, not the box's: a range may change many boxes.
          const { shiftKey } = event
          toggle(name, shiftKey)
          event.currentTarget.checked = selected.peek().has(name)
        }}
      />
    </label>
  )
}

function State({ agent }: { agent: Agent }) {
  const look = lookOf(agent.state)
  return (
    <div class="stack">
      <Badge tone={look.tone} icon={look.icon} spin={agent.state === 'starting'}>
        {strings.state(agent.state)}
      </Badge>
      {agent.state !== 'stopped' && agent.state !== 'failed' && <Since startedAt={agent.startedAt} />}
      {isCrashLooping(agent) && (
        <span title={strings.crashLoopTitle}>
          <Badge tone="bad" icon="warning">
            {strings.crashLoop}
          </Badge>
        </span>
      )}
      {agent.restarts > 0 && <span class="muted small">{strings.restarts(agent.restarts)}</span>}
      {agent.nextRestartAt !== null && <NextTry at={agent.nextRestartAt} />}
    </div>
  )
}

/** Text that follows the clock: the row around it is left alone. */
function Since({ startedAt }: { startedAt: string | null }) {
  const text = useComputed(() => {
    const seconds = secondsSince(startedAt, now.value)
    return seconds === null ? '' : strings.since(duration(seconds))
  })
  return <span class="muted small">{text}</span>
}

function NextTry({ at }: { at: string }) {
  const text = useComputed(() => strings.nextTry(Math.ceil((Date.parse(at) - now.value) / 1000)))
  return <span class="muted small">{text}</span>
}

function LastLines({ agent: { name, lastLines } }: { agent: Agent }) {
  if (lastLines.length === 0) return null
  const title = strings.lastLines(plainText(name))
  return (
    <details class="last-lines">
      <summary class="small">{title}</summary>
      <pre tabIndex={0} aria-label={title}>
        {lastLines.join('\n')}
      </pre>
    </details>
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
      {agent.ports.map(({ host, container }) => (
        <span key={`${host} ${container}`} class="muted small">
          {strings.port(host, container)}
        </span>
      ))}
      <Uses agent={agent.name} />
    </div>
  )
}

const SPARK = { width: 64, height: 16 }

/** What it uses now; changes by itself, without the row around it. */
function Uses({ agent }: { agent: string }) {
  const use = useOf(agent).value
  if (use === null || (use.cpuPercent === null && use.memoryBytes === null)) return null
  const [cpu, memory] = [use.cpuPercent, use.memoryBytes].map((value, index) =>
    value === null ? null : index === 0 ? percent(value) : bytes(value),
  )
  return (
    <span class="uses small" data-uses={agent}>
      <Spark values={use.recentCpu} />
      {cpu && <span title={strings.cpuOf(cpu)}>{cpu}</span>}
      {memory && <span title={strings.memoryOf(memory)}>{memory}</span>}
    </span>
  )
}

/** Decorative: the numbers beside it say how it is now. */
function Spark({ values }: { values: readonly (number | null)[] }) {
  const { width, height } = SPARK
  const max = Math.max(1, ...values.map((value) => value ?? 0))
  const lines = stretches(values, max).filter((points) => points.length > 1)
  if (lines.length === 0) return null
  const d = lines.map(
    (points) =>
      `M${points.map(({ x, y }) => `${(x * width).toFixed(1)} ${((1 - y) * (height - 2) + 1).toFixed(1)}`).join('L')}`,
  )
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} aria-hidden="true" focusable="false">
      <path d={d.join('')} />
    </svg>
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
        {agent.state === 'ready' && (
          <Button
            kind="quiet"
            icon="folder"
            label={strings.files}
            name={strings.filesOf(name)}
            onClick={() => (filesOf.value = agent.name)}
          />
        )}
        {agent.state !== 'disabled' && (
          <a class="button quiet" href={hrefOf('logs', null, { agent: agent.name })} aria-label={strings.logsOf(name)}>
            <Icon name="logs" />
            <span>{strings.logs}</span>
          </a>
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
