/** What agents offer over MCP, and a place to try it: through the router's own endpoints, as any client would. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import { createAgentClient } from '../../mcp-client/main.ts'
import type { AgentClient } from '../../mcp-client/main.ts'
import { routerUrl } from '../../shared/api.ts'
import { clockTime, plainText } from '../../shared/format.ts'
import { Button } from '../../shared/ui.tsx'
import { ViewHead } from '../head.tsx'
import type { Agent } from '../model.ts'
import { Loading } from '../loading.tsx'
import { Nothing } from '../pane.tsx'
import { ProblemNote } from '../problem.tsx'
import { go, hrefOf } from '../route.ts'
import { status } from '../store.ts'
import { strings } from '../strings.ts'
import { keepsCalls, pastCalls } from '../tools/history.ts'
import type { PastCall } from '../tools/history.ts'
import type { Offer, OfferKind } from '../tools/model.ts'
import { messageOf, readOffers } from '../tools/model.ts'
import { Playground } from '../tools/playground.tsx'
import { words } from '../tools/strings.ts'
import type { ViewProps } from '../view.ts'

const KINDS: readonly OfferKind[] = ['tool', 'resource', 'prompt']
/** JSON-RPC: an agent without resources or prompts says that it does not know the method. */
const METHOD_NOT_FOUND = -32601

export function View({ param, query }: ViewProps) {
  const current = status.value
  const agents = (current?.agents ?? []).filter(({ mcpUrl }) => mcpUrl !== null)
  const agent = agents.find(({ name }) => name === param) ?? (param === null ? agents[0] : undefined)
  return (
    <>
      <ViewHead title={strings.views.tools}>
        {agents.length > 0 && <AgentChoice agents={agents} chosen={agent?.name ?? ''} />}
      </ViewHead>
      {current === null ? (
        <Loading label={words.loading} />
      ) : agent === undefined ? (
        <Nothing
          title={words.noAgents.title}
          text={words.noAgents.text}
          commands={[`ploinky start ${param === null ? 'demo' : plainText(param)}`]}
        />
      ) : (
        <AgentTools key={agent.name} agent={agent} wanted={query.get('of')} kind={query.get('kind')} />
      )}
    </>
  )
}

function AgentChoice({ agents, chosen }: { agents: readonly Agent[]; chosen: string }) {
  return (
    <select
      class="field agent-choice"
      aria-label={words.agent}
      value={chosen}
      onChange={({ currentTarget }) => go('tools', currentTarget.value)}
    >
      {chosen === '' && <option value="" />}
      {agents.map(({ name }) => (
        <option key={name} value={name}>
          {plainText(name)}
        </option>
      ))}
    </select>
  )
}

interface Listed {
  readonly offers: readonly Offer[] | null
  readonly problem: { readonly message: string; readonly code: string } | null
}

/** All three lists; one that the agent does not have is empty. */
async function listAll(client: AgentClient): Promise<Offer[]> {
  const lists = { tool: client.listTools, resource: client.listResources, prompt: client.listPrompts }
  const ask = async (kind: OfferKind): Promise<Offer[]> => {
    try {
      return readOffers(kind, await lists[kind]())
    } catch (error) {
      if (kind !== 'tool' && messageOf(error).code === String(METHOD_NOT_FOUND)) return []
      throw error
    }
  }
  const tools = await ask('tool').catch((error: unknown) => {
    if (messageOf(error).code === String(METHOD_NOT_FOUND)) return []
    throw error
  })
  return [...tools, ...(await ask('resource')), ...(await ask('prompt'))]
}

