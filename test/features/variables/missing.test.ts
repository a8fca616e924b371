/** What a person reads when values are missing. */
import { describe, expect, it } from 'vitest'
import { exitCodeOf, type PloinkyError } from '../../../src/core/error.ts'
import {
  assertResolved,
  describeMissing,
  type MissingValue,
  resolveEnvironment,
} from '../../../src/features/variables/index.ts'
import { entry, request, sources } from './helpers.ts'

const missing = (change: Partial<MissingValue> = {}): MissingValue => ({
  agent: 'x',
  variable: 'API_KEY',
  neededBy: 'profiles.default.env.API_KEY',
  file: '/r/x/manifest.json',
  kind: 'required',
  empty: false,
  ...change,
})

describe('missing values', () => {
  it('one: the variable, who needs it, where that is written, and what to run', () => {
    const error = describeMissing([missing()])
    expect([error.code, exitCodeOf(error)]).toEqual(['CONFIG_INVALID', 3])
    expect(error.message).toBe('Agent "x" needs "API_KEY" (profiles.default.env.API_KEY in /r/x/manifest.json)')
    expect(error.hint).toBe('Run: ploinky var API_KEY <value>')
    expect(error.details['missing']).toHaveLength(1)
  })

  it('all of all agents at once; what two of them need is set once', () => {
    const error = describeMissing([
      missing(),
      missing({ agent: 'y' }),
      missing({ agent: 'y', variable: 'B', file: null }),
    ])
    expect(error.message.match(/Agent "/g)).toHaveLength(3)
    expect(error.message).toContain('Agent "y" needs "B" (profiles.default.env.API_KEY)')
    expect(error.hint).toBe('Run: ploinky var API_KEY <value>; ploinky var B <value>')
  })

  it('what nobody can set, an empty value and a pattern have their own words', () => {
    expect(describeMissing([missing({ kind: 'reserved', variable: 'PLOINKY_X' })])).toMatchObject({
      message: expect.stringContaining("names that begin with PLOINKY_ are the workspace's own") as string,
      hint: 'Rename the variable in the manifest',
    })
    expect(describeMissing([missing({ empty: true })]).message).toContain(', which is empty')
    expect(describeMissing([missing({ variable: 'LLM_*' })]).hint).toContain('ploinky var LLM_NAME <value>')
  })

  it('hundreds are counted, not listed', () => {
    const error = describeMissing(Array.from({ length: 300 }, (_, index) => missing({ variable: `V${index}` })))
    expect(error.message).toContain('280 more values are missing')
    expect(error.message.length).toBeLessThan(3000)
  })
})

describe('the check before anything starts', () => {
  const failureOf = (...given: Parameters<typeof assertResolved>): PloinkyError | null => {
    try {
      assertResolved(...given)
      return null
    } catch (error) {
      return error as PloinkyError
    }
  }

  it('passes when all is there', () => expect(failureOf([resolveEnvironment(request(), sources())])).toBe(null))

  it('tells broken references and missing values of all agents in one error, and no value', () => {
    const given = sources({ secrets: { A: '$B', B: '$A', C: 'hunter2', D: '$C' }, environment: { X: 'hunter2' } })
    const resolutions = [
      resolveEnvironment(request({ env: [entry('A'), entry('C'), entry('D'), entry('X')] }), given),
      resolveEnvironment(request({ agent: 'other', env: [entry('KEY', { required: true })] }), given),
    ]
    const error = failureOf(resolutions)
    expect(error?.code).toBe('CONFIG_INVALID')
    expect(error?.message).toBe(
      'Agent "demo": "A" refers to itself: A -> B -> A (profiles.dev.env.A); ' +
        'Agent "other" needs "KEY" (profiles.dev.env.KEY in /r/demo/manifest.json)',
    )
    expect(error?.hint).toBe('Run: ploinky var KEY <value>')
    expect(JSON.stringify([error?.message, error?.details, error?.hint])).not.toContain('hunter2')
  })
})
