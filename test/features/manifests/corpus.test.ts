/** Manifests as real repositories have them: each is parsed, checked and planned, and compared with what was expected. */
import { describe, expect, it } from 'vitest'
import { FIELDS } from '../../../src/config/manifest/fields.ts'
import { expectedOf, findingsOf, names, planOf, textOf } from '../../helpers/corpus.ts'

type Json = Record<string, unknown>

const isWellFormed = (name: string): boolean => !/^(?:bad|warn)-/.test(name)
/** Those that are meant to be right, as they are written. */
const manifests = names()
  .filter(isWellFormed)
  .map((name) => JSON.parse(textOf(name)) as Json)
const profilesOf = (manifest: Json): Json[] => Object.values((manifest['profiles'] ?? {}) as Record<string, Json>)

describe('a manifest of the corpus', () => {
  it.each(names())('%s', async (name) => {
    const { findings, plans, given } = expectedOf(name)
    expect(await findingsOf(name)).toEqual(findings)
    for (const [profile, plan] of Object.entries(plans)) {
      const asked = given === undefined ? { profile } : { profile, given }
      expect(await planOf(name, asked), profile).toEqual(plan)
    }
  })
})

describe('the corpus', () => {
  it('has enough of them, right and wrong ones', () => {
    expect(manifests.length).toBeGreaterThan(70)
    expect(names().filter((name) => name.startsWith('bad-')).length).toBeGreaterThan(15)
    for (const name of names()) expect(Object.keys(expectedOf(name).plans), name).not.toEqual([])
  })

  it('a right one has a plan, a wrong one says what is wrong', () => {
    const isWrong = (name: string): boolean => {
      const { findings, plans } = expectedOf(name)
      const hasProblem = (plan: Json): boolean => plan['missing'] !== undefined || plan['warnings'] !== undefined
      const noPlan = Object.values(plans).some((plan) => typeof plan === 'string' || hasProblem(plan))
      return noPlan || findings.some((text) => text.startsWith('error '))
    }
    const isRefused = (name: string): boolean =>
      Object.values(expectedOf(name).plans).some((plan) => typeof plan === 'string')
    expect(names().filter((name) => isWellFormed(name) && isRefused(name))).toEqual([])
    expect(names().filter((name) => name.startsWith('bad-') && !isWrong(name))).toEqual([])
  })

  it.each(FIELDS)('uses the field $name', ({ name, where }) => {
    const places = where === 'profile' ? manifests.flatMap(profilesOf) : manifests
    const also = where === 'both' ? manifests.flatMap(profilesOf) : []
    expect([...places, ...also].some((fields) => Object.hasOwn(fields, name))).toBe(true)
  })

  // How often each is used in the 72 manifests of the original's repositories.
  it.each([
    ['container', 72],
    ['about', 48],
    ['agent', 28],
    ['start', 12],
    ['cli', 23],
    ['entrypoint', 4],
    ['workdir', 2],
    ['env', 17],
    ['install', 5],
    ['ports', 3],
    ['network', 4],
    ['enable', 14],
    ['readiness', 20],
    ['health', 8],
    ['containerSecurity', 6],
    ['runtime', 2],
    ['profiles', 62],
    ['webchat', 2],
    ['volumeOptions', 3],
  ])('has %s in the root as often as they have', (name, count) => {
    expect(manifests.filter((fields) => Object.hasOwn(fields, name)).length).toBeGreaterThanOrEqual(count)
  })

  it('has variables in the forms and the order of frequency that they have', () => {
    const counts = countForms(manifests.flatMap((fields) => [fields, ...profilesOf(fields)]))
    const frequent = ['plain', 'map object', 'list object', 'map scalar', 'equals', 'wildcard']
    expect(frequent.toSorted((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0))).toEqual(frequent)
    const atLeast: [string, number][] = [
      ['plain', 113],
      ['map object', 81],
      ['list object', 68],
      ['map scalar', 26],
      ['wildcard', 6],
      ['equals', 4],
      ['name', 71],
      ['varName', 18],
      ['sharedGeneratedSecret', 12],
      ['generatedSecret', 5],
      ['derive', 3],
      ['required', 100],
      ['default', 100],
    ]
    expect(atLeast.filter(([form, count]) => (counts[form] ?? 0) < count)).toEqual([])
  })
})

/** Of every `env`: how its entries are written, and the keys of those that are objects. */
function countForms(layers: readonly Json[]): Record<string, number> {
  const counts: Record<string, number> = {}
  const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1)
  for (const { env } of layers) {
    const kind = Array.isArray(env) ? 'list' : 'map'
    for (const entry of Object.values((env ?? {}) as object) as unknown[]) {
      if (typeof entry === 'object' && entry !== null) {
        count(`${kind} object`)
        Object.keys(entry).forEach(count)
      } else if (kind === 'map') count('map scalar')
      else count(String(entry).includes('*') ? 'wildcard' : String(entry).includes('=') ? 'equals' : 'plain')
    }
  }
  return counts
}
