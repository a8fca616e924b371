import { describe, expect, it } from 'vitest'
import { fits, lineOf, missingParam, readCommands, requestOf, splitWords } from '../../public/shared/command-model.ts'
import { commands } from '../../src/commands.ts'
import { describeCommands } from '../../src/http/command-table.ts'

const admin = { id: 'operator', roles: ['admin'] } as const
const table = readCommands(JSON.parse(JSON.stringify(describeCommands(commands, admin))))
const named = (name: string) => {
  const found = table.find((entry) => entry.name === name)
  if (found === undefined) throw new Error(`No command ${name}`)
  return found
}

describe('the table for pages', () => {
  it('holds what the caller may do, and nothing else', () => {
    const viewer = describeCommands(commands, { id: 'guest', roles: ['viewer'] })
    expect(new Set(viewer.map(({ permission }) => permission))).toEqual(new Set(['read']))
    expect(viewer.map(({ name }) => name)).toContain('status')
    expect(describeCommands(commands, { id: 'agent:x', roles: [] })).toEqual([])
  })

  it('asks before what ends, removes or cuts off', () => {
    const destructive = table.filter((entry) => entry.destructive).map(({ name }) => name)
    for (const name of [
      'agent stop',
      'disable agent',
      'disable repo',
      'revoke',
      'token rotate',
      'mcp unlock',
      'reinstall',
    ])
      expect(destructive).toContain(name)
    expect(destructive).not.toContain('status')
  })

  it('survives what is no table', () => {
    for (const body of [null, 'x', [null, 1, { name: 5 }], [{ name: 'x', http: { method: 'TRACE', path: '/' } }]])
      expect(readCommands(body).filter(({ http }) => http !== null)).toEqual([])
  })
})

describe('a command that was filled in', () => {
  it('is the line that a terminal takes', () => {
    expect(lineOf(named('enable agent'), { agent: 'basic/x', words: ['as', 'my one'], profile: 'prod' })).toBe(
      "ploinky enable agent basic/x --profile prod as 'my one'",
    )
    expect(lineOf(named('disable repo'), { name: 'basic', remove: true })).toBe('ploinky disable repo basic --remove')
    // A place that stays empty: what comes after it has to be named.
    expect(lineOf(named('add repo'), { name: 'mine', branch: 'next' })).toBe('ploinky add repo mine --branch next')
  })

  it('keeps secrets out of the line, and sends them in the body alone', () => {
    const values = { name: 'KEY', value: 'top secret' }
    expect(lineOf(named('var'), values)).toBe('ploinky var KEY')
    expect(requestOf(named('var'), values)).toEqual({
      method: 'PUT',
      path: 'api/v1/variables/KEY',
      body: { value: 'top secret' },
    })
  })

  it('is a request whose address nobody can bend', () => {
    expect(requestOf(named('agent stop'), { agent: '../../auth/logout?x' }).path).toBe(
      'api/v1/agents/..%2F..%2Fauth%2Flogout%3Fx/stop',
    )
    expect(requestOf(named('plan'), { agent: 'basic/demo', profile: 'a&b' }).path).toBe(
      'api/v1/agents/basic%3Ademo/plan?profile=a%26b',
    )
  })

  it('says what is missing', () => {
    expect(missingParam(named('agent stop'), {})?.name).toBe('agent')
    expect(missingParam(named('agent stop'), { agent: 'x' })).toBe(null)
  })
})

it('splits words as they are typed', () => {
  expect(splitWords(`demo/add 'two words' "and more" `)).toEqual(['demo/add', 'two words', 'and more'])
})

it('finds what was meant', () => {
  const best = (typed: string) => [...table].sort((a, b) => fits(b.name, typed) - fits(a.name, typed))[0]?.name
  expect(best('restart')).toMatch(/restart/)
  expect(best('en ag')).toBe('enable agent')
  expect(best('lsrp')).toBe('list repos')
  expect(fits('status', 'zzz')).toBe(0)
})
