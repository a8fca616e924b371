import { describe, expect, it } from 'vitest'
import { type Listed, Roster } from '../../src/core/roster.ts'

interface Item extends Listed {
  readonly name: string
}

const item = (name: string): Item => ({ name, place: -1 })
const names = (roster: Roster<Item>): string[] =>
  roster
    .all()
    .map(({ name }) => name)
    .toSorted((a, b) => a.localeCompare(b))

describe('a roster', () => {
  it('holds what was added until it is deleted, in whatever order', () => {
    const roster = new Roster<Item>()
    const [a, b, c] = [item('a'), item('b'), item('c')]
    for (const each of [a, b, c]) roster.add(each)
    roster.delete(a)
    expect(names(roster)).toEqual(['b', 'c'])
    roster.delete(c)
    roster.delete(b)
    expect([roster.size, names(roster)]).toEqual([0, []])
    roster.add(b)
    expect(names(roster)).toEqual(['b'])
  })

  it('takes a second addition or deletion for none', () => {
    const roster = new Roster<Item>()
    const [a, b] = [item('a'), item('b')]
    roster.add(a)
    roster.add(a)
    roster.add(b)
    roster.delete(a)
    roster.delete(a)
    expect(names(roster)).toEqual(['b'])
  })

  it('lets things be deleted while all of them are gone through', () => {
    const roster = new Roster<Item>()
    const items = Array.from({ length: 20 }, (_, index) => item(String(index)))
    for (const each of items) roster.add(each)
    for (const each of roster.all()) roster.delete(each)
    expect(roster.size).toBe(0)
    expect(items.every(({ place }) => place === -1)).toBe(true)
  })

  it('agrees with a Set over many additions and deletions', () => {
    const roster = new Roster<Item>()
    const set = new Set<Item>()
    let seed = 7
    const next = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648)
    const items = Array.from({ length: 30 }, (_, index) => item(String(index)))
    for (let round = 0; round < 5000; round++) {
      const each = items[next() % items.length] as Item
      if (next() % 2 === 0) {
        roster.add(each)
        set.add(each)
      } else {
        roster.delete(each)
        set.delete(each)
      }
    }
    expect(new Set(roster.all())).toEqual(set)
  })
})
