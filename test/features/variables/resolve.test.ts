/** Which value a variable gets, from where, and what keeps an agent from starting. */
import { describe, expect, it } from 'vitest'
import type { SecretOrigin } from '../../../src/config/manifest/types.ts'
import { resolveEnvironment } from '../../../src/features/variables/index.ts'
import { originKey } from '../../../src/features/variables/origins.ts'
import { exposedName } from '../../../src/features/variables/resolve.ts'
import { entry, type Given, hidden, plain, request, sources, texts } from './helpers.ts'

const resolve = (env: Parameters<typeof entry>[], given: Given = {}) =>
  resolveEnvironment(request({ env: env.map((words) => entry(...words)) }), sources(given))

const derived: SecretOrigin = { kind: 'derived', name: 'N', repo: null, agent: null, bytes: 32, format: 'hex' }
const generated: SecretOrigin = { kind: 'generated', name: 'N', shared: false }
const shared: SecretOrigin = { kind: 'generated', name: 'N', shared: true }

describe('precedence', () => {
  const all: Required<Pick<Given, 'secrets' | 'environment' | 'dotenv'>> = {
    secrets: { A: 's' },
    environment: { A: 'e' },
    dotenv: { A: 'd' },
  }
  // Each of the three is there or not: all eight.
  const cases = Array.from({ length: 8 }, (_, bits) =>
    (['secrets', 'environment', 'dotenv'] as const).filter((_name, index) => (bits & (1 << index)) !== 0),
  )
  const expected: Record<string, [string, string]> = {
    secrets: ['s', '.ploinky/.secrets'],
    environment: ['e', 'environment'],
    dotenv: ['d', '/w/.env line 1'],
    none: ['x', 'default of profiles.dev.env.A'],
  }
  it.each(cases.map((there) => [there]))('of %j', (there) => {
    const given = Object.fromEntries(there.map((name) => [name, all[name]]))
    const result = resolve([['A', { default: 'x' }]], given)
    const [value, from] = expected[there[0] ?? 'none'] ?? []
    expect([plain(result), texts(result)]).toEqual([{ A: value }, { A: from }])
  })

  it('derived and generated values win over all', () => {
    for (const origin of [derived, generated, shared]) {
      const made = { [originKey(origin, request())]: 'made' }
      const result = resolve([['A', { origin, default: 'x', required: true }]], { ...all, made })
      expect([plain(result), hidden(result), result.missing]).toEqual([{ A: 'made' }, ['A'], []])
    }
  })

  it('without any, an optional variable is not given', () => {
    const result = resolve([['A']])
    expect([plain(result), result.missing, result.problems]).toEqual([{}, [], []])
  })

  it('an empty value is a value', () => {
    expect(plain(resolve([['A', { default: 'x' }]], { secrets: { A: '' }, environment: { A: 'e' } }))).toEqual({
      A: '',
    })
  })

  it('looks for the source, gives the name, and says both', () => {
    const result = resolve([['TO', { source: 'FROM' }]], { environment: { FROM: '1', TO: '2' } })
    expect([plain(result), texts(result)]).toEqual([{ TO: '1' }, { TO: 'FROM: environment' }])
  })

  it('a named variable wins over a pattern, wherever it stands', () => {
    const given = { secrets: { LLM_A: 'a', OTHER: 'o' } }
    for (const order of [0, 1]) {
      const env: Parameters<typeof entry>[] = [['LLM_A', { source: 'OTHER' }], ['LLM_*']]
      expect(plain(resolve(order === 0 ? env : env.reverse(), given))).toEqual({ LLM_A: 'o' })
    }
  })

  it('keeps to own names: what every object inherits is not set', () => {
    expect(plain(resolve([['constructor'], ['toString'], ['hasOwnProperty']]))).toEqual({})
  })
})

