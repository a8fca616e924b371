import { describe, expect, test } from 'vitest'
import { compare, type Scenarios } from './compare.ts'
import { REVISIONS } from './matrix.mjs'
import { requiredScenarios } from './suite.ts'

const scenarios = (table: Record<string, readonly string[]>): Scenarios =>
  new Map(
    Object.entries(table).map(([name, statuses]) => [
      name,
      statuses.map((status, at) => ({ id: `${name}-${at}`, name: 'Check', status })),
    ]),
  )

describe('compare()', () => {
  const direct = scenarios({ ping: ['SUCCESS', 'SUCCESS'], tools: ['SUCCESS', 'SKIPPED'], tasks: ['FAILURE'] })

  test('finds nothing when everything came through, failures of the server included', () => {
    expect(compare(direct, direct, ['ping', 'tools'])).toEqual({ lost: [], different: [], checks: 5 })
  })

  test('a required scenario is lost by one failed check, and by not being there', () => {
    const routed = scenarios({ ping: ['SUCCESS', 'FAILURE'], tasks: ['FAILURE'] })
    const { lost, different } = compare(direct, routed, ['ping', 'tools'])
    expect(lost).toEqual(['ping', 'tools'])
    expect(different).toEqual([
      'ping: ping-1 (Check) was SUCCESS, is FAILURE',
      'tools: tools-0 (Check) was SUCCESS, is not made',
      'tools: tools-1 (Check) was SKIPPED, is not made',
    ])
  })

  test('other scenarios are not lost, but the difference shows; so does what is made up', () => {
    const routed = scenarios({
      ping: ['SUCCESS', 'SUCCESS', 'SUCCESS'],
      tools: ['SUCCESS', 'WARNING'],
      tasks: ['SUCCESS'],
    })
    const { lost, different } = compare(direct, routed, ['ping', 'tools'])
    expect(lost).toEqual([])
    expect(different).toHaveLength(3)
  })

  test('what the server itself fails is not lost by the router', () => {
    expect(compare(direct, scenarios({}), ['tasks']).lost).toEqual([])
  })
})

test.each(REVISIONS)('the suite says what %s requires', async (revision) => {
  const required = await requiredScenarios(revision)
  expect(required.length).toBeGreaterThan(25)
  expect(required).toContain('dns-rebinding-protection')
})
