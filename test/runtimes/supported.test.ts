import { expect, it } from 'vitest'
import type { NetworkSpec, WorkloadSpec } from '../../runtimes/adapter.ts'
import { assertSupported, joinedNetworks } from '../../runtimes/supported.ts'
import { minimalSpec } from './cli/support.ts'

const able = { networks: { none: true, host: true, named: true }, privileged: true, gpus: true }
const unable = { networks: { none: false, host: false, named: false }, privileged: false, gpus: false }

const check = (change: Partial<WorkloadSpec>, capabilities = able): void =>
  assertSupported({ ...minimalSpec, ...change }, { displayName: 'Engine', capabilities })
const refused = (change: Partial<WorkloadSpec>, code: string, capabilities = able): void =>
  expect(() => check(change, capabilities)).toThrowError(expect.objectContaining({ code }) as Error)
const joins = (...attachments: { name: string; aliases: string[] }[]): NetworkSpec => ({
  mode: 'networks',
  attachments,
})

it('refuses what the runtime lacks, and nothing else', () => {
  const asked: Partial<WorkloadSpec>[] = [
    { network: { mode: 'none' } },
    { network: { mode: 'host' } },
    { network: joins({ name: 'shared', aliases: ['db', 'db.local', 'my_db', 'DB-1'] }) },
    { security: { ...minimalSpec.security, privileged: true } },
    { security: { ...minimalSpec.security, gpus: 'all' as const } },
  ]
  for (const change of asked) {
    refused(change, 'CAPABILITY_UNSUPPORTED', unable)
    check(change)
  }
  check({}, unable)
})

it('refuses networks that are none', () => {
  refused({ network: joins() }, 'CONFIG_INVALID')
  refused({ network: joins({ name: 'a', aliases: [] }, { name: 'a', aliases: [] }) }, 'CONFIG_INVALID')
  for (const name of ['', '..', 'a/b', '-x', 'a b', 'x'.repeat(64)]) {
    refused({ network: joins({ name, aliases: [] }) }, 'NAME_INVALID')
  }
  for (const alias of ['', '-x', 'x-', 'a b', 'a,b', 'x'.repeat(64), '--alias']) {
    refused({ network: joins({ name: 'a', aliases: [alias] }) }, 'CONFIG_INVALID')
  }
})

it("refuses a moved port in the host's network", () => {
  const port = { container: 7000, host: 0, hostIp: '127.0.0.1', protocol: 'tcp' as const }
  refused({ network: { mode: 'host' }, ports: [{ ...port, host: 7001 }] }, 'CONFIG_INVALID')
  check({ network: { mode: 'host' }, ports: [port, { ...port, container: 7001, host: 7001 }] })
})

it('refuses sizes of shared memory that are none', () => {
  for (const shmBytes of [0, -1, 1.5, 1024, Number.NaN, 2 ** 41]) {
    refused({ security: { ...minimalSpec.security, shmBytes } }, 'CONFIG_INVALID')
  }
})

it('names a network after its workspace', () => {
  const network = joins({ name: 'shared', aliases: ['db'] })
  const [joined] = joinedNetworks({ ...minimalSpec, network })
  expect(joined).toEqual({ name: 'shared', aliases: ['db'], engineName: 'ploinky-shared-w1' })
  const [other] = joinedNetworks({ ...minimalSpec, workspace: 'w2', network })
  expect(other?.engineName).not.toBe(joined?.engineName)
})