describe('references', () => {
  it('are walked in .secrets, and end in any place', () => {
    const env: Parameters<typeof entry>[] = [['A']]
    const secrets = { A: '$B', B: '$C' }
    expect(texts(resolve(env, { secrets: { ...secrets, C: 'v' } }))).toEqual({ A: 'A -> B -> C: .ploinky/.secrets' })
    expect(texts(resolve(env, { secrets, environment: { C: 'v' } }))).toEqual({ A: 'A -> B -> C: environment' })
    const last = resolve(env, { secrets, dotenv: { C: 'v' } })
    expect([plain(last), texts(last)]).toEqual([{ A: 'v' }, { A: 'A -> B -> C: /w/.env line 1' }])
    expect(last.values.get('A')?.from.chain).toEqual(['A', 'B', 'C'])
  })

  it.each<[string, Record<string, string>, string]>([
    ['to itself', { A: '$A' }, '"A" refers to itself: A -> A'],
    ['in a circle', { A: '$B', B: '$C', C: '$A' }, '"A" refers to itself: A -> B -> C -> A'],
    ['into a circle', { A: '$B', B: '$C', C: '$B' }, '"A" refers to itself: A -> B -> C -> B'],
    ['to nothing', { A: '$B', B: '$NONE' }, '"A" leads to "NONE", which is not set: A -> B -> NONE'],
    [
      'to a key of the workspace',
      { A: '$PLOINKY_OPERATOR_TOKEN', PLOINKY_OPERATOR_TOKEN: 'hunter2' },
      '"A" refers to "PLOINKY_OPERATOR_TOKEN", which is the workspace\'s own: A -> PLOINKY_OPERATOR_TOKEN',
    ],
  ])('%s are problems, a default or not', (_what, secrets, message) => {
    for (const change of [{}, { default: 'x' }, { required: true }]) {
      const result = resolve([['A', change]], { secrets, environment: { PLOINKY_OPERATOR_TOKEN: 'hunter2' } })
      expect(result.problems).toEqual([{ path: 'profiles.dev.env.A', message }])
      expect([plain(result), result.missing]).toEqual([{}, []])
    }
  })

  it.each(['$', '$1', '$A B', ' $B', 'x$B', '${B}', '$B-', '$(id)'])('%j is none', (value) => {
    expect(plain(resolve([['A']], { secrets: { A: value, B: 'b' } }))).toEqual({ A: value })
  })

  it('a doubled dollar stands for one', () => {
    expect(plain(resolve([['A']], { secrets: { A: '$$B', B: 'b' } }))).toEqual({ A: '$B' })
  })

  it('are plain text in the environment, in .env and in a default', () => {
    const env: Parameters<typeof entry>[] = [['E'], ['D'], ['X', { default: '$T' }]]
    const result = resolve(env, { environment: { E: '$T', T: 't' }, dotenv: { D: '$T' } })
    expect(plain(result)).toEqual({ E: '$T', D: '$T', X: '$T' })
  })

  it('a very long chain ends', () => {
    const secrets = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`V${index}`, `$V${index + 1}`]))
    expect(plain(resolve([['V0']], { secrets: { ...secrets, V20000: 'end' } }))).toEqual({ V0: 'end' })
  })
})

describe('what is hidden', () => {
  it('everything but plain values of the environment and defaults', () => {
    const env: Parameters<typeof entry>[] = ['S', 'D', 'E', 'E_TOKEN', 'URL'].map((name) => [name])
    const result = resolve(
      [...env, ['X', { default: 'x' }], ['MY_KEY', { source: 'E' }], ['PLAIN', { source: 'A_KEY' }]],
      {
        secrets: { S: '1' },
        dotenv: { D: '1' },
        environment: { E: '1', E_TOKEN: '1', URL: 'https://a:b@c', A_KEY: '1' },
      },
    )
    expect(hidden(result).sort()).toEqual(['D', 'E_TOKEN', 'MY_KEY', 'PLAIN', 'S', 'URL'])
  })
})

