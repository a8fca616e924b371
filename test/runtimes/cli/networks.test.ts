import { expect, it } from 'vitest'
import { parseNetworkLabels } from '../../../runtimes/cli/networks.ts'
import {
  connectArgs,
  createNetworkArgs,
  inspectNetworkArgs,
  listNetworksArgs,
  networkUsersArgs,
  removeNetworkArgs,
} from '../../../runtimes/cli/oci-networks.ts'

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
