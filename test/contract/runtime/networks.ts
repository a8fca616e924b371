/** Named networks, the host's network, and the way from an instance to this host. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import type { NetworkSpec, PortSpec, Workload } from '../../../runtimes/adapter.ts'
import { networkName } from '../../../src/core/id.ts'
import { eventually } from '../../helpers/eventually.ts'
import { programs } from '../../helpers/runtime-programs.ts'
import type { Contract } from '../runtime.ts'
import { failure, type Scope, type SpecOverrides } from './kit.ts'

const tcp = (container: number): PortSpec => ({ container, host: 0, hostIp: '127.0.0.1', protocol: 'tcp' })

/** Attachments by name: `{ shared: ['web'] }`. */
const joins = (networks: Record<string, readonly string[]>): NetworkSpec => ({
  mode: 'networks',
  attachments: Object.entries(networks).map(([name, aliases]) => ({ name, aliases })),
})

const startNode = (t: Scope, overrides: SpecOverrides): Promise<Workload> =>
  t.start({ image: t.target.images?.node ?? null, ...overrides })

const fetched = async (t: Scope, name: string, url: string): Promise<string> =>
  (await t.exec(name, programs.fetches(url))).stdout

/**
 * What is served under a name. podman's name server (aardvark-dns 1.4) listens for a network a moment after its first
 * instances run: 2 of 103 first questions were refused while other networks came and went, none 3 s later.
 */
const servesUnderName = (t: Scope, name: string, url: string, answer: string): Promise<void> =>
  eventually(async () => expect(await fetched(t, name, url)).toBe(answer))

