/** Which agents need and may call which, and where to draw them: in layers, callers before what they call. */
import type { Agent, AgentState } from '../model.ts'

export interface Edge {
  readonly from: string
  readonly to: string
  /** Started with it, may be called by it, or both. */
  readonly needs: boolean
  readonly calls: boolean
  /** Null: everything that it offers. */
  readonly tools: readonly string[] | null
}
export interface Node {
  readonly name: string
  /** Null: named by another one, and not enabled. */
  readonly state: AgentState | null
  readonly x: number
  readonly y: number
}
export interface Graph {
  readonly nodes: readonly Node[]
  readonly edges: readonly Edge[]
  /** Agents that nothing leads to or from. */
  readonly alone: readonly { readonly name: string; readonly state: AgentState }[]
  readonly width: number
  readonly height: number
}

export const NODE_WIDTH = 168
export const NODE_HEIGHT = 52
const GAP_X = 96
const GAP_Y = 24
const MARGIN = 16
const SWEEPS = 4

export function edgesOf(agents: readonly Agent[]): Edge[] {
  const edges = new Map<string, Edge>()
  const add = (edge: Edge): void => {
    const key = `${edge.from}\n${edge.to}`
    const known = edges.get(key)
    if (known === undefined) edges.set(key, edge)
    else
      edges.set(key, {
        ...known,
        needs: known.needs || edge.needs,
        calls: known.calls || edge.calls,
        tools: edge.calls ? joined(known, edge) : known.tools,
      })
  }
  for (const { name, needs, calls } of agents) {
    for (const to of needs) if (to !== name) add({ from: name, to, needs: true, calls: false, tools: null })
    for (const { agent: to, tools } of calls) if (to !== name) add({ from: name, to, needs: false, calls: true, tools })
  }
  return [...edges.values()]
}

function joined(known: Edge, edge: Edge): readonly string[] | null {
  if (!known.calls) return edge.tools
  return known.tools === null || edge.tools === null ? null : [...new Set([...known.tools, ...edge.tools])]
}

/** The longest way from an agent that nobody leads to. An edge that closes a circle moves nothing. */
function layersOf(names: readonly string[], edges: readonly Edge[]): Map<string, number> {
  const incoming = new Map<string, string[]>()
  for (const { from, to } of edges) incoming.set(to, [...(incoming.get(to) ?? []), from])
  const layers = new Map<string, number>()
  const open = new Set<string>()
  const layerOf = (name: string): number => {
    const known = layers.get(name)
    if (known !== undefined) return known
    if (open.has(name)) return -1
    open.add(name)
    const layer = Math.max(-1, ...(incoming.get(name) ?? []).map(layerOf)) + 1
    open.delete(name)
    layers.set(name, layer)
    return layer
  }
  names.forEach(layerOf)
  return layers
}

/** In each layer by the middle of their neighbours, so that few lines cross (Sugiyama's barycentre). */
function ordered(rows: string[][], edges: readonly Edge[]): string[][] {
  const place = new Map<string, number>()
  const note = (row: readonly string[]): void => row.forEach((name, index) => place.set(name, index))
  rows.forEach(note)
  const neighbours = (name: string): number[] =>
    edges
      .flatMap(({ from, to }) => (from === name ? [to] : to === name ? [from] : []))
      .map((other) => place.get(other) ?? 0)
  const middle = (name: string): number => {
    const places = neighbours(name)
    return places.length === 0 ? (place.get(name) ?? 0) : places.reduce((a, b) => a + b, 0) / places.length
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const row of sweep % 2 === 0 ? rows : rows.toReversed()) {
      const middles = new Map(row.map((name) => [name, middle(name)]))
      row.sort((a, b) => (middles.get(a) ?? 0) - (middles.get(b) ?? 0) || a.localeCompare(b, 'en'))
      note(row)
    }
  }
  return rows
}

export function layOut(agents: readonly Agent[]): Graph {
  const edges = edgesOf(agents)
  const linked = new Set(edges.flatMap(({ from, to }) => [from, to]))
  const states = new Map(agents.map(({ name, state }) => [name, state]))
  const names = [...linked].toSorted((a, b) => a.localeCompare(b, 'en'))
  const layers = layersOf(names, edges)
  const count = Math.max(0, ...[...layers.values()].map((layer) => layer + 1))
  const empty = Array.from({ length: count }, (_, layer) => names.filter((name) => layers.get(name) === layer))
  const rows = ordered(empty, edges)
  const tallest = Math.max(0, ...rows.map(({ length }) => length))
  const heightOf = (length: number): number => Math.max(0, length * (NODE_HEIGHT + GAP_Y) - GAP_Y)
  const nodes = rows.flatMap((row, layer) => {
    const top = MARGIN + (heightOf(tallest) - heightOf(row.length)) / 2
    return row.map((name, index) => ({
      ...{ name, state: states.get(name) ?? null },
      x: MARGIN + layer * (NODE_WIDTH + GAP_X),
      y: top + index * (NODE_HEIGHT + GAP_Y),
    }))
  })
  return {
    ...{ nodes, edges },
    alone: agents.filter(({ name, state }) => !linked.has(name) && state !== 'disabled'),
    width: 2 * MARGIN + Math.max(0, count * (NODE_WIDTH + GAP_X) - GAP_X),
    height: 2 * MARGIN + heightOf(tallest),
  }
}

/** A curve from the end of one box to the begin of another; one that passes a layer goes around the boxes in it. */
export function pathOf(from: Node, to: Node): string {
  const [x1, y1] = [from.x + NODE_WIDTH, from.y + NODE_HEIGHT / 2]
  const [x2, y2] = [to.x, to.y + NODE_HEIGHT / 2]
  const isLong = Math.abs(x2 - x1) > GAP_X
  const around = isLong ? (to.y >= from.y ? 1 : -1) * (NODE_HEIGHT + GAP_Y) * 0.7 : 0
  const bend = x2 > x1 ? (x2 - x1) / (isLong ? 3 : 2) : GAP_X / 2
  return `M${x1} ${y1}C${x1 + bend} ${y1 + around} ${x2 - bend} ${y2 + around} ${x2} ${y2}`
}
