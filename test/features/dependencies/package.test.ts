/** What a package.json asks for, and what it may not. */
import { describe, expect, it } from 'vitest'
import { packageNeeds } from '../../../src/features/dependencies/package.ts'

const needs = (dependencies: unknown) => packageNeeds(JSON.stringify({ dependencies }), '/a/package.json')

describe('packageNeeds()', () => {
  it('names what has to be there, and the archives that are needed for it', () => {
    expect(needs({ zod: '^4', '@scope/x': '1', y: 'file:vendor/y.tgz', z: 'file:./z.tar.gz' })).toEqual({
      names: ['zod', '@scope/x', 'y', 'z'],
      files: ['vendor/y.tgz', 'z.tar.gz'],
    })
  })

  it.each([undefined, {}])('%j asks for nothing', (dependencies) => {
    expect(needs(dependencies)).toBeNull()
  })

  it.each([
    [{ '../x': '1' }, 'not the name of a package: "../x"'],
    [{ '@a/../../b': '1' }, 'not the name of a package'],
    [{ x: 1 }, 'dependencies.x: expected text'],
    [{ x: 'file:../x.tgz' }, 'dependencies.x: expected an archive below the folder'],
    [{ x: 'file:/etc/x.tgz' }, 'expected an archive below the folder'],
    [{ x: 'file:vendor/x' }, 'expected an archive below the folder'],
    [[], null],
  ])('%j', (dependencies, message) => {
    if (message === null) expect(needs(dependencies)).toBeNull()
    else expect(() => needs(dependencies)).toThrow(message)
  })

  it('what is no JSON is named with its file', () => {
    expect(() => packageNeeds('{', '/a/package.json')).toThrow('Invalid "/a/package.json"')
  })
})
