/** Derived secrets: the formats of the first ploinky, computed here by another implementation. */
import { createHash, hkdfSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { deriveSecret, type DerivedSpec } from '../../../src/features/variables/derive.ts'

const spec: DerivedSpec = { repo: 'basic', agent: 'demo', name: 'TOKEN', bytes: 32, format: 'hex' }
const derive = async (change: Partial<DerivedSpec> = {}, seed = 'seed'): Promise<string> =>
  (await deriveSecret(new Secret(seed), { ...spec, ...change })).reveal()

function expected(bytes: number): Buffer {
  const master = createHash('sha256').update('seed').digest()
  const key = hkdfSync('sha256', master, '', 'ploinky/derived-master/v1', 32)
  return Buffer.from(hkdfSync('sha256', new Uint8Array(key), '', 'ploinky/agent-secret/basic/demo/TOKEN/v1', bytes))
}

describe('derived secrets', () => {
  it('are HKDF-SHA256 under named purposes', async () => {
    expect(await derive()).toBe(expected(32).toString('hex'))
    expect(await derive({ bytes: 17, format: 'base64' })).toBe(expected(17).toString('base64'))
    expect(await derive({ bytes: 17, format: 'base64url' })).toBe(expected(17).toString('base64url'))
    expect(await derive({ bytes: 8160, format: 'hex' })).toBe(expected(8160).toString('hex'))
    // As a literal: it must not change with the code on either side.
    expect(await derive({ bytes: 8 })).toBe('86c57d0063607d8a')
  })

  it('differ by key, repository, agent and name', async () => {
    const all = [
      await derive(),
      await derive({}, 'other'),
      await derive({ repo: 'other' }),
      await derive({ agent: 'other' }),
      await derive({ name: 'OTHER' }),
    ]
    expect(new Set(all).size).toBe(all.length)
  })

  it.each<Partial<DerivedSpec>>([
    { name: 'a/b' },
    { name: '' },
    { name: '../x' },
    { repo: 'a/b' },
    { agent: '' },
    { bytes: 0 },
    { bytes: 8161 },
    { bytes: 1.5 },
  ])('%j cannot be had', async (change) => {
    await expect(derive(change)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' })
  })
})
