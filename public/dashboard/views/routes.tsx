/** What the router passes on, and whether it answers. */
import { useState } from 'preact/hooks'
import { asRecord, listOf, routerUrl, textOr } from '../../shared/api.ts'
import { DataTable } from '../../shared/data.tsx'
import { plainText } from '../../shared/format.ts'
import { Badge, Breakable, Button } from '../../shared/ui.tsx'
import { useLoad } from '../do.ts'
import { ViewHead } from '../head.tsx'
import type { AgentState } from '../model.ts'
import { AGENT_STATES, localPath, lookOf } from '../model.ts'
import { Nothing, Pane, Section } from '../pane.tsx'
import { hrefOf } from '../route.ts'
import { strings } from '../strings.ts'
import { words as all } from './manage-strings.ts'

const words = all.routes

interface RouteRow {
  readonly route: string
  readonly agent: string
  readonly kind: string
  readonly state: AgentState
}

const readRoutes = (body: unknown): RouteRow[] =>
  listOf(body).flatMap((item) => {
    const { route, agent, kind, state } = asRecord(item)
    const path = localPath(route)
    const known = AGENT_STATES.find((one) => one === state) ?? 'unknown'
    return path === null
      ? []
      : [{ route: path, agent: textOr(agent, ''), kind: plainText(textOr(kind, '')), state: known }]
  })

export function View() {
  const loaded = useLoad('api/v1/routes', readRoutes, { on: /^(?:agent|routing)/ })
  return (
    <>
      <ViewHead title={strings.views.routes} />
      <Pane of={loaded}>
        {(rows) =>
          rows.length === 0 ? (
            <Nothing {...words.empty} />
          ) : (
            <Section id="routes-title" title={words.title} note={words.note}>
              <DataTable<RouteRow>
                label={words.title}
                rows={rows}
                keyOf={({ route }) => route}
                columns={[
                  {
                    label: words.route,
                    isHead: true,
                    show: ({ route }) => (
                      <code>
                        <Breakable text={route} />
                      </code>
                    ),
                  },
                  {
                    label: words.agent,
                    show: ({ agent }) => <a href={hrefOf('agents', agent)}>{plainText(agent)}</a>,
                  },
                  { label: words.kind, show: ({ kind }) => kind.toUpperCase() },
                  {
                    label: words.state,
                    show: ({ state }) => <Badge tone={lookOf(state).tone}>{strings.state(state)}</Badge>,
                  },
                  { label: words.result, isActions: true, show: (row) => <Test row={row} /> },
                ]}
              />
            </Section>
          )
        }
      </Pane>
    </>
  )
}

const TIMEOUT_MS = 10_000

/** Any answer shows that the way is open; an MCP endpoint refuses a plain GET, which is an answer as well. */
async function probe(route: string): Promise<{ readonly status: number; readonly ms: number } | null> {
  const started = performance.now()
  try {
    const method = route.endsWith('/mcp') ? 'POST' : 'HEAD'
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
    const response = await fetch(routerUrl(route), {
      ...{ method, cache: 'no-store', redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) },
      ...(method === 'POST'
        ? {
            body: JSON.stringify(ping),
            headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
          }
        : {}),
    })
    await response.body?.cancel()
    return { status: response.status, ms: Math.round(performance.now() - started) }
  } catch {
    return null
  }
}

function Test({ row }: { row: RouteRow }) {
  const [result, setResult] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const run = async (): Promise<void> => {
    setBusy(true)
    const found = await probe(row.route)
    setResult(found === null ? words.unreachable : words.answered(found.status, found.ms))
    setBusy(false)
  }
  return (
    <div>
      <span class="muted small" role="status">
        {result}
      </span>
      <Button
        label={busy ? words.testing : words.test}
        name={words.testOf(row.route)}
        busy={busy}
        onClick={() => void run()}
      />
    </div>
  )
}
