/** Who may do what: signing in, calls between agents, and tools whose definitions are locked. */
import { useId, useState } from 'preact/hooks'
import { asRecord, goToSignIn, listOf, textOr } from '../../shared/api.ts'
import { splitWords } from '../../shared/command-model.ts'
import { DataTable } from '../../shared/data.tsx'
import { plainText, shellWord } from '../../shared/format.ts'
import { Badge, Button, Command } from '../../shared/ui.tsx'
import { ask } from '../ask.tsx'
import { perform, useLoad } from '../do.ts'
import { TextField } from '../field.tsx'
import { ViewHead } from '../head.tsx'
import { Pane, Section } from '../pane.tsx'
import { status } from '../store.ts'
import { strings } from '../strings.ts'
import { lockState, readLocks } from './locks.ts'
import type { BlockedTool, Lock } from './locks.ts'
import { words as all } from './manage-strings.ts'
import { Sessions } from './sessions.tsx'

const words = all.access

export function View() {
  return (
    <>
      <ViewHead title={strings.views.access} />
      <SigningIn />
      <Sessions />
      <Grants />
      <Locks />
    </>
  )
}

function SigningIn() {
  const rotate = async (): Promise<void> => {
    const done = await perform({
      ...{ method: 'POST', path: 'api/v1/token/rotate', command: 'ploinky token rotate' },
      ...{ done: words.rotated, failed: words.notRotated },
    })
    if (done !== null) goToSignIn()
  }
  return (
    <Section
      id="sign-in-title"
      title={words.signIn}
      note={words.signInNote}
      tools={
        <Button
          kind="danger"
          label={words.rotate}
          onClick={() =>
            ask({
              title: words.rotateTitle,
              text: words.rotateText,
              command: 'ploinky token rotate',
              label: words.rotate,
              run: () => void rotate(),
            })
          }
        />
      }
    >
      <div class="ways">
        <div>
          <p class="muted small">{words.show}</p>
          <Command text="ploinky token" />
        </div>
        <div>
          <p class="muted small">{words.link}</p>
          <Command text="ploinky open" />
        </div>
      </div>
    </Section>
  )
}

interface Grant {
  readonly caller: string
  readonly agent: string
  /** Null: everything. */
  readonly tools: readonly string[] | null
  readonly from: string
}

const readGrants = (body: unknown): Grant[] =>
  listOf(body).map((item) => {
    const { caller, agent, tools, from } = asRecord(item)
    return {
      caller: textOr(caller, ''),
      agent: textOr(agent, ''),
      tools: Array.isArray(tools) ? tools.map((tool) => textOr(tool, '')) : null,
      from: plainText(textOr(from, '')),
    }
  })

/** As it is typed after the caller. */
const callsOf = ({ agent, tools }: Pick<Grant, 'agent' | 'tools'>): string[] =>
  tools === null ? [agent] : tools.map((tool) => `${agent}/${tool}`)

function Grants() {
  const loaded = useLoad('api/v1/grants', readGrants, { on: /^(?:grant|agent)/ })
  const revoke = async (grant: Grant): Promise<void> => {
    const caller = plainText(grant.caller)
    await perform({
      ...{ method: 'POST', path: 'api/v1/grants/revoke', body: { caller: grant.caller, calls: callsOf(grant) } },
      ...{ done: words.revoked(caller), failed: words.notRevoked(caller), command: lineOf('revoke', grant) },
    })
    await loaded.reload()
  }
  const request = (grant: Grant): void =>
    ask({
      title: words.revokeTitle(plainText(grant.caller), plainText(grant.agent)),
      text: words.revokeText,
      command: lineOf('revoke', grant),
      label: words.revoke,
      run: () => void revoke(grant),
    })
  return (
    <Section id="grants-title" title={words.grants} note={words.grantsNote}>
      <Pane of={loaded}>
        {(grants) =>
          grants.length === 0 ? (
            <p class="muted">{words.noGrants}</p>
          ) : (
            <DataTable<Grant>
              label={words.grants}
              rows={grants}
              keyOf={({ caller, agent, from }, index) => `${caller} ${agent} ${from} ${index}`}
              columns={[
                { label: words.agent, show: ({ caller }) => plainText(caller), isHead: true },
                { label: words.caller, show: ({ agent }) => plainText(agent) },
                { label: words.tools, show: ({ tools }) => (tools === null ? words.all : plainText(tools.join(', '))) },
                { label: words.from, show: ({ from }) => <span class="muted">{from}</span> },
                {
                  label: all.actions,
                  isActions: true,
                  show: (grant) => (
                    <div>
                      {grant.from === 'workspace' && (
                        <Button
                          kind="danger"
                          label={words.revoke}
                          name={words.revokeOf(plainText(grant.caller), plainText(grant.agent))}
                          onClick={() => request(grant)}
                        />
                      )}
                    </div>
                  ),
                },
              ]}
            />
          )
        }
      </Pane>
      <GrantForm onGranted={() => void loaded.reload()} />
    </Section>
  )
}

