import { expect, it } from 'vitest'
import type { ImageProgress } from '../../../runtimes/adapter.ts'
import { createPullProgress } from '../../../runtimes/cli/pull-progress.ts'
import { qualifyReference } from '../../../runtimes/cli/reference.ts'
import { recorded } from './support.ts'

function read(text: string): ImageProgress[] {
  const progress = createPullProgress('image:1')
  return text
    .split('\n')
    .map((line) => progress.read(line))
    .filter((step) => step !== null)
}

it('docker tells how far each layer is', () => {
  const steps = read(recorded('docker/20.10.24/pull.txt'))
  const fractions = steps.map(({ fraction }) => fraction ?? -1)
  expect(fractions).toEqual([...fractions].sort((a, b) => a - b))
  expect(fractions).toContain(0.5)
  expect(Math.max(...fractions)).toBe(0.99)
  expect(steps.every(({ done }) => !done)).toBe(true)
})

it('podman names what it copies', () => {
  const steps = read(recorded('podman/4.3.1/pull.txt'))
  expect(steps.filter(({ message }) => message.includes('Copying blob'))).toHaveLength(2)
  expect(steps.every(({ fraction }) => fraction === null)).toBe(true)
})

it('says nothing twice, and bounds what it says', () => {
  expect(read('aaaaaaaaaaaa: Waiting\naaaaaaaaaaaa: Waiting\n')).toHaveLength(1)
  expect(read('x'.repeat(10_000))[0]?.message.length).toBeLessThan(300)
})

it.each([
  ['node', 'docker.io/library/node'],
  ['node:24-alpine', 'docker.io/library/node:24-alpine'],
  ['org/app:1', 'docker.io/org/app:1'],
  ['localhost/app', 'localhost/app'],
  ['ghcr.io/org/app@sha256:abc', 'ghcr.io/org/app@sha256:abc'],
  ['registry:5000/app', 'registry:5000/app'],
])('%s is %s', (short, full) => {
  expect(qualifyReference(short)).toBe(full)
})
