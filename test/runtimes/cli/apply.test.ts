import { expect, it } from 'vitest'
import { type ApplyParts, createApply, specHash } from '../../../runtimes/cli/apply.ts'
import type { Engine } from '../../../runtimes/cli/dialect.ts'
import type { Container } from '../../../runtimes/cli/parse.ts'
import type { WorkloadSpec } from '../../../runtimes/adapter.ts'
import { Secret } from '../../../src/core/secret.ts'
import { failureError } from '../../../runtimes/cli/failure.ts'
import { silentLogger } from '../../../src/core/log.ts'
import { dockerDialect } from '../../../runtimes/docker/index.ts'
import { hashing } from '../../../src/platform/hashing.ts'
import { fullSpec, minimalSpec } from './support.ts'

const hash = (spec: WorkloadSpec): string => specHash(hashing, spec)

it('the hash does not depend on the order of keys', () => {
  const a = hash({ ...minimalSpec, env: { A: '1', B: '2' } })
  expect(a).toMatch(/^[0-9a-f]{64}$/)
  const reversed = Object.fromEntries(Object.entries({ ...minimalSpec, env: { B: '2', A: '1' } }).reverse())
  expect(hash(reversed as unknown as WorkloadSpec)).toBe(a)
})

it('the hash changes with every field, and with secrets', () => {
  const changes: Partial<WorkloadSpec>[] = (Object.keys(fullSpec) as (keyof WorkloadSpec)[])
    .filter((key) => JSON.stringify(fullSpec[key]) !== JSON.stringify(minimalSpec[key]))
    .map((key) => ({ [key]: fullSpec[key] }))
  expect(changes.length).toBeGreaterThan(9)
  const secrets = ['a', 'b'].map((text) => ({ env: { TOKEN: new Secret(text) } }))
  const hashes = [{}, ...changes, ...secrets].map((change) => hash({ ...minimalSpec, ...change }))
  expect(new Set(hashes).size).toBe(hashes.length)
})

it('a value is the same whether it counts as a secret or not', () => {
  expect(hash({ ...minimalSpec, env: { A: new Secret('x') } })).toBe(hash({ ...minimalSpec, env: { A: 'x' } }))
})

/** An engine with one container of `minimalSpec` that has ended, and that answers `start` with this. */
function endedContainer(startSays: string) {
  const calls: string[] = []
  const container = (id: string, state: 'exited' | 'running') => {
    const workload = { name: minimalSpec.name, agent: 'demo', workspace: 'w1', state, spec: hash(minimalSpec) }
    const labels = { 'ploinky.workspace': 'w1' }
    const found = {
      id,
      name: minimalSpec.name,
      networks: [],
      labels,
      workload: { ...workload, startedAt: '2026-01-01' },
    }
    return found as unknown as Container
  }
  let current: Container | null = container('old', 'exited')
  const ok = { exitCode: 0, stdout: '', stderr: '' }
  const call = async (args: readonly string[]) => {
    calls.push(args[0] ?? '')
    if (args[0] === 'start') return { ...ok, exitCode: 1, stderr: startSays }
    if (args[0] === 'run') current = container('new', 'running')
    return ok
  }
  const engine = {
    ...{ call, must: call, platform: { hash: hashing }, log: silentLogger, dialect: dockerDialect },
    environment: async () => ({ plan: { env: {}, args: [] }, envFile: null, dispose: async () => {} }),
    fail: ({ stderr }: { stderr: string }, what: string) =>
      failureError({ displayName: 'Docker', program: 'docker', exitCode: 1, stderr }, what),
  } as unknown as Engine
  const containers = {
    find: async () => current,
    owned: async () => current,
    stop: async () => false,
    remove: async () => {
      calls.push('rm')
      current = null
      return true
    },
  } as unknown as ApplyParts['containers']
  const networks = { forget: () => {} } as unknown as ApplyParts['networks']
  return { calls, apply: createApply(engine, { containers, networks, imageIdOf: async () => null }) }
}

it.each([
  `Error response from daemon: task f34deabb76e729de324de26c577f3b7fea078f7b78d2a4f1b0feb933035b1c98: already exists`,
  'Error response from daemon: id already in use',
])('a container that its engine began to start when it was killed is made anew: %s', async (says) => {
  const { calls, apply } = endedContainer(says)
  expect(await apply(minimalSpec)).toMatchObject({ outcome: 'replaced', workload: { state: 'running' } })
  expect(calls).toEqual(['start', 'image', 'rm', 'run'])
})

it('a container that cannot be started for another reason is kept', async () => {
  const { calls, apply } = endedContainer('Error response from daemon: driver failed: port is already allocated')
  await expect(apply(minimalSpec)).rejects.toMatchObject({ code: 'PORT_TAKEN' })
  expect(calls).toEqual(['start'])
})
