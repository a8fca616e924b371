/** Values in the texts of a manifest. */
import { describe, expect, it } from 'vitest'
import { revealed, Secret } from '../../../src/core/secret.ts'
import { expandReference, expandTemplate, resolveEnvironment } from '../../../src/features/variables/index.ts'
import { originKey, originsOf, templateOrigin } from '../../../src/features/variables/origins.ts'
import { type Given, plain, request, sources } from './helpers.ts'

const keyOf = (kind: string, name: string): string => {
  const origin = templateOrigin(kind, name)
  return origin === null ? '' : originKey(origin, request())
}
const given: Given = {
  secrets: { S: 's', REF: '$S', TRICK: '{{secret:S}}', BAD: '$NONE' },
  environment: { V: 'v', V_TOKEN: 't' },
  made: { [keyOf('derivedMasterSecret', 'D')]: 'derived', [keyOf('generatedSecret', 'G')]: 'generated' },
}
const storage = { host: '/w/.ploinky/data/x', container: '/data' }
const expand = (template: string, change: Parameters<typeof request>[0] = { storage }) =>
  expandTemplate(template, { request: request(change), sources: sources(given), path: 'p' })

describe('templates of variables', () => {
  it.each<[string, string, boolean]>([
    ['', '', false],
    ['plain {text} {', 'plain {text} {', false],
    ['{{WORKSPACE_ROOT}}/x', '/w/x', false],
    ['{{ PLOINKY_WORKSPACE_ROOT }}', '/w', false],
    ['{{STORAGE_CONTAINER_PATH}}:{{STORAGE_HOST_PATH}}', '/data:/w/.ploinky/data/x', false],
    ['{{secret:S}}', 's', true],
    ['{{secret: REF }}', 's', true],
    ['{{secret:V}}', 'v', true],
    ['{{var:V}}-{{var:V}}', 'v-v', false],
    ['{{var:V_TOKEN}}', 't', true],
    ['{{var:S}}', 's', true],
    ['{{derivedMasterSecret:D}}', 'derived', true],
    ['{{generatedSecret:G}}', 'generated', true],
    ['a{{var:V}}b{{secret:S}}c', 'avbsc', true],
    // A value is never a template itself.
    ['{{secret:TRICK}}', '{{secret:S}}', true],
  ])('%j', (template, text, isSecret) => {
    const { value, missing, problems } = expand(template)
    expect([value === null ? null : revealed(value), value instanceof Secret, missing, problems]).toEqual([
      text,
      isSecret,
      [],
      [],
    ])
  })

  it.each<[string, string]>([
    ['{{WORKSPACE_ROT}}', 'unknown placeholder "{{WORKSPACE_ROT}}", did you mean "{{WORKSPACE_ROOT}}"?'],
    ['{{secrets:S}}', 'unknown placeholder "{{secrets:S}}", did you mean "{{secret:S}}"?'],
    ['{{Secret:S}}', 'unknown placeholder "{{Secret:S}}", did you mean "{{secret:S}}"?'],
    ['{{generatedSecrt:S}}', 'unknown placeholder "{{generatedSecrt:S}}", did you mean "{{generatedSecret:S}}"?'],
    ['{{secret}}', 'unknown placeholder "{{secret}}", did you mean "{{secret:NAME}}"?'],
    ['{{secret:}}', '"{{secret:}}" names nothing; write {{secret:NAME}}'],
    ['{{var:a-b}}', 'not the name of a variable in "{{var:a-b}}"'],
    ['x {{WORKSPACE_ROOT', 'a placeholder that begins with "{{" is not closed'],
    ['{{secret:BAD}}', '"BAD" leads to "NONE", which is not set: BAD -> NONE'],
    ['{{secret:PLOINKY_MASTER_KEY}}', ''],
  ])('%j is a problem', (template, message) => {
    const { value, missing, problems } = expand(template)
    expect(value).toBe(null)
    if (message === '') expect(missing).toEqual(['PLOINKY_MASTER_KEY'])
    else expect(problems).toEqual([{ path: 'p', message }])
  })

  it('lists what there is when nothing is near', () => {
    expect(expand('{{shell(rm -rf /)}}').problems[0]?.message).toContain('; known are WORKSPACE_ROOT,')
    expect(expand(`{{${'x'.repeat(5000)}}}`).problems[0]?.message.length).toBeLessThan(400)
  })

  it('a storage path needs a storage', () => {
    expect(expand('{{STORAGE_HOST_PATH}}', {}).problems).toEqual([
      { path: 'p', message: '{{STORAGE_HOST_PATH}} needs a persistent storage folder' },
    ])
  })

  it('every missing name is told, and the agent is not given half a text', () => {
    const resourceEnv = [{ name: 'A', template: '{{secret:X}} {{var:Y}} {{secret:X}}', path: 'p' }]
    const result = resolveEnvironment(request({ resourceEnv }), sources())
    expect(plain(result)).toEqual({})
    expect(result.missing.map(({ variable, kind }) => [variable, kind])).toEqual([
      ['X', 'template'],
      ['Y', 'template'],
    ])
  })

  it('the secrets in it are known before, so that they can be made', () => {
    const resourceEnv = [
      {
        name: 'A',
        template: '{{derivedMasterSecret:D}}{{generatedSecret:G}}{{secret:S}}{{generatedSecret}}',
        path: 'p',
      },
      { name: 'HIDDEN', template: '{{generatedSecret:H}}', path: 'p' },
    ]
    const needed = originsOf(request({ resourceEnv }), {
      demo: { definition: 'basic/demo', variables: { HIDDEN: 'S' } },
    })
    expect(needed.map(({ kind, name }) => [kind, name])).toEqual([
      ['derived', 'D'],
      ['generated', 'G'],
    ])
  })

  it('takes one pass over a hostile text', () => {
    expect(expand('{'.repeat(100_000)).problems).toHaveLength(1)
    expect(expand('{{ '.repeat(50_000)).problems).toHaveLength(1)
  })
})

