/** Which names a pattern takes, which look like secrets, and where the workspace keeps its own. */
import { describe, expect, it } from 'vitest'
import {
  fits,
  isVariableName,
  looksSecret,
  storedName,
  takes,
  takesFromEnvironment,
} from '../../../src/features/variables/names.ts'

describe('patterns', () => {
  it.each<[string, string, boolean]>([
    ['LLM_*', 'LLM_MODEL', true],
    ['LLM_*', 'LLM_', true],
    ['LLM_*', 'LLM', false],
    ['LLM_*', 'MY_LLM_MODEL', false],
    ['LLM_*', 'llm_model', false],
    ['LLM_*', 'LLM_API_KEY', true],
    ['*_KEY', 'API_KEY', true],
    ['*_KEY', 'A_KEY', true],
    ['*_KEY', '_KEY', true],
    ['*_KEY', 'API_KEYS', false],
    ['*_KEY', 'KEY', false],
    ['*_APIKEY', 'X_APIKEY', true],
    ['*API_KEY*', 'MY_API_KEY_2', true],
    ['LLM_*_URL', 'LLM_A_URL', true],
    ['LLM_*_URL', 'LLM__URL', true],
    ['LLM_*_URL', 'LLM_URL', false],
    ['LLM_*_URL', 'LLM_A_URLS', false],
    ['A*B*C', 'AxBxC', true],
    ['A*B*C', 'ABC', true],
    ['A*B*C', 'ACB', false],
    ['A*B*C', 'AxCxB', false],
    ['A*B*B', 'AB', false],
    ['A*B*B', 'ABB', true],
    ['AA*A', 'AA', false],
    ['AA*A', 'AAA', true],
    ['A**B', 'AxB', true],
    ['*', 'ANYTHING', true],
    ['*', 'a', true],
    ['*', 'API_KEY', false],
    ['*', 'MY_API_KEY_2', false],
    ['*', 'APIKEY', false],
    ['*', 'openai_apikey', false],
    ['**', 'API_KEY', false],
    ['*', 'API_TOKEN', true],
    ['*', 'PLOINKY_OPERATOR_TOKEN', false],
    ['PLOINKY_*', 'PLOINKY_MASTER_KEY', false],
    ['P*', 'PLOINKY_GENERATED__x', false],
    ['*_TOKEN', 'PLOINKY_OPERATOR_TOKEN', false],
    ['PLOINKY*', 'PLOINKYX', true],
    ['*', 'BASH_FUNC_which%%', false],
    ['B*', 'BASH_FUNC_which%%', false],
    ['*', '__proto__', false],
    ['*', 'constructor', true],
    ['EXACT', 'EXACT', true],
    ['EXACT', 'EXACTLY', false],
    ['A.*', 'AXB', false],
    ['[A-Z]*', 'AB', false],
  ])('%s takes %s: %s', (pattern, name, expected) => {
    expect(takes(pattern, name)).toBe(expected)
  })

  it.each([
    'PATH',
    'HOME',
    'PWD',
    'SSH_AUTH_SOCK',
    'DOCKER_HOST',
    'LD_PRELOAD',
    'XDG_RUNTIME_DIR',
    'NODE_OPTIONS',
    '_',
  ])('a bare * does not take %s of this machine; by name or a narrower pattern it is taken', (name) => {
    expect([takesFromEnvironment('*', name), takesFromEnvironment('**', name)]).toEqual([false, false])
    expect(takesFromEnvironment(`${name}*`, name)).toBe(true)
    // Set in the workspace it is meant.
    expect(takes('*', name)).toBe(true)
  })

  it('takes one pass over the longest name', () => {
    expect(fits('*a'.repeat(2000), 'a'.repeat(100_000))).toBe(true)
    expect(fits(`${'*a'.repeat(2000)}b`, 'a'.repeat(100_000))).toBe(false)
  })
})

describe('names', () => {
  it.each(['A', '_', 'a1', 'A_B'])('%s is one', (name) => expect(isVariableName(name)).toBe(true))
  it.each(['', '1A', 'A B', 'A-B', 'A=B', 'A\n', 'Ä', '__proto__', 'A'.repeat(201)])('%j is none', (name) =>
    expect(isVariableName(name)).toBe(false),
  )

  it.each([
    ...['API_KEY', 'apikey', 'GITHUB_TOKEN', 'CLIENT_SECRET', 'PASSWORD', 'DB_PASSWD', 'DB_PASS', 'PGPASSWORD'],
    ...['SSH_PASSPHRASE', 'MY_PWD', 'AWS_CREDENTIALS', 'PRIVATE', 'BASIC_AUTH', 'COOKIE', 'SENTRY_DSN', 'CARD_PIN'],
    ...['CONNECTION_STRING', 'SLACK_WEBHOOK', 'SESSION_ID'],
  ])('%s looks like a secret', (name) => expect(looksSecret(name, 'x')).toBe(true))

  it.each(['LANG', 'PORT', 'LOG_LEVEL', 'PWD', 'OLDPWD', 'MODEL', 'UNITS', 'PINGS'])('%s does not', (name) =>
    expect(looksSecret(name, 'x')).toBe(false),
  )

  it('a password in an address is one, whatever the name', () => {
    expect(looksSecret('DATABASE_URL', 'postgres://me:hunter2@db/x')).toBe(true)
    expect(looksSecret('DATABASE_URL', 'redis://:hunter2@db')).toBe(true)
    expect(looksSecret('DATABASE_URL', 'postgres://me@db/x')).toBe(false)
    expect(looksSecret('SITE', 'https://example.com/a:b@c')).toBe(false)
  })
})

describe('where the workspace keeps its own', () => {
  it('is a name that a line of .secrets can have, and no other one', () => {
    const parts = [
      ['a', 'b_c', 'd'],
      ['a_b', 'c', 'd'],
      ['a', 'b', 'c_d'],
      ['a', 'b', 'c__d'],
      ['a', 'b__c', 'd'],
      ['a.b', 'c', 'd'],
      ['a-b', 'c', 'd'],
      ['a', 'b', 'c', 'd'],
      ['a_5Fb', 'c', 'd'],
      ['ä', '=\n', '$'],
      ['A', 'b_c', 'd'],
    ]
    const names = parts.map((list) => storedName('GENERATED', list))
    expect(new Set(names).size).toBe(parts.length)
    expect(names.filter((name) => !/^PLOINKY_GENERATED__[A-Za-z0-9_]+$/.test(name))).toEqual([])
    expect(storedName('GENERATED_SHARED', ['X'])).not.toBe(storedName('GENERATED', ['X']))
    expect(names[0]).toBe('PLOINKY_GENERATED__a__b_5Fc__d')
  })

  it('is out of reach of every pattern', () => {
    const name = storedName('GENERATED', ['basic', 'demo', 'API_KEY'])
    const patterns = ['*', 'P*', '*KEY', 'PLOINKY_*', name, `${name}*`]
    expect(patterns.filter((pattern) => takes(pattern, name))).toEqual([])
  })
})
