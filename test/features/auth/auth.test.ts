/** Credentials: what passes, what does not, and that nothing of any length or shape does harm. */
import { describe, expect, it } from 'vitest'
import {
  createAuthenticator,
  LINK_SECONDS,
  operatorToken,
  SESSION_SECONDS,
  TOKEN_NAME,
} from '../../../src/features/auth/index.ts'
import { Secret } from '../../../src/core/secret.ts'
import type { SecretStore } from '../../../src/features/secrets/index.ts'
import { hashing } from '../../../src/platform/hashing.ts'

const TOKEN = 'a-token-of-some-length-0123456789'

function setup(token = TOKEN) {
  let now = 1_700_000_000_000
  const auth = createAuthenticator(token, hashing, () => now)
  return { auth, pass: (seconds: number) => (now += seconds * 1000) }
}
const kinds = ['bearer', 'cookie', 'query'] as const

describe('the operator token', () => {
  it.each(kinds)('passes as %s, also the second time', (kind) => {
    const { auth } = setup()
    expect(auth.verify({ kind, value: TOKEN })).toMatchObject({ id: 'operator' })
    expect(auth.verify({ kind, value: TOKEN })).toMatchObject({ id: 'operator' })
  })

  it.each([
    ...[
      '',
      ' ',
      TOKEN.slice(0, -1),
      `${TOKEN}x`,
      TOKEN.toUpperCase(),
      `${TOKEN}\0`,
      't:',
      `t:${TOKEN}`,
      'undefined',
      'null',
    ],
    ...['x'.repeat(512), 'x'.repeat(10_240), '\u{1f600}', 's1.', 'l1.', 's1.9999999999.x.y', '__proto__'],
  ])('%j passes as nothing', (value) => {
    const { auth } = setup()
    // A good one before must not help a bad one after.
    auth.verify({ kind: 'bearer', value: TOKEN })
    for (const kind of kinds) expect(auth.verify({ kind, value })).toBeNull()
    expect(auth.redeem(value)).toBe(false)
  })
})

describe('a session', () => {
  it('passes as cookie, and as nothing else', () => {
    const { auth } = setup()
    const { value, maxAgeSeconds } = auth.createSession()
    expect(maxAgeSeconds).toBe(SESSION_SECONDS)
    expect(auth.verify({ kind: 'cookie', value })).not.toBeNull()
    expect(auth.verify({ kind: 'bearer', value })).toBeNull()
    expect(auth.verify({ kind: 'query', value })).toBeNull()
    expect(auth.redeem(value)).toBe(false)
  })

  it('ends in time, also when it was checked before', () => {
    const { auth, pass } = setup()
    const { value } = auth.createSession()
    expect(auth.verify({ kind: 'cookie', value })).not.toBeNull()
    pass(SESSION_SECONDS + 1)
    expect(auth.verify({ kind: 'cookie', value })).toBeNull()
    expect(auth.verify({ kind: 'cookie', value })).toBeNull()
  })

  it('outlives the router, but not its token', () => {
    const { value } = setup().auth.createSession()
    expect(setup().auth.verify({ kind: 'cookie', value })).not.toBeNull()
    expect(setup(`${TOKEN}-rotated`).auth.verify({ kind: 'cookie', value })).toBeNull()
  })

  it('cannot be changed, extended or put together', () => {
    const { auth } = setup()
    const [tag, end, salt, signature] = auth.createSession().value.split('.')
    const other = auth.createSession().value.split('.')
    const forged = [
      `${tag}.${Number(end) + 1}.${salt}.${signature}`,
      `${tag}.${end}.${salt}x.${signature}`,
      `${tag}.${end}.${other[2]}.${signature}`,
      `${tag}.${end}.${salt}.${other[3]}`,
      `${tag}.${end}.${salt}.`,
      `${tag}.${end}.${salt}.${signature}x`,
      `${tag}.${end}.${salt}.${signature} `,
      `l1.${end}.${salt}.${signature}`,
      `${tag}.1e99.${salt}.${signature}`,
      `${tag}.-1.${salt}.${signature}`,
    ]
    for (const value of forged) expect(auth.verify({ kind: 'cookie', value }), value).toBeNull()
  })

  it('is still checked when thousands of others were seen', () => {
    const { auth } = setup()
    const first = auth.createSession().value
    for (let i = 0; i < 2500; i++)
      expect(auth.verify({ kind: 'cookie', value: auth.createSession().value })).not.toBeNull()
    expect(auth.verify({ kind: 'cookie', value: first })).not.toBeNull()
    expect(auth.verify({ kind: 'cookie', value: `${first}x` })).toBeNull()
  })
})

describe('the session at the origin of an agent', () => {
  it('carries the one that it came from, and is worth nothing elsewhere', () => {
    const { auth } = setup()
    const { id, value } = auth.createSession()
    expect(id).toMatch(/^[0-9a-f]{12}$/)
    expect(auth.verify({ kind: 'cookie', value })).toEqual({ id: 'operator', roles: ['admin'], session: id })
    const site = auth.redeemSite('demo', auth.createSiteCode('demo', id))?.value ?? ''
    expect(auth.verifySite('demo', site)).toEqual({ id: 'operator', roles: ['admin'], session: id })
    // Nobody but us says whose session it is.
    expect(auth.verifySite('demo', site.replace(id, 'f'.repeat(12)))).toBeNull()
    expect(auth.verifySite('demo', site.replace(`${id}~`, ''))).toBeNull()
    expect(auth.verifySite('other', site)).toBeNull()
    const byToken = auth.redeemSite('demo', auth.createSiteCode('demo', undefined))?.value ?? ''
    expect(auth.verifySite('demo', byToken)).toEqual({ id: 'operator', roles: ['admin'] })
  })

  it('an id says nothing of the secret, and another token has another signer', () => {
    const { auth } = setup()
    const { id, value } = auth.createSession()
    expect(value).not.toContain(id)
    expect(setup(`${TOKEN}-rotated`).auth.signer).not.toBe(auth.signer)
    expect(setup().auth.signer).toBe(auth.signer)
  })
})

describe('a login code', () => {
  it('works once, is no credential by itself, and ends in time', () => {
    const { auth, pass } = setup()
    const code = auth.createLoginCode()
    for (const kind of kinds) expect(auth.verify({ kind, value: code })).toBeNull()
    expect([auth.redeem(code), auth.redeem(code)]).toEqual([true, false])
    const late = auth.createLoginCode()
    pass(LINK_SECONDS + 1)
    expect(auth.redeem(late)).toBe(false)
    expect(auth.redeem(code)).toBe(false)
  })

  it('works only with the process that made it', () => {
    expect(setup().auth.redeem(setup().auth.createLoginCode())).toBe(false)
  })
})

it('a token that somebody made up and that is too short is refused', async () => {
  const secrets = (value: string): SecretStore =>
    ({ ensure: async (name: string) => (expect(name).toBe(TOKEN_NAME), new Secret(value)) }) as unknown as SecretStore
  await expect(operatorToken(secrets('secret'), hashing)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    hint: 'Run: ploinky token rotate',
  })
  await expect(operatorToken(secrets(''), hashing)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  expect(await operatorToken(secrets('x'.repeat(16)), hashing)).toBe('x'.repeat(16))
})