describe('image references', () => {
  const image = (text: string, more: Given = {}) => expandReference(text, sources({ ...given, ...more }))

  it.each<[string, string]>([
    ['alpine:3', 'alpine:3'],
    ['r/${V}:${S}', 'r/v:s'],
    ['${REF}', 's'],
    ['$V/x', '$V/x'],
  ])('%s is %s', (text, value) => expect(image(text)).toEqual({ value, missing: [], problems: [] }))

  it('the agent’s own variables come first, their defaults too', () => {
    const values = new Map([['TAG', { value: '7', from: { kind: 'default' as const, text: '', chain: [] } }]])
    expect(expandReference('a:${TAG}', sources({ environment: { TAG: '8' } }), values).value).toBe('a:7')
  })

  it.each<[string, Given, Partial<ReturnType<typeof expandReference>>]>([
    ['a:${NONE}', {}, { missing: ['NONE'] }],
    ['a:${EMPTY}', { environment: { EMPTY: '' } }, { missing: ['EMPTY'] }],
    ['a:${BAD}', {}, { problems: ['"BAD" leads to "NONE", which is not set: BAD -> NONE'] }],
    ['a:${V:-latest}', {}, { problems: ['not the name of a variable: "${V:-latest}"'] }],
    ['a:${V', {}, { problems: ['"${" is not closed'] }],
    [
      'a:${X}',
      { environment: { X: 'b --privileged' } },
      { problems: ['the value of "X" cannot be part of an image reference'] },
    ],
    // It would stand in the process list.
    [
      'a:${API_KEY}',
      { secrets: { API_KEY: 'k' } },
      { problems: ['"API_KEY" looks like a secret, which must not be part of an image'] },
    ],
    ['a:${PLOINKY_OPERATOR}', { secrets: { PLOINKY_OPERATOR: 'k' } }, { missing: ['PLOINKY_OPERATOR'] }],
  ])('%s is refused, without the value', (text, more, expected) => {
    expect(image(text, more)).toEqual({ value: null, missing: [], problems: [], ...expected })
  })
})
