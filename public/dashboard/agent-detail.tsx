/** One agent: facts, where it is, what can be done with it, what it gets, how clients reach it, what a start would run. */
import { useState } from 'preact/hooks'
import { asRecord, listOf, routerUrl, textOr } from '../shared/api.ts'
import { Facts } from '../shared/data.tsx'
import { duration, plainText, secondsSince, shellWord } from '../shared/format.ts'
import { Badge, Breakable, Button, Command, CopyButton } from '../shared/ui.tsx'
import { ask } from './ask.tsx'
import { perform, useLoad } from './do.ts'
import { PermissionList } from './enable.tsx'
import { ViewHead } from './head.tsx'
import type { Agent } from './model.ts'
import { actionsFor, commandFor, lookOf } from './model.ts'
import { Nothing, Pane, Section } from './pane.tsx'
import { readPermissions } from './permissions.ts'
import { AgentPlan } from './agent-plan.tsx'
import { ProblemNote } from './problem.tsx'
import { go, hrefOf } from './route.ts'
import { busy, now, request, status } from './store.ts'
import { strings } from './strings.ts'
import { words } from './views/agent-strings.ts'
import { lockState, readLocks } from './views/locks.ts'

const clean = (value: unknown): string => plainText(textOr(value, ''))
const api = (agent: string, rest: string): string => `api/v1/agents/${encodeURIComponent(agent)}/${rest}`
const back = { href: hrefOf('agents'), label: words.back }

export function AgentDetail({ name }: { name: string }) {
  const agent = status.value?.agents.find((one) => one.name === name)
  if (status.value === null) return <ViewHead title={plainText(name)} back={back} />
  if (agent === undefined) {
    return (
      <>
        <ViewHead title={plainText(name)} back={back} />
        <Nothing title={words.notFound(plainText(name))} text={words.notFoundText}>
          <a class="button primary" href={hrefOf('catalog')}>
            {words.catalog}
          </a>
        </Nothing>
      </>
    )
  }
  return (
    <>
      <ViewHead title={plainText(name)} back={back}>
        <AgentActions agent={agent} />
      </ViewHead>
      {agent.about !== '' && <p class="muted lead">{agent.about}</p>}
      {agent.lastError !== null && <ProblemNote problem={agent.lastError} />}
      <div class="section-grid">
        <Section id="facts-title" title={words.facts}>
          <AgentFacts agent={agent} />
        </Section>
        <Section id="links-title" title={words.links}>
          <Links agent={agent} />
        </Section>
        <Gets agent={name} />
        <Lock agent={name} />
        <Clients agent={name} />
      </div>
      <AgentPlan agent={name} />
    </>
  )
}

function AgentActions({ agent }: { agent: Agent }) {
  const { name } = agent
  const label = plainText(name)
  const doing = busy.value.get(name)
  return (
    <>
      {actionsFor(agent.state).map((action) => (
        <Button
          icon={action === 'stop' ? 'stopped' : action}
          label={doing === action ? strings.doing(action) : strings.action(action)}
          name={strings.actionOn(action, label)}
          title={commandFor(action, name)}
          busy={doing !== undefined}
          onClick={() => request(name, action)}
        />
      ))}
      <Button
        label={words.reinstall}
        onClick={() =>
          ask({
            title: words.reinstallTitle(label),
            text: words.reinstallText,
            command: `ploinky reinstall ${shellWord(name)}`,
            label: words.reinstall,
            run: () =>
              void perform({
                ...{ method: 'POST', path: api(name, 'reinstall'), command: `ploinky reinstall ${shellWord(name)}` },
                ...{ done: words.reinstalled(label), failed: words.notReinstalled(label) },
              }),
          })
        }
      />
      <Button
        kind="danger"
        label={words.disable}
        onClick={() =>
          ask({
            title: words.disableTitle(label),
            text: words.disableText,
            command: `ploinky disable agent ${shellWord(name)}`,
            label: words.disable,
            run: () => void disable(name),
          })
        }
      />
    </>
  )
}

async function disable(name: string): Promise<void> {
  const label = plainText(name)
  const done = await perform({
    ...{ method: 'DELETE', path: `api/v1/agents/${encodeURIComponent(name)}` },
    ...{
      done: words.disabled(label),
      failed: words.notDisabled(label),
      command: `ploinky disable agent ${shellWord(name)}`,
    },
  })
  if (done !== null) go('agents')
}

