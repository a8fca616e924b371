/** Ports: reachable from this host, and from nowhere else. */
import { createSocket } from 'node:dgram'
import { createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { expect } from 'vitest'
import type { PortSpec } from '../../../runtimes/adapter.ts'
import { programs } from '../../helpers/runtime-programs.ts'
import type { Contract } from '../runtime.ts'
import { failure, within, type Scope } from './kit.ts'

const tcp = (container: number, host = 0): PortSpec => ({ container, host, hostIp: '127.0.0.1', protocol: 'tcp' })
const udp = (container: number, host = 0): PortSpec => ({ container, host, hostIp: '127.0.0.1', protocol: 'udp' })

/** The program may need a moment until it listens; what is asked of the runtime is only the way to it. */
async function fetchText(url: string): Promise<string> {
  let last: unknown
  const deadline = Date.now() + 60_000
  while (Date.now() < deadline) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(5000) })
      if (answer.ok) return await answer.text()
      last = new Error(`status ${answer.status}`)
    } catch (error) {
      last = error
    }
  }
  throw last
}

const serverImage = ({ target }: Scope): string | null => target.images?.node ?? null

export function networkCases(contract: Contract): void {
  contract('a published port is dialled at its endpoint', async (t) => {
    const started = await t.start({ image: serverImage(t), command: programs.webServer(), ports: [tcp(7000)] })
    expect(started.ports).toMatchObject([{ container: 7000, hostIp: '127.0.0.1', protocol: 'tcp' }])
    const endpoint = await t.adapter.endpoint(started.name, 7000)
    expect(endpoint).toEqual({ host: '127.0.0.1', port: started.ports[0]?.host })
    expect(await fetchText(`http://127.0.0.1:${endpoint?.port}/hello`)).toBe('served /hello')
    expect(await t.adapter.endpoint(started.name, 7999)).toBeNull()
  })

  contract('a published port is on loopback only', async (t) => {
    const started = await t.start({ image: serverImage(t), command: programs.webServer(), ports: [tcp(7000)] })
    const port = started.ports[0]?.host
    await fetchText(`http://127.0.0.1:${port}/`)
    const addresses = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4')
    for (const { address } of addresses) {
      await expect(fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(5000) })).rejects.toThrow()
    }
  })

  contract('a udp port is published', async (t) => {
    const started = await t.start({ image: serverImage(t), command: programs.udpServer(), ports: [udp(7001)] })
    const port = started.ports.find(({ protocol }) => protocol === 'udp')?.host ?? 0
    expect(port).toBeGreaterThan(0)
    await t.sees(started.name, 'up')
    expect(await askUdp(port, 'hello')).toBe('back hello')
  })

  contract('a host port that was asked for is the one', async (t) => {
    const port = await t.target.platform.net.freePort('127.0.0.1')
    const started = await t.start({ image: serverImage(t), command: programs.webServer(), ports: [tcp(7000, port)] })
    expect(await t.adapter.endpoint(started.name, 7000)).toEqual({ host: '127.0.0.1', port })
    expect(await fetchText(`http://127.0.0.1:${port}/fixed`)).toBe('served /fixed')
  })

  contract('a host port that is taken is PORT_TAKEN and leaves nothing', async (t) => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    t.defer(() => new Promise((resolve) => server.close(resolve)))
    const { port } = server.address() as AddressInfo
    const error = await failure(t.adapter.apply(t.spec({ ports: [tcp(7000, port)] })), 'PORT_TAKEN')
    expect(error.message).toContain(String(port))
    expect(await t.adapter.list({ workspace: t.workspace })).toEqual([])
  })

  contract('several ports are kept apart', async (t) => {
    const ports = [tcp(7000), tcp(7002), udp(7000)]
    const started = await t.start({ ports })
    expect(started.ports).toHaveLength(3)
    const seen = started.ports.map(({ container, protocol }) => `${container}/${protocol}`).sort()
    expect(seen).toEqual(['7000/tcp', '7000/udp', '7002/tcp'])
    const [one, two] = await Promise.all([7000, 7002].map((port) => t.adapter.endpoint(started.name, port)))
    expect(one?.port).not.toBe(two?.port)
    expect(one?.port).toBe(started.ports.find((p) => p.container === 7000 && p.protocol === 'tcp')?.host)
  })
}

/** Sends until an answer comes: a datagram may be lost while the way is being set up. */
async function askUdp(port: number, text: string): Promise<string> {
  const socket = createSocket('udp4')
  const send = setInterval(() => socket.send(text, port, '127.0.0.1'), 200)
  try {
    const answer = new Promise<string>((resolve, reject) => {
      socket.once('message', (data) => resolve(data.toString()))
      socket.once('error', reject)
    })
    return await within(answer, `an answer on udp port ${port}`)
  } finally {
    clearInterval(send)
    socket.close()
  }
}
