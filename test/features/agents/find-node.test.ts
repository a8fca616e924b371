import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import type { RuntimeAdapter, Workload } from '../../../runtimes/adapter.ts'
import { findNode, type Started } from '../../../src/features/agents/find-node.ts'
import { createPlatform } from '../../../src/platform/create.ts'

const { net } = createPlatform()
const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function agentServer(status: number): Promise<{ host: string; port: number }> {
  const server = createServer((_request, response) => response.writeHead(status).end('{}'))
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

/** An instance whose image answers the question for Node with an exit code, or whose engine fails. */
function instance(exit: number | Error, endpoint: Started['endpoint']): Started & { looks: () => number } {
  let looks = 0
  const exec = async () => {
    looks += 1
    if (exit instanceof Error) throw exit
    return { exit: Promise.resolve(exit) }
  }
  const adapter = { exec } as unknown as RuntimeAdapter
  return { adapter, workload: { name: 'x' } as Workload, endpoint, looks: () => looks }
}

it('an AgentServer that answers proves Node; the image is not looked into', async () => {
  const started = instance(1, await agentServer(200))
  expect(await findNode(net, started)).toBe(true)
  expect(started.looks()).toBe(0)
})

it('an image is looked into when nothing answers', async () => {
  const silent = { host: '127.0.0.1', port: await net.freePort('127.0.0.1') }
  expect(await findNode(net, instance(127, silent))).toBe(false)
  expect(await findNode(net, instance(0, silent))).toBe(true)
  expect(await findNode(net, instance(127, await agentServer(503)))).toBe(false)
})

it('an image is looked into at once when nothing is published', async () => {
  expect(await findNode(net, instance(127, null))).toBe(false)
})

it('an image that cannot be looked into tells nothing', async () => {
  expect(await findNode(net, instance(new Error('no such container'), null))).toBeNull()
})

it('an interrupted start is interrupted here too', async () => {
  const abort = new AbortController()
  const started = instance(0, { host: '127.0.0.1', port: await net.freePort('127.0.0.1') })
  const found = findNode(net, { ...started, signal: abort.signal })
  abort.abort()
  expect(await found).toBeNull()
  expect(started.looks()).toBe(0)
})
