import { describe, expect, it } from 'vitest'
import type { WorkloadSpec } from '../../../runtimes/adapter.ts'
import { parseNetworkLabels } from '../../../runtimes/cli/networks.ts'
import {
  connectArgs,
  createNetworkArgs,
  inspectNetworkArgs,
  listNetworksArgs,
  networkUsersArgs,
  removeNetworkArgs,
} from '../../../runtimes/cli/oci-networks.ts'
import { createArgs, runArgs } from '../../../runtimes/cli/oci.ts'
import { dockerDialect } from '../../../runtimes/docker/index.ts'
import { podmanDialect } from '../../../runtimes/podman/index.ts'
import { fullSpec, minimalSpec, partsFor } from './support.ts'

const source = { runtime: 'x', command: 'x network inspect' }

it('command lines', () => {
  const attachment = { name: 'back', aliases: ['db', 'store'], engineName: 'ploinky-back-w1' }
  const lines = [
    createNetworkArgs('w1', 'ploinky-back-w1'),
    connectArgs(attachment, 'ploinky-demo-w1'),
    inspectNetworkArgs('ploinky-back-w1'),
    listNetworksArgs('w1'),
    networkUsersArgs('ploinky-back-w1'),
    removeNetworkArgs('ploinky-back-w1'),
  ]
  expect(lines.map((args) => args.join(' '))).toEqual([
    'network create --label ploinky.workspace=w1 -- ploinky-back-w1',
    'network connect --alias db --alias store -- ploinky-back-w1 ploinky-demo-w1',
    'network inspect -- ploinky-back-w1',
    'network ls --format {{.Name}} --filter label=ploinky.workspace=w1',
    'ps --all --quiet --no-trunc --filter network=ploinky-back-w1',
    'network rm -- ploinky-back-w1',
  ])
})

it('labels as docker, podman and their API tell them', () => {
  expect(parseNetworkLabels('[{"Name":"n","Labels":{"a":"b"}}]', source)).toEqual({ a: 'b' })
  expect(parseNetworkLabels('[{"name":"n","labels":{"a":"b"}}]', source)).toEqual({ a: 'b' })
  expect(parseNetworkLabels('{"Name":"n","Labels":{"a":"b"}}', source)).toEqual({ a: 'b' })
  // podman leaves an empty map out, docker says null.
  expect(parseNetworkLabels('[{"name":"n"}]', source)).toEqual({})
  expect(parseNetworkLabels('[{"Labels":null}]', source)).toEqual({})
  expect(parseNetworkLabels('[]', source)).toBeNull()
  expect(() => parseNetworkLabels('[{"Labels":["a=b"]}]', source)).toThrowError(
    expect.objectContaining({ code: 'RUNTIME_OUTPUT_UNREADABLE' }) as Error,
  )
})

describe('run', () => {
  const run = (dialect: typeof dockerDialect, spec: WorkloadSpec): readonly string[] =>
    runArgs(dialect, spec, partsFor(spec))
  const flagsOf = (args: readonly string[], ...names: string[]): string[] =>
    args.flatMap((arg, i) => (names.includes(arg) ? [`${arg} ${args[i + 1]}`] : []))
  it('in a named network: the primary one with its aliases, published as ever', () => {
    const attachments = [
      { name: 'front', aliases: ['web', 'www'] },
      { name: 'back', aliases: ['store'] },
    ]
    const spec: WorkloadSpec = { ...minimalSpec, ports: fullSpec.ports, network: { mode: 'networks', attachments } }
    for (const dialect of [dockerDialect, podmanDialect]) {
      expect(flagsOf(run(dialect, spec), '--network', '--network-alias', '--publish')).toEqual([
        '--network ploinky-front-w1',
        '--network-alias web',
        '--network-alias www',
        '--publish 127.0.0.1::7000/tcp',
        '--publish [::1]:5353:53/udp',
      ])
      // What cannot be joined in one call: the same container, without its start.
      const args = createArgs(dialect, spec, partsFor(spec))
      expect(args).toEqual(['create', ...run(dialect, spec).slice(2)])
    }
  })
  it("in the host's network publishes nothing, notes its ports and names loopback", () => {
    const ports = fullSpec.ports.map((port) => ({ ...port, host: 0 }))
    const labels = { 'ploinky.ports': '22/tcp' }
    const spec: WorkloadSpec = { ...minimalSpec, ports, labels, network: { mode: 'host' } }
    const seen = [dockerDialect, podmanDialect].map((dialect) =>
      flagsOf(run(dialect, spec), '--network', '--publish', '--add-host', '--label').filter(
        (flag) => !/ploinky\.(?:workspace|agent|spec)/.test(flag),
      ),
    )
    const common = ['--network host', '--label ploinky.ports=7000/tcp,53/udp']
    expect(seen).toEqual([
      ['--add-host host.docker.internal:127.0.0.1', ...common],
      ['--add-host host.containers.internal:127.0.0.1', ...common],
    ])
  })
})