const lineOf = (what: 'grant' | 'revoke', grant: Pick<Grant, 'caller' | 'agent' | 'tools'>): string =>
  ['ploinky', what, ...[grant.caller, ...callsOf(grant)].map(shellWord)].join(' ')

function GrantForm({ onGranted }: { onGranted(): void }) {
  const [caller, setCaller] = useState('')
  const [agent, setAgent] = useState('')
  const [tools, setTools] = useState('')
  const [complaint, setComplaint] = useState<string | null>(null)
  const names = (status.value?.agents ?? []).map(({ name }) => name)
  async function submit(event: Event): Promise<void> {
    event.preventDefault()
    if (caller === '' || agent === '') return setComplaint(words.both)
    setComplaint(null)
    const chosen = splitWords(tools)
    const grant = { caller, agent, tools: chosen.length === 0 ? null : chosen }
    const done = await perform({
      ...{ method: 'POST', path: 'api/v1/grants', body: { caller, calls: callsOf(grant) } },
      ...{
        done: words.granted(plainText(caller)),
        failed: words.notGranted(plainText(caller)),
        command: lineOf('grant', grant),
      },
    })
    if (done !== null) onGranted()
  }
  return (
    <form class="form-line" onSubmit={(event) => void submit(event)}>
      <AgentField label={words.who} names={names} value={caller} onChange={setCaller} />
      <AgentField label={words.whom} names={names} value={agent} onChange={setAgent} />
      <TextField label={words.which} title={words.whichHelp} value={tools} onChange={setTools} />
      <button type="submit" class="button primary">
        {words.grant}
      </button>
      <div role="alert">{complaint !== null && <p class="callout tone-bad">{complaint}</p>}</div>
    </form>
  )
}

function AgentField(props: { label: string; names: readonly string[]; value: string; onChange(name: string): void }) {
  const id = useId()
  return (
    <div class="form-row">
      <label for={id}>{props.label}</label>
      <select
        id={id}
        class="field"
        value={props.value}
        onChange={({ currentTarget }) => props.onChange(currentTarget.value)}
      >
        <option value="" />
        {props.names.map((name) => (
          <option key={name} value={name}>
            {plainText(name)}
          </option>
        ))}
      </select>
    </div>
  )
}

function Locks() {
  const loaded = useLoad('api/v1/tool-locks', readLocks, { on: /lock|tool/ })
  const approve = async (agent: string, tool: string): Promise<void> => {
    await perform({
      ...{
        method: 'POST',
        path: `api/v1/agents/${encodeURIComponent(agent)}/tool-lock/approve`,
        body: { tools: [tool] },
      },
      ...{ done: words.approved(plainText(tool)), failed: words.notApproved(plainText(tool)) },
      command: `ploinky mcp approve ${shellWord(agent)} ${shellWord(tool)}`,
    })
    await loaded.reload()
  }
  return (
    <Section id="locks-title" title={words.locks} note={words.locksNote}>
      <Pane of={loaded}>
        {(locks) =>
          locks.length === 0 ? (
            <p class="muted">{words.noLocks}</p>
          ) : (
            <ul class="locks">
              {locks.map((lock) => (
                <LockItem key={lock.agent} lock={lock} onApprove={(tool) => void approve(lock.agent, tool)} />
              ))}
            </ul>
          )
        }
      </Pane>
    </Section>
  )
}

function LockItem({ lock, onApprove }: { lock: Lock; onApprove(tool: string): void }) {
  const agent = plainText(lock.agent)
  return (
    <li>
      <h3>
        {agent} <Badge tone={lock.blocked.length > 0 ? 'warn' : 'ok'}>{lockState(lock)}</Badge>
      </h3>
      {lock.blocked.map((blocked) => (
        <Blocked key={blocked.tool} agent={agent} blocked={blocked} onApprove={() => onApprove(blocked.tool)} />
      ))}
    </li>
  )
}

function Blocked({ agent, blocked, onApprove }: { agent: string; blocked: BlockedTool; onApprove(): void }) {
  const tool = plainText(blocked.tool)
  return (
    <div class="blocked">
      <div class="section-head">
        <code>{tool}</code>
        <Badge tone="warn">{words.blocked[blocked.why]}</Badge>
        <Button label={words.approve} name={words.approveOf(tool, agent)} onClick={onApprove} />
      </div>
      <dl class="differences">
        {blocked.differences.map(({ path, before, after }, index) => (
          <div key={index}>
            <dt class="muted small">{path === '' ? words.whole : path}</dt>
            {before !== null && (
              <dd class="removed">
                <span class="visually-hidden">{words.before}: </span>
                {before}
              </dd>
            )}
            {after !== null && (
              <dd class="added">
                <span class="visually-hidden">{words.after}: </span>
                {after}
              </dd>
            )}
          </div>
        ))}
      </dl>
    </div>
  )
}