function AgentFacts({ agent }: { agent: Agent }) {
  const look = lookOf(agent.state)
  const seconds = secondsSince(agent.startedAt, now.value)
  return (
    <Facts
      items={[
        [
          words.state,
          <Badge tone={look.tone} icon={look.icon}>
            {strings.state(agent.state)}
          </Badge>,
        ],
        [words.runtime, agent.runtime === '' ? strings.noRuntime : agent.runtime],
        ...(seconds === null || agent.state === 'stopped' ? [] : [[words.since, duration(seconds)] as const]),
        [words.reference, agent.ref],
        ...(agent.image === '' ? [] : [[words.image, <Breakable text={agent.image} />] as const]),
        ...(agent.container === '' ? [] : [[words.container, agent.container] as const]),
      ]}
    />
  )
}

function Links({ agent }: { agent: Agent }) {
  const name = plainText(agent.name)
  return (
    <>
      <div class="link-row">
        {agent.pageUrl !== null && (
          <a class="button" href={routerUrl(agent.pageUrl)} aria-label={strings.openPage(name)}>
            {words.page}
          </a>
        )}
        {agent.container !== '' && agent.state !== 'stopped' && (
          <a class="button" href={routerUrl(`webtty/${encodeURIComponent(agent.name)}`)}>
            {words.terminal}
          </a>
        )}
        {agent.mcpUrl !== null && (
          <a class="button" href={hrefOf('tools', agent.name)}>
            {words.tools}
          </a>
        )}
        <a class="button" href={hrefOf('logs', null, { agent: agent.name })}>
          {words.logs}
        </a>
      </div>
      {agent.mcpUrl === null ? (
        <p class="muted">{words.noLinks}</p>
      ) : (
        <div>
          <p class="muted small">{words.mcp}</p>
          <Command text={routerUrl(agent.mcpUrl)} />
        </div>
      )}
    </>
  )
}

function Gets({ agent }: { agent: string }) {
  const loaded = useLoad(api(agent, 'permissions'), readPermissions)
  return (
    <Section id="gets-title" title={words.gets}>
      <Pane of={loaded}>{(permissions) => <PermissionList permissions={permissions} />}</Pane>
    </Section>
  )
}

function Lock({ agent }: { agent: string }) {
  const loaded = useLoad('api/v1/tool-locks', readLocks, { on: /lock|tool/ })
  const label = plainText(agent)
  const change = async (lock: boolean): Promise<void> => {
    await perform({
      ...{ method: lock ? 'PUT' : 'DELETE', path: api(agent, 'tool-lock'), failed: words.notLocked(label) },
      done: lock ? words.didLock(label) : words.didUnlock(label),
      command: `ploinky mcp ${lock ? 'lock' : 'unlock'} ${shellWord(agent)}`,
    })
    await loaded.reload()
  }
  return (
    <Section id="lock-title" title={words.lock} note={words.lockNote}>
      <Pane of={loaded}>
        {(locks) => {
          const lock = locks.find((one) => one.agent === agent)
          return (
            <div class="link-row">
              <Badge tone={lock === undefined ? 'idle' : lock.blocked.length > 0 ? 'warn' : 'ok'}>
                {lockState(lock)}
              </Badge>
              {lock !== undefined && lock.blocked.length > 0 && <a href={hrefOf('access')}>{words.seeBlocked}</a>}
              <Button
                label={lock === undefined ? words.doLock : words.doUnlock}
                onClick={() => void change(lock === undefined)}
              />
            </div>
          )
        }}
      </Pane>
    </Section>
  )
}

const CLIENTS = [
  ...['claude-code', 'claude-desktop', 'codex', 'cursor', 'gemini-cli', 'goose', 'vscode', 'windsurf', 'zed'],
]

function Clients({ agent }: { agent: string }) {
  const [client, setClient] = useState('claude-code')
  const loaded = useLoad(`api/v1/mcp/config/${client}?agent=${encodeURIComponent(agent)}`, (body) => {
    const { file, text, command, notes } = asRecord(body)
    return { file: clean(file), text: textOr(text, ''), command: clean(command), notes: listOf(notes).map(clean) }
  })
  return (
    <Section
      id="clients-title"
      title={words.clients}
      note={words.clientsNote}
      tools={
        <select
          class="field agent-choice"
          aria-label={words.client}
          value={client}
          onChange={({ currentTarget }) => setClient(currentTarget.value)}
        >
          {CLIENTS.map((id) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
      }
    >
      <Pane of={loaded}>
        {({ file, text, command, notes }) => (
          <>
            <p class="muted small">
              {words.goesInto} <code>{file}</code>
            </p>
            <div class="snippet">
              <pre tabIndex={0} role="region" aria-label={words.snippet}>
                {text}
              </pre>
              <CopyButton text={text} name={words.copySnippet} />
            </div>
            {command !== '' && (
              <div>
                <p class="muted small">{words.orRun}</p>
                <Command text={command} />
              </div>
            )}
            {notes.map((note) => (
              <p key={note} class="muted small">
                {note}
              </p>
            ))}
          </>
        )}
      </Pane>
    </Section>
  )
}