function AgentTools({ agent, wanted, kind }: { agent: Agent; wanted: string | null; kind: string | null }) {
  const endpoint = routerUrl(agent.mcpUrl ?? '')
  const client = useMemo(() => createAgentClient(endpoint), [endpoint])
  const [{ offers, problem }, setListed] = useState<Listed>({ offers: null, problem: null })
  const [again, setAgain] = useState<{ readonly call: PastCall | null; readonly count: number }>({
    call: null,
    count: 0,
  })
  const load = (): void => {
    setListed({ offers: null, problem: null })
    listAll(client).then(
      (found) => setListed({ offers: found, problem: null }),
      (error: unknown) => setListed({ offers: null, problem: messageOf(error) }),
    )
  }
  useEffect(() => {
    load()
    return () => void client.close()
  }, [client])
  const chosen = offers?.find((offer) => offer.id === wanted && offer.kind === (kind ?? 'tool'))
  if (problem !== null) {
    return (
      <div class="load-problem" role="alert">
        <ProblemNote
          problem={{
            ...problem,
            message: `${words.failedList(words.kinds.tool)}: ${problem.message}`,
            hint: `ploinky logs ${agent.name}`,
          }}
        />
        <Button icon="restart" label={strings.retry} onClick={load} />
      </div>
    )
  }
  if (offers === null) return <Loading label={words.loading} />
  if (offers.length === 0) return <Nothing {...words.nothing} commands={[`ploinky logs ${agent.name}`]} />
  return (
    <div class={`tools ${chosen === undefined ? '' : 'has-choice'}`}>
      <OfferList agent={agent.name} offers={offers} chosen={chosen} />
      <div class="card panel tool-panel">
        {chosen === undefined ? (
          <p class="muted">{words.choose}</p>
        ) : (
          <>
            <a class="back small tools-back" href={hrefOf('tools', agent.name)}>
              ‹ {words.back}
            </a>
            <Playground
              key={`${chosen.kind} ${chosen.id} ${again.count}`}
              {...{ agent: agent.name, endpoint, client, offer: chosen }}
              given={again.call?.id === chosen.id ? again.call.args : {}}
            />
          </>
        )}
        <History
          onPick={(call) => {
            setAgain({ call, count: again.count + 1 })
            go('tools', call.agent, { of: call.id, kind: call.kind })
          }}
        />
      </div>
    </div>
  )
}

function OfferList({ agent, offers, chosen }: { agent: string; offers: readonly Offer[]; chosen: Offer | undefined }) {
  const [filter, setFilter] = useState('')
  const parts = filter.toLowerCase().split(/\s+/)
  const shown = offers.filter(({ id, title, about }) => {
    const text = `${id} ${title} ${about}`.toLowerCase()
    return parts.every((part) => text.includes(part))
  })
  return (
    <div class="card panel offers">
      <input
        class="field"
        type="search"
        aria-label={words.filter}
        placeholder={words.filter}
        value={filter}
        onInput={({ currentTarget }) => setFilter(currentTarget.value)}
      />
      <span class="visually-hidden" role="status">
        {words.count(shown.length)}
      </span>
      {shown.length === 0 && <p class="muted">{words.noMatch(filter)}</p>}
      {KINDS.map((kind) => ({ kind, items: shown.filter((offer) => offer.kind === kind) }))
        .filter(({ items }) => items.length > 0)
        .map(({ kind, items }) => (
          <section key={kind} aria-labelledby={`offers-${kind}`}>
            <h2 id={`offers-${kind}`} class="nav-title">
              {words.kinds[kind]}
            </h2>
            <ul>
              {items.map((offer) => (
                <li key={offer.id}>
                  <a
                    class="offer"
                    href={hrefOf('tools', agent, { of: offer.id, kind })}
                    aria-current={offer === chosen ? 'true' : undefined}
                  >
                    <span class="offer-name">{offer.title}</span>
                    {offer.about !== '' && <span class="muted small offer-line">{offer.about}</span>}
                  </a>
                </li>
              ))}
            </ul>
          </section>
        ))}
    </div>
  )
}

function History({ onPick }: { onPick(call: PastCall): void }) {
  const calls = pastCalls.value
  return (
    <details class="history">
      <summary>
        {words.history} <span class="muted small">{calls.length === 0 ? '' : calls.length}</span>
      </summary>
      {calls.length === 0 && <p class="muted">{words.noHistory}</p>}
      <ol>
        {calls.map((call, index) => (
          <li key={index}>
            <button
              type="button"
              class="past-call"
              aria-label={words.again(plainText(call.id))}
              onClick={() => onPick(call)}
            >
              <span class={`dot tone-${call.failed ? 'bad' : 'ok'}`} />
              <span class="muted small">{clockTime(call.at)}</span>
              <span>
                {plainText(call.agent)} · {plainText(call.id)}
              </span>
              <span class="muted small">{words.took(call.ms)}</span>
            </button>
          </li>
        ))}
      </ol>
      <label class="check small">
        <input
          type="checkbox"
          checked={keepsCalls.value}
          onChange={({ currentTarget }) => {
            keepsCalls.value = currentTarget.checked
          }}
        />
        <span>
          {words.keep} <span class="muted">{keepsCalls.value ? '' : words.historyNote}</span>
        </span>
      </label>
      {calls.length > 0 && (
        <Button
          icon="remove"
          label={words.forget}
          onClick={() => {
            pastCalls.value = []
          }}
        />
      )}
    </details>
  )
}
