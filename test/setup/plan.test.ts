import { describe, expect, test } from 'vitest'
import { isWanted, mayStart, planLayers, summarize } from './plan.mjs'
import type { Layer, Machine, Result } from './plan.mjs'

const full: Machine = {
  engines: ['docker', 'podman', 'podman-rootless'].map((id) => ({ id, available: true, reason: '' })),
  browser: { file: '/usr/bin/chromium' },
  deno: true,
}

const ALL = [
  'silence',
  'silence:deno',
  'unit',
  ...['docker', 'podman', 'podman-rootless', 'host'].map((engine) => `e2e:${engine}`),
  ...['docker', 'podman', 'podman-rootless', 'host', 'bwrap', 'bwrap-rootless', 'fake'].map(
    (engine) => `contract:${engine}`,
  ),
  'browser',
  'deno:docker',
  'deno:podman',
  ...['docker', 'podman', 'docker-deno', 'podman-deno'].map((place) => `conformance:${place}`),
]

const named = (layers: Layer[], name: string): Layer => {
  const layer = layers.find((candidate) => candidate.name === name)
  if (layer === undefined) throw new Error(`no layer ${name}`)
  return layer
}

const result = (part: Partial<Result>): Result => ({
  name: 'unit',
  state: 'passed',
  passed: 0,
  failed: 0,
  skipped: 0,
  reason: '',
  failures: [],
  skips: [],
  seconds: 1,
  ...part,
})

describe('planLayers()', () => {
  test('has every layer, none skipped, when the machine has everything', () => {
    const layers = planLayers(full).filter((layer) => isWanted(layer, []))
    expect(layers.map(({ name }) => name).sort()).toEqual([...ALL].sort())
    expect(layers.filter(({ skip }) => skip !== null)).toEqual([])
  })

  test('keeps the layers of a missing engine, with the reason', () => {
    const engines = full.engines.map((engine) =>
      engine.id === 'docker' ? { ...engine, available: false, reason: 'docker is not installed' } : engine,
    )
    const layers = planLayers({ ...full, engines }).filter((layer) => isWanted(layer, []))
    expect(layers).toHaveLength(ALL.length - 1)
    expect(layers.filter(({ skip }) => skip !== null).map(({ name, skip }) => [name, skip])).toEqual([
      ['e2e:docker', 'docker is not installed'],
      ['contract:docker', 'docker is not installed'],
      ['conformance:docker', 'docker is not installed'],
      ['conformance:docker-deno', 'docker is not installed'],
    ])
    expect(named(layers, 'browser').engine).toBe('podman')
  })

  test('has every file on Deno once: halves on two engines, all on one', () => {
    expect(['deno:docker', 'deno:podman'].map((name) => named(planLayers(full), name).shard)).toEqual(['1/2', '2/2'])
    const engines = full.engines.map((engine) => ({ ...engine, available: engine.id !== 'docker' }))
    expect(named(planLayers({ ...full, engines }), 'deno:podman').shard).toBeNull()
  })

  test('falls back to host for browser and Deno when there is no engine', () => {
    const engines = full.engines.map(({ id }) => ({ id, available: false, reason: 'none' }))
    expect(named(planLayers({ ...full, engines }), 'deno:host')).toMatchObject({ engine: 'host', shard: null })
  })

  test('has browsers on the other engines for who names them, and for nobody else', () => {
    const names = (wanted: string[]): string[] =>
      planLayers(full)
        .filter((layer) => isWanted(layer, wanted))
        .map(({ name }) => name)
    expect(names(['browser'])).toEqual(['browser'])
    expect(names(['browser:host', 'browser:podman-rootless'])).toEqual(['browser:podman-rootless', 'browser:host'])
    expect(names(['e2e'])).toHaveLength(4)
    const [rootless] = planLayers({ ...full, browser: { file: null } }).filter(({ onRequest }) => onRequest)
    expect(rootless?.skip).toBe('no Chromium or Chrome')
  })

  test('gives every layer a limit', () => {
    for (const layer of planLayers(full)) expect(layer.limitMs, layer.name).toBeGreaterThan(0)
  })
})

describe('mayStart()', () => {
  const layers = planLayers(full)
  const docker = named(layers, 'e2e:docker')

  test('keeps two layers of one engine apart', () => {
    expect(mayStart(named(layers, 'contract:docker'), [docker], 2)).toBe(false)
    expect(mayStart(named(layers, 'browser'), [docker], 2)).toBe(false)
    expect(mayStart(named(layers, 'contract:podman'), [docker], 2)).toBe(true)
  })

  test('lets a quiet layer run beside any other, and any other beside it', () => {
    const silence = named(layers, 'silence')
    expect(mayStart(silence, [named(layers, 'unit')], 1)).toBe(true)
    expect(mayStart(named(layers, 'unit'), [silence], 1)).toBe(true)
    expect(mayStart(docker, [silence, named(layers, 'e2e:podman')], 2)).toBe(true)
    expect(mayStart(docker, [silence, named(layers, 'contract:docker')], 2)).toBe(false)
  })

  test('gives the machine to the unit tests alone', () => {
    expect(mayStart(named(layers, 'unit'), [], 2)).toBe(true)
    expect(mayStart(named(layers, 'unit'), [docker], 2)).toBe(false)
    expect(mayStart(docker, [named(layers, 'unit')], 2)).toBe(false)
  })

  test('starts no more than the slots', () => {
    expect(mayStart(named(layers, 'contract:fake'), [docker, named(layers, 'e2e:podman')], 2)).toBe(false)
  })
})

describe('summarize()', () => {
  const passed = result({ passed: 3, skipped: 1 })
  const none = { leaks: [], ci: false }

  test('adds up the layers', () => {
    expect(summarize([passed, passed], none)).toEqual({ passed: 6, failed: 0, skipped: 2, exitCode: 0 })
  })

  test('counts a skipped layer as a skip, and in CI as a failure', () => {
    const skipped = result({ state: 'skipped' })
    expect(summarize([passed, skipped], none)).toMatchObject({ skipped: 2, failed: 0, exitCode: 0 })
    expect(summarize([passed, skipped], { leaks: [], ci: true })).toMatchObject({ skipped: 1, failed: 1, exitCode: 1 })
  })

  test('fails for a layer that crashed without a failed test', () => {
    expect(summarize([passed, result({ state: 'failed' })], none)).toMatchObject({ failed: 1, exitCode: 1 })
  })

  test('fails for failed tests once each', () => {
    expect(summarize([result({ state: 'failed', failed: 2 })], none)).toMatchObject({ failed: 2, exitCode: 1 })
  })

  test('fails for everything left behind', () => {
    expect(summarize([passed], { leaks: ['a', 'b'], ci: false })).toMatchObject({ failed: 2, exitCode: 1 })
  })

  test('fails when nothing ran', () => {
    expect(summarize([result({ state: 'skipped' })], none).exitCode).toBe(1)
  })
})