describe('patterns', () => {
  it('look into all three places, with the same precedence', () => {
    const given = {
      secrets: { LLM_A: 's', OTHER: '1' },
      environment: { LLM_A: 'e', LLM_B: 'e', 'LLM_x%%': 'f' },
      dotenv: { LLM_A: 'd', LLM_B: 'd', LLM_C: 'd' },
    }
    const result = resolve([['LLM_*']], given)
    expect(plain(result)).toEqual({ LLM_A: 's', LLM_B: 'e', LLM_C: 'd' })
    expect(texts(result)['LLM_C']).toBe('/w/.env line 3')
  })

  it('a bare one leaves out API keys and what describes this machine', () => {
    const given = {
      secrets: { A: '1', MY_API_KEY: '1', PLOINKY_X: '1' },
      environment: { PATH: '/bin', HOME: '/', B: '2' },
    }
    expect(plain(resolve([['*']], given))).toEqual({ A: '1', B: '2' })
  })

  it('leave out what leads nowhere, with a warning: nobody asked for it by name', () => {
    const result = resolve([['A*']], { secrets: { A1: '1', A2: '$NONE' } })
    expect([plain(result), result.problems]).toEqual([{ A1: '1' }, []])
    expect(result.warnings).toEqual([
      { path: 'profiles.dev.env.A*', message: '"A2" leads to "NONE", which is not set: A2 -> NONE; left out of "A*"' },
    ])
  })

  it('a required one needs at least one', () => {
    expect(resolve([['A*', { required: true }]]).missing).toMatchObject([{ variable: 'A*', kind: 'required' }])
    expect(resolve([['A*', { required: true }]], { environment: { A1: '1' } }).missing).toEqual([])
  })
})

describe('what is missing', () => {
  it('names the variable to set, who needs it and where that is written', () => {
    const result = resolve([['TO', { source: 'FROM', required: true }]])
    expect(result.missing).toEqual([
      {
        agent: 'demo',
        variable: 'FROM',
        neededBy: 'profiles.dev.env.TO',
        file: '/r/demo/manifest.json',
        kind: 'required',
        empty: false,
      },
    ])
  })

  it('a required variable that is empty is missing; one with a default is not', () => {
    expect(resolve([['A', { required: true }]], { environment: { A: '' } }).missing).toMatchObject([{ empty: true }])
    expect(resolve([['A', { required: true, default: 'x' }]]).missing).toEqual([])
  })

  it('a name of the workspace is not asked for, unless it gives it itself', () => {
    const env = [entry('PLOINKY_X', { required: true }), entry('PLOINKY_Y', { default: 'y' }), entry('PLOINKY_Z')]
    const given = sources({
      secrets: { PLOINKY_X: 's', PLOINKY_Y: 's', PLOINKY_Z: 's' },
      environment: { PLOINKY_Z: 'e' },
    })
    const result = resolveEnvironment(request({ env }), given)
    expect(plain(result)).toEqual({ PLOINKY_Y: 'y' })
    expect(result.missing).toMatchObject([{ variable: 'PLOINKY_X', kind: 'reserved' }])
    expect(resolveEnvironment(request({ env, given: new Set(['PLOINKY_X']) }), given).missing).toEqual([])
  })

  it('is told once for each variable', () => {
    const result = resolveEnvironment(
      request({
        env: [entry('A', { required: true }), entry('B', { source: 'A', required: true })],
        secrets: [{ name: 'A', path: 'profiles.dev.secrets[0]' }],
      }),
      sources(),
    )
    expect(result.missing).toHaveLength(1)
  })
})

describe('secrets of a profile', () => {
  const secrets = [{ name: 'S', path: 'profiles.prod.secrets[0]' }]
  it.each<[string, Given]>([
    ['.secrets', { secrets: { S: 'v' } }],
    ['the environment', { environment: { S: 'v' } }],
    ['.env', { dotenv: { S: 'v' } }],
  ])('may be in %s, and are hidden', (_where, given) => {
    const result = resolveEnvironment(request({ secrets }), sources(given))
    expect([plain(result), hidden(result), result.missing]).toEqual([{ S: 'v' }, ['S'], []])
  })

  it('need a value of their own: a default is none', () => {
    const env = [entry('S', { default: 'x' })]
    expect(resolveEnvironment(request({ env, secrets }), sources()).missing).toMatchObject([
      { variable: 'S', kind: 'secret', neededBy: 'profiles.prod.secrets[0]' },
    ])
  })

  it('may be generated', () => {
    const env = [entry('S', { origin: generated })]
    const made = { [originKey(generated, request())]: 'made' }
    const result = resolveEnvironment(request({ env, secrets }), sources({ made }))
    expect([plain(result), result.missing]).toEqual([{ S: 'made' }, []])
  })

  it('that lead nowhere are one problem', () => {
    const result = resolveEnvironment(request({ env: [entry('S')], secrets }), sources({ secrets: { S: '$NONE' } }))
    expect([result.problems.length, result.missing]).toEqual([1, []])
  })
})

