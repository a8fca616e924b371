import { afterEach, describe, expect, it } from 'vitest'
import type { ImageProgress, RuntimeAdapter } from '../../../runtimes/adapter.ts'
import { createFakeRuntime, createFakeWorld } from '../../../runtimes/fake/index.ts'
import { silentLogger } from '../../../src/core/log.ts'
import { testPlatform } from '../../helpers/runtime-engines.ts'
import { specFor } from '../../helpers/runtime-spec.ts'

const IMAGE = 'docker.io/library/demo:1'
const port = { container: 7000, host: 0, hostIp: '127.0.0.1', protocol: 'tcp' as const }
let adapters: RuntimeAdapter[] = []

function open(images: string[] = [IMAGE]): RuntimeAdapter {
  const definition = createFakeRuntime({ world: createFakeWorld(images) })
  const adapter = definition.create({ platform: testPlatform, log: silentLogger, stateDir: '/nonexistent' })
  adapters.push(adapter)
  return adapter
}

afterEach(async () => {
  for (const adapter of adapters) {
    for (const { name } of await adapter.list({ workspace: 'w' })) await adapter.remove(name)
    await adapter[Symbol.asyncDispose]()
  }
  adapters = []
})

describe('an agent that nothing was written for', () => {
  it('answers on its port, logs requests and ends well', async () => {
    const adapter = open()
    const command = ['node', '/code/server.mjs']
    const { workload } = await adapter.apply(specFor('w', { image: IMAGE, command, ports: [port] }))
    const endpoint = await adapter.endpoint(workload.name, 7000)
    const url = `http://${endpoint?.host}:${endpoint?.port}`
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ ok: true, server: 'ploinky-fake' })
    const page = await fetch(`${url}/`)
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(await page.text()).toContain('<h1>demo</h1>')
    expect((await fetch(`${url}/nothing`)).status).toBe(404)
    expect((await fetch(`${url}/mcp`, { method: 'POST' })).status).toBe(501)
    const texts: string[] = []
    for await (const { text } of adapter.logs(workload.name)) texts.push(text)
    expect(texts).toEqual(['fake agent demo is up', 'GET /health', 'GET /', 'GET /nothing', 'POST /mcp'])
    await adapter.stop(workload.name)
    expect(await adapter.inspect(workload.name)).toMatchObject({ state: 'stopped', exitCode: 0 })
    await expect(fetch(`${url}/health`)).rejects.toThrow()
  })

  it('shows a hostile name as text', async () => {
    const adapter = open()
    const spec = specFor('w', { image: IMAGE, ports: [port], env: { PLOINKY_AGENT_NAME: '<script>alert(1)</script>' } })
    const { workload } = await adapter.apply({ ...spec, command: null })
    const page = await (await fetch(`http://127.0.0.1:${workload.ports[0]?.host}/`)).text()
    expect(page).not.toContain('<script>')
    expect(page).toContain('&#60;script&#62;')
  })

  it('has a shell that repeats, edits lines and ends on exit', async () => {
    const adapter = open()
    const { workload } = await adapter.apply(specFor('w', { image: IMAGE }))
    const tty = await adapter.openTty(workload.name, ['sh'], { cols: 80, rows: 24 })
    let screen = ''
    const decoder = new TextDecoder()
    const reading = (async () => {
      for await (const chunk of tty.output) screen += decoder.decode(chunk, { stream: true })
    })()
    await expect.poll(() => screen).toContain('$ ')
    tty.write(new TextEncoder().encode('hellož\x7fo\rexit\r'))
    expect(await tty.closed).toBe(0)
    await reading
    expect(screen).toContain('\r\nhelloo\r\n$ ')
  })

  it('says of an unknown program what a shell says', async () => {
    const adapter = open()
    const { workload } = await adapter.apply(specFor('w', { image: IMAGE }))
    const session = await adapter.exec(workload.name, ['rm', '-rf', '/'])
    expect(await session.exit).toBe(127)
  })
})

describe('images of the fake', () => {
  async function pull(adapter: RuntimeAdapter, image: string, policy: 'missing' | 'always' | 'never') {
    const events: ImageProgress[] = []
    for await (const event of adapter.ensureImage(image, policy)) events.push(event)
    return events
  }

  it('are pulled when they are missing, and only then', async () => {
    const adapter = open([])
    await expect(adapter.apply(specFor('w', { image: IMAGE }))).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' })
    await expect(pull(adapter, IMAGE, 'never')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' })
    expect((await pull(adapter, IMAGE, 'missing')).map(({ done }) => done)).toEqual([false, true])
    expect((await pull(adapter, IMAGE, 'missing')).map(({ done }) => done)).toEqual([true])
    expect((await pull(adapter, IMAGE, 'always')).map(({ done }) => done)).toEqual([false, true])
    expect((await adapter.apply(specFor('w', { image: IMAGE }))).outcome).toBe('created')
  })
})

describe('memory of the fake', () => {
  it('keeps the newest lines of a program that never stops writing', async () => {
    const world = createFakeWorld([IMAGE])
    const definition = createFakeRuntime({
      world,
      programs: {
        chatter: async (process) => {
          for (let i = 0; i < 30_000; i++) await process.out(`${String(i).padStart(999, '0')}\n`)
          return 0
        },
      },
    })
    const adapter = definition.create({ platform: testPlatform, log: silentLogger, stateDir: '/nonexistent' })
    adapters.push(adapter)
    const { workload } = await adapter.apply(specFor('w', { image: IMAGE, command: ['chatter'] }))
    await expect.poll(async () => (await adapter.inspect(workload.name))?.state, { timeout: 15_000 }).toBe('stopped')
    const texts: string[] = []
    for await (const { text } of adapter.logs(workload.name)) texts.push(text)
    expect(texts.at(-1)).toBe('29999'.padStart(999, '0'))
    expect(texts.length).toBeLessThan(17_000)
    expect(texts.length).toBeGreaterThan(14_000)
  })
})
