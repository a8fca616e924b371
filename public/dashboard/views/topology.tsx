/** Agents and what leads from one to the other, as a drawing and as a list. */
import { useMemo } from 'preact/hooks'
import { plainText } from '../../shared/format.ts'
import { Badge, Command } from '../../shared/ui.tsx'
import { ViewHead } from '../head.tsx'
import type { AgentState } from '../model.ts'
import { lookOf } from '../model.ts'
import { Loading } from '../loading.tsx'
import { hrefOf } from '../route.ts'
import { status } from '../store.ts'
import { strings } from '../strings.ts'
import type { Edge, Graph, Node } from '../watch/topology-model.ts'
import { layOut, NODE_HEIGHT, NODE_WIDTH, pathOf } from '../watch/topology-model.ts'
import { words } from './topology-strings.ts'

/** Characters of a name that fit into its box. */
const SHOWN = 20
/** The drawing shrinks to this share before it scrolls. */
const SMALLEST = 0.7

export function View() {
  const agents = status.value?.agents ?? null
  // A sample or an event that changes nothing here moves nothing here.
  const key = JSON.stringify(agents?.map(({ name, state, needs, calls }) => [name, state, needs, calls]))
  const graph = useMemo(() => (agents === null ? null : layOut(agents)), [key])
  if (graph === null) return <Loading label={words.loading} />
  return (
    <>
      <ViewHead title={words.title} note={words.note} />
      {graph.nodes.length === 0 ? <Nothing /> : <Linked graph={graph} />}
      <Alone graph={graph} />
      <div class="same no-print">
        <span class="muted small">{words.same}</span>
        <Command text={words.command} />
      </div>
    </>
  )
}

function Nothing() {
  return (
    <div class="card empty">
      <p class="muted">{words.empty}</p>
      <Command text={words.emptyCommand} />
    </div>
  )
}

const stateWord = (state: AgentState | null): string => (state === null ? words.missing : strings.state(state))

function Linked({ graph }: { graph: Graph }) {
  return (
    <div class="topology">
      <section class="card topology-drawing" aria-label={words.drawing} tabIndex={0}>
        <Drawing graph={graph} />
        <div class="topology-legend small" aria-label={words.legend} role="group">
          <span>
            <svg class="swatch" viewBox="0 0 24 8" aria-hidden="true">
              <path class="edge needs" d="M1 4H23" />
            </svg>
            {words.needs}
          </span>
          <span>
            <svg class="swatch" viewBox="0 0 24 8" aria-hidden="true">
              <path class="edge calls" d="M1 4H23" />
            </svg>
            {words.calls}
          </span>
        </div>
      </section>
      <section class="card panel" aria-labelledby="topology-list">
        <h2 id="topology-list">{words.list}</h2>
        <ul class="topology-list">
          {graph.edges.flatMap((edge) => linesOf(edge).map((text) => <li key={text}>{text}</li>))}
        </ul>
      </section>
    </div>
  )
}

function linesOf({ from, to, needs, calls, tools }: Edge): string[] {
  const [caller, callee] = [plainText(from), plainText(to)]
  const call = tools === null ? words.callsAll(caller, callee) : words.callsSome(caller, callee, tools.map(plainText))
  return [...(needs ? [words.needsOne(caller, callee)] : []), ...(calls ? [call] : [])]
}

function Drawing({ graph: { nodes, edges, width, height } }: { graph: Graph }) {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  return (
    <svg
      class="topology-svg"
      viewBox={`0 0 ${width} ${height}`}
      style={{ inlineSize: `${width}px`, minInlineSize: `${width * SMALLEST}px` }}
    >
      <defs>
        <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
          <path class="arrow" d="M0 0.5L7.5 4L0 7.5z" />
        </marker>
      </defs>
      <g aria-hidden="true">
        {edges.map((edge) => {
          const [from, to] = [byName.get(edge.from), byName.get(edge.to)]
          if (from === undefined || to === undefined) return null
          const kind = edge.needs ? 'needs' : 'calls'
          return (
            <path
              key={`${edge.from} ${edge.to}`}
              class={`edge ${kind}`}
              d={pathOf(from, to)}
              marker-end="url(#arrow)"
            />
          )
        })}
      </g>
      {nodes.map((node) => (
        <Box key={node.name} node={node} />
      ))}
    </svg>
  )
}

function Box({ node: { name, state, x, y } }: { node: Node }) {
  const shown = plainText(name)
  const tone = state === null ? 'idle' : lookOf(state).tone
  return (
    <a class={`topology-node tone-${tone}`} href={hrefOf('agents', name)} data-node={name}>
      <rect x={x} y={y} width={NODE_WIDTH} height={NODE_HEIGHT} rx={8} />
      <rect class="tone-bar" x={x} y={y} width={6} height={NODE_HEIGHT} rx={3} />
      <text class="node-name" x={x + 18} y={y + 22}>
        {shown.length > SHOWN ? `${shown.slice(0, SHOWN - 1)}…` : shown}
      </text>
      <text class="node-state" x={x + 18} y={y + 40}>
        {stateWord(state)}
      </text>
    </a>
  )
}

function Alone({ graph: { alone } }: { graph: Graph }) {
  if (alone.length === 0) return null
  return (
    <section class="topology-alone" aria-labelledby="topology-alone">
      <h2 id="topology-alone">{words.alone}</h2>
      <ul>
        {alone.map(({ name, state }) => {
          const look = lookOf(state)
          return (
            <li key={name} class="card">
              <a href={hrefOf('agents', name)}>{plainText(name)}</a>
              <Badge tone={look.tone} icon={look.icon}>
                {strings.state(state)}
              </Badge>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
