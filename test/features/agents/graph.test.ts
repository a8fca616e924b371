/** What a start brings up, in which order, and what happens when a part of it fails. */
import { describe, expect, it } from 'vitest'
import { parseManifest } from '../../../src/config/manifest/index.ts'
import { PloinkyError } from '../../../src/core/error.ts'
import { buildGraph, runGraph } from '../../../src/features/agents/graph.ts'
import type { EnabledAgent, Registry } from '../../../src/features/agents/registry.ts'

type World = Readonly<Record<string, readonly string[]>>

const agentOf = (name: string, agent: string): EnabledAgent => ({
  ...{ name, repo: 'r', agent, enabledAt: '', runtime: null, wanted: false },
  ...{ mode: { kind: 'isolated' as const }, profile: null },
})

function depsOf(world: World, enabled: string[] = []) {
  const load = async ({ agent }: EnabledAgent) => ({
    manifest: parseManifest(JSON.stringify({ enable: world[agent] ?? [] }), { file: '/m', profile: 'dev' }),
    definition: {
      ...{ repo: 'r', agent, ref: `r/${agent}`, builtIn: false, dir: `/r/${agent}`, codeDir: `/r/${agent}` },
      ...{ skillsDir: null, manifestFile: `/r/${agent}/manifest.json` },
    },
  })
  const enable: Registry['enable'] = async (ref, options) => {
    if (!Object.hasOwn(world, ref))
      throw new PloinkyError('AGENT_NOT_FOUND', `Agent "${ref}" is in no enabled repository`)
    enabled.push(options?.alias ?? ref)
    return { agent: agentOf(options?.alias ?? ref, ref), created: true }
  }
  return { load, registry: { enable } as Registry, ensureRepos: async () => {} }
}

const graphOf = (world: World, ...roots: string[]) =>
  buildGraph(
    roots.map((name) => agentOf(name, name)),
    depsOf(world),
  )

describe('buildGraph()', () => {
  it('gives waves by the longest way, and enables what is needed, under its alias', async () => {
    const enabled: string[] = []
    const world = { web: ['api', 'db as store'], api: ['db as store', 'cache'], db: ['base'], cache: [], base: [] }
    const graph = await buildGraph([agentOf('web', 'web')], depsOf(world, enabled))
    expect(graph.waves.map((names) => names.toSorted())).toEqual([['base', 'cache'], ['store'], ['api'], ['web']])
    expect([...new Set(enabled)].sort()).toEqual(['api', 'base', 'cache', 'store'])
    expect(graph.nodes.get('store')?.agent.agent).toBe('db')
  })

  it('names a circle', async () => {
    const error = await graphOf({ a: ['b'], b: ['c'], c: ['b'] }, 'a').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: 'Agents need each other: b -> c -> b' })
    await expect(graphOf({ a: ['a'] }, 'a')).rejects.toThrow('a -> a')
  })

  it('a circle with an edge that nobody waits for is none', async () => {
    const graph = await graphOf({ a: ['b'], b: ['a no-wait'] }, 'a')
    expect(graph.waves).toEqual([['b'], ['a']])
    expect([...graph.background]).toEqual([])
  })

  it('names who needs what is missing, and where it says so', async () => {
    await expect(graphOf({ a: ['b'], b: ['lost'] }, 'a')).rejects.toThrow(
      'Agent "b" needs "lost" (enable[0]): Agent "lost" is in no enabled repository',
    )
  })

  it('what only stands behind edges that nobody waits for is in the background', async () => {
    const world = { a: ['b no-wait', 'd'], b: ['c', 'd'], c: [], d: [] }
    expect([...(await graphOf(world, 'a')).background].sort()).toEqual(['b', 'c'])
    // Asked for by name, it is waited for.
    expect([...(await graphOf(world, 'a', 'b')).background]).toEqual([])
  })
})

describe('runGraph()', () => {
  async function record(world: World, failing: readonly string[] = []) {
    const graph = await graphOf(world, ...Object.keys(world))
    const log: string[] = []
    const results = await runGraph<string>(graph, [...graph.nodes.keys()], {
      async run({ agent: { name } }) {
        log.push(`+${name}`)
        await new Promise((resolve) => setImmediate(resolve))
        log.push(`-${name}`)
        return failing.includes(name) ? 'failed' : 'ready'
      },
      isUp: (result) => result === 'ready',
      skipped: ({ agent: { name } }, needs) => `${name} needs ${needs.join(' ')}`,
    })
    return { log, results: Object.fromEntries(results) }
  }

  it('starts each as soon as its own needs are met, once', async () => {
    const { log, results } = await record({ a: ['b', 'c'], b: ['d'], c: [], d: [] })
    const at = (entry: string): number => log.indexOf(entry)
    expect(log).toHaveLength(8)
    expect(at('-d')).toBeLessThan(at('+b'))
    expect(at('-b')).toBeLessThan(at('+a'))
    // c has nothing to wait for: it does not wait for the wave of d.
    expect(at('+c')).toBeLessThan(at('-d'))
    expect(Object.values(results)).toEqual(['ready', 'ready', 'ready', 'ready'])
  })

  it('a failure stops those that need it, and nobody else', async () => {
    const { log, results } = await record({ a: ['b'], b: ['c'], c: [], d: ['c no-wait'] }, ['c'])
    expect(results).toEqual({ a: 'a needs b', b: 'b needs c', c: 'failed', d: 'ready' })
    expect(log).not.toContain('+b')
  })
})