async function listens(t: Scope, host: string): Promise<number> {
  const server: Server = createServer((_request, response) => response.end('this host')).listen(0, host)
  await new Promise((resolve) => server.once('listening', resolve))
  t.defer(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}

export function namedNetworkCases(contract: Contract): void {
  meeting(contract)
  endings(contract)
  strangers(contract)
  hostNetwork(contract)
}

function meeting(contract: Contract): void {
  contract('instances of a network find each other by alias, and nobody else does', async (t) => {
    const other = t.newWorkspace()
    const web = { agent: 'web', command: programs.webServer(), network: joins({ shared: ['web', 'www.web'] }) }
    const [server, client, stranger, apart] = await Promise.all([
      startNode(t, web),
      startNode(t, { agent: 'client', network: joins({ shared: [] }) }),
      startNode(t, { agent: 'stranger' }),
      startNode(t, { agent: 'client', workspace: other, network: joins({ shared: [] }) }),
    ])
    await t.sees(server.name, 'up')
    await servesUnderName(t, client.name, 'http://web:7000/a', 'served /a')
    await servesUnderName(t, client.name, 'http://www.web:7000/b', 'served /b')
    for (const { name } of [stranger, apart]) {
      expect(await fetched(t, name, 'http://web:7000/c')).toMatch(/^failed/)
    }
  })

  contract('an instance joins several networks and is published as ever', async (t) => {
    const network = joins({ front: ['web'], back: ['store'] })
    const web = { agent: 'web', command: programs.webServer(), network, ports: [tcp(7000)] }
    const [server, client] = await Promise.all([
      startNode(t, web),
      startNode(t, { agent: 'client', network: joins({ back: [] }) }),
    ])
    await t.sees(server.name, 'up')
    await servesUnderName(t, client.name, 'http://store:7000/a', 'served /a')
    expect(await fetched(t, client.name, 'http://web:7000/a')).toMatch(/^failed/)
    const endpoint = await t.adapter.endpoint(server.name, 7000)
    expect(await (await fetch(`http://127.0.0.1:${endpoint?.port}/out`)).text()).toBe('served /out')
    const wanted = t.spec({ image: t.target.images?.node ?? null, ...web })
    expect((await t.adapter.apply(wanted)).outcome).toBe('unchanged')
    await t.adapter.stop(server.name, { graceSeconds: 1 })
    expect((await t.adapter.apply(wanted)).outcome).toBe('started')
  })

  contract('instances that start side by side share one new network', async (t) => {
    // As two processes of ours in one workspace.
    const [one, two] = await Promise.all([t.otherAdapter(), t.otherAdapter()])
    const specs = ['a', 'b', 'c', 'd'].map((agent) => t.spec({ agent, network: joins({ shared: [agent] }) }))
    await Promise.all(specs.map((spec, index) => (index % 2 === 0 ? one : two).apply(spec)))
    expect(await t.target.networksOf(t.workspace)).toEqual([networkName(t.workspace, 'shared')])
  })
}

function endings(contract: Contract): void {
  contract('a network goes with the last instance that uses it, also a stopped one', async (t) => {
    const shared = networkName(t.workspace, 'shared')
    const network = joins({ shared: [] })
    const [one, two] = await Promise.all([t.start({ agent: 'one', network }), t.start({ agent: 'two', network })])
    await t.adapter.stop(one.name, { graceSeconds: 1 })
    await t.adapter.remove(two.name)
    expect(await t.target.networksOf(t.workspace)).toEqual([shared])
    expect(await t.adapter.sweep(t.workspace)).toEqual({ jobs: [], networks: [] })
    expect((await t.adapter.apply(t.spec({ agent: 'one', network }))).outcome).toBe('started')
    await t.adapter.remove(one.name)
    expect(await t.target.networksOf(t.workspace)).toEqual([])
  })

  contract('a change of network replaces the instance and leaves no network behind', async (t) => {
    await t.start({ network: joins({ before: [] }) })
    const changed = await t.adapter.apply(t.spec({ network: joins({ after: [] }) }))
    expect(changed.outcome).toBe('replaced')
    expect(await t.target.networksOf(t.workspace)).toEqual([networkName(t.workspace, 'after')])
    expect((await t.adapter.apply(t.spec({ network: joins({ after: ['x'] }) }))).outcome).toBe('replaced')
  })

  contract('sweep removes networks that were left behind', async (t) => {
    const left = await t.start({ network: joins({ left: [] }) })
    await t.target.removeBehindBack(left)
    const names = [networkName(t.workspace, 'left')]
    expect(await t.target.networksOf(t.workspace)).toEqual(names)
    expect(await t.adapter.sweep(t.workspace)).toEqual({ jobs: [], networks: names })
    expect(await t.target.networksOf(t.workspace)).toEqual([])
  })

  contract('a network that was taken away comes back with its instance', async (t) => {
    const network = joins({ shared: [] })
    const { name } = await t.start({ network })
    await t.adapter.stop(name, { graceSeconds: 1 })
    await t.target.removeNetworkBehindBack(networkName(t.workspace, 'shared'))
    const { workload } = await t.adapter.apply(t.spec({ network }))
    expect(workload.state).toBe('running')
    expect(await t.target.networksOf(t.workspace)).toEqual([networkName(t.workspace, 'shared')])
    // Also one that this process has seen before.
    await t.target.removeBehindBack(workload)
    await t.target.removeNetworkBehindBack(networkName(t.workspace, 'shared'))
    expect((await t.adapter.apply(t.spec({ network }))).workload.state).toBe('running')
  })
}

function strangers(contract: Contract): void {
  contract('a foreign network with our name is a conflict and stays', async (t) => {
    const name = networkName(t.workspace, 'taken')
    await using foreign = await t.target.createForeignNetwork(name)
    const error = await failure(t.adapter.apply(t.spec({ network: joins({ taken: [] }) })), 'CONFLICT')
    expect(error.message).toContain(name)
    expect(await t.adapter.list({ workspace: t.workspace })).toEqual([])
    expect(await t.adapter.sweep(t.workspace)).toEqual({ jobs: [], networks: [] })
    expect(await foreign.isUntouched()).toBe(true)
  })

  contract('a network that the runtime cannot give is refused', async (t) => {
    const { none, host, named } = t.capabilities.networks
    const modes: [boolean, NetworkSpec][] = [
      [none, { mode: 'none' }],
      [host, { mode: 'host' }],
      [named, joins({ shared: [] })],
    ]
    for (const [able, network] of modes) {
      if (!able) await failure(t.adapter.apply(t.spec({ network })), 'CAPABILITY_UNSUPPORTED')
    }
    const odd: NetworkSpec[] = [joins({}), joins({ shared: ['--privileged'] }), joins({ '../up': [] })]
    for (const network of odd) {
      await failure(t.adapter.apply(t.spec({ network })), 'CONFIG_INVALID', 'NAME_INVALID', 'CAPABILITY_UNSUPPORTED')
    }
    expect(await t.adapter.list({ workspace: t.workspace })).toEqual([])
  })
}

function hostNetwork(contract: Contract): void {
  contract("in the host's network a port is where the program listens", async (t) => {
    const port = await t.target.platform.net.freePort('127.0.0.1')
    const wanted = {
      command: programs.webServerAt(String(port)),
      ports: [tcp(port)],
      network: { mode: 'host' as const },
    }
    const started = await startNode(t, wanted)
    const at = { container: port, host: port, hostIp: '127.0.0.1', protocol: 'tcp' }
    expect(started.ports).toEqual([at])
    await t.sees(started.name, 'up')
    expect(await t.adapter.endpoint(started.name, port)).toEqual({ host: '127.0.0.1', port })
    expect(await t.adapter.endpoint(started.name, port === 7000 ? 7001 : 7000)).toBeNull()
    expect(await (await fetch(`http://127.0.0.1:${port}/at`)).text()).toBe('served /at')
    await t.adapter.stop(started.name, { graceSeconds: 1 })
    expect(await t.adapter.endpoint(started.name, port)).toBeNull()
  })

  contract("in the host's network no port can be moved", async (t) => {
    const moved = { ...tcp(7000), host: 7999 }
    const error = await failure(
      t.adapter.apply(t.spec({ ports: [moved], network: { mode: 'host' } })),
      'CONFIG_INVALID',
    )
    expect(error.message).toContain('7000')
    expect(await t.adapter.list({ workspace: t.workspace })).toEqual([])
  })

  contract('an instance reaches this host by the name that the runtime gives', async (t) => {
    const gateway = t.capabilities.hostGateway
    if (gateway === null) return
    const port = await listens(t, '0.0.0.0')
    const { name } = await startNode(t, { agent: 'default' })
    expect(await fetched(t, name, `http://${gateway}:${port}/`)).toBe('this host')
    if (t.capabilities.networks.named) {
      const named = await startNode(t, { agent: 'named', network: joins({ shared: [] }) })
      expect(await fetched(t, named.name, `http://${gateway}:${port}/`)).toBe('this host')
    }
    if (t.capabilities.networks.host) {
      const inHost = await startNode(t, { agent: 'host', network: { mode: 'host' } })
      const loopback = await listens(t, '127.0.0.1')
      expect(await fetched(t, inHost.name, `http://${gateway}:${loopback}/`)).toBe('this host')
    }
  })
}
