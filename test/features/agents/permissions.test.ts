import { expect, it } from 'vitest'
import { permissionsOf } from '../../../src/features/agents/permissions.ts'
import type { ExplainedPlan } from '../../../src/features/agents/index.ts'

const PLAN = {
  runtime: 'Docker',
  usesImage: true,
  image: { value: 'alpine:3', from: 'container' },
  mounts: [],
  env: [],
  missing: [],
  ports: { value: ['127.0.0.1:any:7000/tcp'], from: 'default' },
  network: { value: { mode: 'none' }, from: 'network' },
  security: { privileged: false, gpus: null, addCapabilities: [], from: 'default' },
  limits: { pids: 512, memoryBytes: 2 * 1024 ** 3, cpus: 1, from: 'limits' },
  calls: [],
  hooks: [],
  needs: [],
} as unknown as ExplainedPlan
const of = (change: object) => permissionsOf({ ...PLAN, ...change } as ExplainedPlan, '/w')
const texts = (level: string, change: object) =>
  of(change)
    .filter((item) => item.level === level)
    .map(({ text }) => text)

it('says what every agent gets, without alarm', () => {
  expect(new Set(of({}).map(({ level }) => level))).toEqual(new Set(['plain']))
  expect(of({}).map(({ text }) => text)).toContain('Runs the image alpine:3 in a container of its own (Docker)')
})

it('puts what leaves the container first', () => {
  const all = of({
    hooks: [{ name: 'preinstall', where: 'this machine', line: 'curl x | sh', from: 'preinstall' }],
    security: { privileged: true, gpus: null, addCapabilities: ['SYS_ADMIN'], from: 'security' },
    network: { value: { mode: 'host' }, from: 'network' },
    ports: { value: ['0.0.0.0:80:80/tcp'], from: 'ports' },
    mounts: [
      { source: '/var/run/docker.sock', target: '/s', mode: 'rw', from: 'volumes' },
      { source: '/etc', target: '/etc2', mode: 'rw', from: 'volumes' },
    ],
  })
  expect(all.slice(0, 7).map(({ level }) => level)).toEqual(Array.from({ length: 7 }, () => 'danger'))
  expect(all[0]?.text).toBe('Runs on this machine, as you, outside of any container: curl x | sh')
})

it('tells secrets by name, calls, needs, and the whole workspace', () => {
  expect(
    texts('notable', {
      env: [
        { name: 'KEY', value: null, from: '.ploinky/.secrets' },
        { name: 'OWN', value: null, from: 'ploinky' },
      ],
      calls: [{ agent: 'b', tools: ['x', 'y'], from: 'calls' }],
      needs: [{ name: 'c', wait: true, from: 'enable' }],
      mounts: [{ source: '/w', target: '/w', mode: 'rw', from: 'mode global' }],
    }),
  ).toEqual([
    'Reads and changes /w',
    'Is given the secret KEY',
    'May call x and y of the agent b',
    'Enables and starts the agent c with it',
  ])
})
