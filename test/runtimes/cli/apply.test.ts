import { expect, it } from 'vitest'
import { specHash } from '../../../runtimes/cli/apply.ts'
import type { WorkloadSpec } from '../../../runtimes/adapter.ts'
import { Secret } from '../../../src/core/secret.ts'
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