describe('derived and generated', () => {
  it('say whose they are, and when they are not made yet', () => {
    const other: SecretOrigin = { ...derived, agent: 'other', name: 'M' }
    const origins = { D: derived, O: other, G: generated, S: shared }
    const env = Object.entries(origins).map(([name, origin]) => entry(name, { origin }))
    const made = (value: string | null) =>
      Object.fromEntries(Object.values(origins).map((origin) => [originKey(origin, request()), value]))
    expect(texts(resolveEnvironment(request({ env }), sources({ made: made('v') })))).toEqual({
      D: 'derived',
      O: 'derived for basic/other',
      G: 'generated',
      S: 'generated, shared',
    })
    const later = texts(resolveEnvironment(request({ env }), sources({ made: made(null) })))
    expect(Object.values(later).every((text) => text.endsWith(', made at the next start'))).toBe(true)
  })

  it('of an alias: derived under the name in the repository, generated for itself', () => {
    const [one, two] = [request(), request({ agent: 'copy', definition: 'demo' })]
    expect(originKey(derived, one)).toBe(originKey(derived, two))
    expect(originKey(generated, one)).not.toBe(originKey(generated, two))
    expect(originKey(shared, one)).toBe(originKey(shared, two))
  })

  it('sources that were loaded for others are a mistake of ours, not an empty secret', () => {
    expect(() => resolve([['A', { origin: generated }]])).toThrow('not loaded for agent "demo"')
  })
})

describe('what the workspace exposes', () => {
  const to = (variables: Record<string, string>, definition = 'basic/demo') => ({ definition, variables })
  const exposed = { demo: to({ A: 'FROM' }) }
  it('is given over everything that the manifest says', () => {
    const result = resolveEnvironment(
      request({
        env: [entry('A', { required: true, source: 'X' })],
        secrets: [{ name: 'A', path: 's' }],
        resourceEnv: [{ name: 'A', template: '{{var:NONE}}', path: 'r' }],
      }),
      sources({ secrets: { FROM: 'v', A: 'other' }, exposed }),
    )
    expect([plain(result), result.missing, result.problems]).toEqual([{ A: 'v' }, [], []])
    expect(texts(result)).toEqual({ A: 'exposed from FROM: .ploinky/.secrets' })
  })

  it('reaches only its agent', () => {
    const given = sources({ secrets: { FROM: 'v' }, exposed: { other: to({ A: 'FROM' }, 'basic/other') } })
    expect(plain(resolveEnvironment(request(), given))).toEqual({})
  })

  it('does not reach another agent that comes under the same name', () => {
    const given = sources({ secrets: { FROM: 'v' }, exposed })
    expect(plain(resolveEnvironment(request({ repo: 'evil' }), given))).toEqual({})
    expect(plain(resolveEnvironment(request({ definition: 'other' }), given))).toEqual({})
  })

  it('may be a value of its own, which no other way leads to', () => {
    const name = exposedName('demo', 'A')
    const secrets = { [name]: 'v', B: `$${name}` }
    const given = sources({ secrets, exposed: { demo: to({ A: name }), copy: to({ C: name }) } })
    const result = resolveEnvironment(request({ env: [entry('B'), entry('*')] }), given)
    expect([plain(result), texts(result)]).toEqual([{ A: 'v' }, { A: 'exposed: .ploinky/.secrets' }])
    expect(result.problems).toMatchObject([{ path: 'profiles.dev.env.B' }])
    expect(resolveEnvironment(request({ agent: 'copy', definition: 'demo' }), given).missing).toHaveLength(1)
  })

  it('is missing when its variable is not set', () => {
    expect(resolveEnvironment(request(), sources({ exposed })).missing).toMatchObject([
      { variable: 'FROM', kind: 'exposed', neededBy: '.ploinky/exposed.json demo.A' },
    ])
  })
})
