/** Supervision over the fake runtime: whatever happens to a container is noticed, answered by policy, and shown. */
import { afterEach, describe, expect, it } from 'vitest'
import { agentsDocument } from '../../../src/config/documents.ts'
import { createMemoryStore, type DocumentSpec, type Store } from '../../../src/core/store.ts'
import { createFakeWorld, type FakeProcess } from '../../../runtimes/fake/index.ts'
import { createFixture, type Options } from './fixture.ts'

type Fixture = Awaited<ReturnType<typeof createFixture>>
const open: Fixture[] = []
async function setup(options: Options = {}): Promise<Fixture> {
  const fixture = await createFixture(options)
  open.push(fixture)
  await fixture.run()
  return fixture
}
afterEach(async () => {
  for (const fixture of open.splice(0)) await fixture.close()
})

const isReady = (fixture: Fixture) => (): boolean =>
  fixture.supervisor.refusal('demo') === null && fixture.view('demo')?.reason === null
async function started(options: Options = {}): Promise<Fixture> {
  const fixture = await setup(options)
  await fixture.start('demo')
  await fixture.until('ready', isReady(fixture))
  return fixture
}
const refused = (fixture: Fixture) => fixture.supervisor.refusal('demo')

describe('an instance that is gone', () => {
  it('killed: refused with the reason and a time, then started again once', async () => {
    const fixture = await started()
    const before = fixture.launches()
    fixture.kill('demo')
    await fixture.until('noticed', () => refused(fixture) !== null)
    expect(refused(fixture)).toMatchObject({
      code: 'AGENT_FAILED',
      message: 'Agent "demo" is failed: killed by SIGKILL',
      details: { retryAfterSeconds: expect.any(Number) as number },
    })
    expect(fixture.view('demo')).toMatchObject({
      state: 'failed',
      lastError: { code: 'AGENT_FAILED' },
      lastExit: {
        exitCode: 137,
        signal: 'SIGKILL',
        lines: expect.arrayContaining(['fake agent demo is up']) as string[],
      },
      nextRestartAt: expect.any(String) as string,
    })
    await fixture.until('ready again', isReady(fixture))
    expect(fixture.launches()).toBe(before + 1)
    expect(fixture.view('demo')).toMatchObject({ restarts: 1, nextRestartAt: null })
    expect(fixture.types('demo')).toEqual(['agent.failed', 'agent.restarting', 'agent.restarted', 'agent.ready'])
  })

  it('removed by hand: made again, and routed where it is now', async () => {
    const fixture = await started()
    await fixture.engine.remove(fixture.container('demo'))
    await fixture.until('noticed', () => refused(fixture) !== null)
    await fixture.until('ready again', isReady(fixture))
    const port = fixture.world.instances.get(fixture.container('demo'))?.ports[0]?.host
    const { routes } = await fixture.store.read((await import('../../../src/config/documents.ts')).routingDocument)
    expect(routes['demo']?.hostPort).toBe(port)
  })

  it('replaced by a foreign container of its name: a conflict, and that container is not touched', async () => {
    const fixture = await started()
    fixture.world.foreign.add(fixture.container('demo'))
    await fixture.engine.remove(fixture.container('demo'))
    await fixture.until('given up', () => fixture.types('demo').filter((type) => type === 'agent.failed').length === 2)
    await fixture.clock.advance(600_000)
    expect(fixture.launches()).toBe(2)
    expect(fixture.view('demo')).toMatchObject({ state: 'failed', nextRestartAt: null })
    expect(fixture.view('demo')?.reason).toContain('is not of this workspace')
    // Until a person starts it.
    fixture.world.foreign.clear()
    await fixture.start('demo')
    await fixture.until('ready', isReady(fixture))
  })

  it('stopped by a person: stays stopped, also when that happens before its restart is due', async () => {
    const fixture = await started()
    await fixture.stop('demo')
    await fixture.until('forgotten', () => fixture.view('demo') === null)
    await fixture.start('demo')
    await fixture.until('ready', isReady(fixture))
    fixture.kill('demo')
    await fixture.until('noticed', () => refused(fixture) !== null)
    const launches = fixture.launches()
    await fixture.stop('demo')
    await fixture.until('forgotten', () => fixture.view('demo') === null)
    await fixture.clock.advance(600_000)
    expect([fixture.launches(), refused(fixture), await fixture.remembered('demo')]).toEqual([
      launches,
      null,
      undefined,
    ])
  })

  it('a restart that is due does not overtake a person who is at work', async () => {
    const fixture = await started()
    let finish = (): void => {}
    const work = new Promise<void>((resolve) => (finish = resolve))
    const busy = fixture.exclusive('a person', () => work)
    fixture.kill('demo')
    await fixture.until('noticed', () => refused(fixture) !== null)
    const launches = fixture.launches()
    await fixture.clock.advance(30_000)
    await fixture.note('demo', { wanted: false })
    expect(fixture.launches()).toBe(launches)
    finish()
    await busy
    await fixture.until('forgotten', () => fixture.view('demo') === null)
    await fixture.clock.advance(600_000)
    expect(fixture.launches()).toBe(launches)
  })
})

it('what a person ends while he works on the workspace is no crash', async () => {
  const fixture = await started()
  await fixture.exclusive('ploinky start', async () => {
    await fixture.engine.remove(fixture.container('demo'))
    await fixture.until('noticed', () => refused(fixture) !== null)
  })
  expect(fixture.types('demo')).toEqual([])
  await fixture.until('ready again', isReady(fixture))
  expect((await fixture.remembered('demo'))?.history).toEqual({ crashes: [], attempts: 0, unhealthy: 0 })
})

describe('a program that crashes', () => {
  const crashes = { demo: async ({ out }: { out(text: string): Promise<void> }) => (await out('no luck\n'), 3) }

  it('again and again: the breaker opens, and a person closes it', async () => {
    const fixture = await setup({ programs: crashes })
    await fixture.start('demo')
    const gaveUp = () => fixture.view('demo')?.state === 'failed' && fixture.view('demo')?.nextRestartAt === null
    await fixture.until('given up', () => fixture.view('demo')?.restarts === 5 && gaveUp())
    const launches = fixture.launches()
    await fixture.clock.advance(3_600_000)
    expect(fixture.launches()).toBe(launches)
    expect(fixture.seen.filter(({ type }) => type === 'agent.restarting').map(({ data }) => data['inMs'])).toEqual([
      1000, 2000, 4000, 8000, 16_000,
    ])
    expect(fixture.view('demo')).toMatchObject({
      reason: 'ended with exit code 3: no luck; not started again: restarted 5 times within 60 s',
      lastExit: { exitCode: 3, lines: expect.arrayContaining(['no luck']) as string[] },
    })
    // A router that comes after this one knows it too.
    const next = await setup({ programs: crashes, store: fixture.store, world: fixture.world })
    await next.until('looked', () => next.view('demo') !== null)
    await next.clock.advance(600_000)
    expect([next.launches(), next.view('demo')?.state]).toEqual([0, 'failed'])
    await next.start('demo')
    await next.until('tried again', () => next.view('demo')?.nextRestartAt != null)
  })

  it('with exit code 0 and the policy "on-failure" it has ended', async () => {
    const policy = (await import('../../../src/config/manifest/index.ts')).DEFAULT_RESTART
    const fixture = await setup({ programs: { demo: () => 0 }, restart: { ...policy, policy: 'on-failure' } })
    await fixture.start('demo')
    await fixture.until('ended', () => fixture.view('demo')?.state === 'stopped')
    await fixture.clock.advance(600_000)
    expect(fixture.launches()).toBe(1)
    expect(refused(fixture)).toMatchObject({ code: 'AGENT_NOT_RUNNING' })
  })
})

it('paused by a person: shown, refused, left alone; unpaused: passed on at once', async () => {
  const fixture = await started()
  const instance = fixture.world.instances.get(fixture.container('demo'))
  if (instance === undefined) throw new Error('no instance')
  instance.state = 'paused'
  fixture.world.emit('paused', instance)
  await fixture.until('paused', () => fixture.view('demo')?.state === 'paused')
  await fixture.clock.advance(600_000)
  expect([fixture.launches(), refused(fixture)?.code]).toEqual([1, 'AGENT_NOT_READY'])
  instance.state = 'running'
  fixture.world.emit('unpaused', instance)
  await fixture.until('ready', isReady(fixture))
})

describe('probes', () => {
  const probe = {
    ...{ initialDelaySeconds: 0, intervalSeconds: 1, timeoutSeconds: 5, failureThreshold: 3, successThreshold: 1 },
    ...{ continuous: true, path: 'health' },
  }
  const flips = (well: () => boolean) => ({ probe: () => (well() ? 0 : 1) })
  const exec = { kind: 'exec', argv: ['probe'] } as const

  it('readiness decides whether requests are passed on', async () => {
    let well = true
    const readiness = { ...probe, action: exec }
    const fixture = await started({ programs: flips(() => well), health: { readiness } })
    well = false
    await fixture.until('refused', () => refused(fixture) !== null)
    expect(fixture.view('demo')).toMatchObject({ state: 'unready', reason: 'readiness probe: probe ended with 1' })
    expect(refused(fixture)?.code).toBe('AGENT_NOT_READY')
    await fixture.clock.advance(60_000)
    expect(fixture.launches()).toBe(1)
    well = true
    await fixture.until('ready', isReady(fixture))
    expect(fixture.types('demo')).toEqual(['agent.unready', 'agent.ready'])
  })

  it('liveness restarts, ten seconds after it failed; not when it recovers before', async () => {
    let well = true
    const liveness = { ...probe, action: exec }
    const fixture = await started({ programs: flips(() => well), health: { liveness } })
    well = false
    await fixture.until('unhealthy', () => fixture.view('demo')?.nextRestartAt != null)
    expect(fixture.view('demo')?.state).toBe('unready')
    well = true
    await fixture.until('recovered', isReady(fixture))
    expect([fixture.launches(), fixture.view('demo')?.nextRestartAt]).toEqual([1, null])
    well = false
    await fixture.until('restarted', () => fixture.launches() === 2)
    well = true
    await fixture.until('alive', () => fixture.view('demo')?.probes.liveness === 'passing')
    expect(fixture.view('demo')).toMatchObject({ restarts: 1, probes: { readiness: null } })
  })

  it('startup holds the others back', async () => {
    let up = false
    const asked: string[] = []
    const programs = {
      up: () => (asked.push('startup'), up ? 0 : 1),
      alive: () => (asked.push('liveness'), 0),
    }
    const startup = { ...probe, failureThreshold: 1000, action: { kind: 'exec', argv: ['up'] } as const }
    const liveness = { ...probe, action: { kind: 'exec', argv: ['alive'] } as const }
    const fixture = await setup({ programs, health: { startup, liveness } })
    await fixture.start('demo')
    await fixture.until('asked', () => asked.length > 5)
    expect(new Set(asked)).toEqual(new Set(['startup']))
    up = true
    await fixture.until('alive', () => asked.includes('liveness'))
    const count = asked.filter((kind) => kind === 'startup').length
    await fixture.until('alive again', () => asked.filter((kind) => kind === 'liveness').length > 3)
    expect(asked.filter((kind) => kind === 'startup')).toHaveLength(count)
  })
})

it('an engine that goes away: lost, and what happened meanwhile is found when it is back', async () => {
  const fixture = await started()
  fixture.leave()
  await fixture.until('lost', () => fixture.view('demo')?.state === 'lost')
  // Nobody knows that it does not work: bytes may still pass.
  expect(refused(fixture)).toBeNull()
  fixture.kill('demo')
  await fixture.clock.advance(60_000)
  expect(fixture.launches()).toBe(1)
  fixture.comeBack()
  await fixture.until('ready again', () => fixture.view('demo')?.restarts === 1 && isReady(fixture)())
  expect(fixture.launches()).toBe(2)
})

it('a router that finds what it serves dead starts it; what lives it leaves alone', async () => {
  const world = createFakeWorld(['fake.invalid/node:1'])
  const first = await started({ world })
  const store = first.store
  const next = await setup({ world, store })
  await next.until('adopted', isReady(next))
  expect(next.launches()).toBe(0)
  first.kill('demo')
  await next.until('restarted', () => next.view('demo')?.restarts === 1 && isReady(next)())
})

/** Lets something happen after agents were read and before the reader has them. */
function readThen(store: Store, happen: (reads: number) => Promise<void>): Store {
  let reads = 0
  return {
    ...store,
    async read<T>(spec: DocumentSpec<T>): Promise<T> {
      const value = await store.read(spec)
      if (spec.name === agentsDocument.name) await happen((reads += 1))
      return value
    },
  }
}

it('an agent that is started while a router begins is cared for', async () => {
  const fixture = await createFixture({
    store: readThen(createMemoryStore(), async (reads) => {
      // Noted by another process in the moment in which the router has read that there is none.
      if (reads === 1) await fixture.start('demo')
    }),
  })
  open.push(fixture)
  await fixture.run()
  await fixture.until('ready', isReady(fixture))
  fixture.kill('demo')
  await fixture.until('started again', () => fixture.view('demo')?.restarts === 1 && isReady(fixture)())
})

it('agents that cannot be read when a router begins are read again', async () => {
  let isBroken = true
  const store = readThen(createMemoryStore(), async () => {
    if (isBroken) throw new Error('EMFILE: too many open files')
  })
  const fixture = await createFixture({ store })
  open.push(fixture)
  await fixture.run()
  isBroken = false
  await fixture.start('demo')
  await fixture.until('ready', isReady(fixture))
})

it('what was started again is refused until requests go where it is now', async () => {
  let route = (): void => {}
  let isHeld = false
  const routed = (): Promise<void> => (isHeld ? new Promise((resolve) => (route = resolve)) : Promise.resolve())
  const fixture = await started({ routed })
  isHeld = true
  fixture.kill('demo')
  await fixture.until('started again', () => fixture.view('demo')?.restarts === 1)
  await fixture.clock.advance(5000)
  expect(refused(fixture)).toMatchObject({ code: 'AGENT_NOT_READY' })
  expect(fixture.state('demo')).not.toBe('ready')
  isHeld = false
  route()
  await fixture.until('ready again', isReady(fixture))
})

it('a server on standard streams that does not serve is said, refused, and asked again later', async () => {
  let works = true
  let starts = 0
  const programs = {
    server: async (process: FakeProcess): Promise<number> => {
      starts += 1
      if (!works) {
        await process.err('Traceback (most recent call last):\nKeyError: TOKEN\n')
        return 1
      }
      for await (const _line of process.stdin) await process.out('{"jsonrpc":"2.0","id":1,"result":{}}\n')
      return 0
    },
  }
  // Somebody saw it ready: the router that finds it does not start its program.
  const fixture = await started({ programs, server: ['server'] })
  expect(starts).toBe(0)
  works = false
  fixture.kill('demo')
  await fixture.until('said', () => fixture.view('demo')?.reason?.includes('KeyError') === true)
  expect(fixture.view('demo')).toMatchObject({ state: 'unready', reason: 'it ended with exit code 1: KeyError: TOKEN' })
  expect(refused(fixture)).toMatchObject({ code: 'AGENT_NOT_READY' })
  const asked = starts
  await fixture.clock.advance(4000)
  expect(starts).toBe(asked)
  works = true
  await fixture.until('ready', isReady(fixture))
  expect(fixture.types('demo')).toEqual([
    ...['agent.failed', 'agent.restarting', 'agent.restarted', 'agent.unready', 'agent.ready'],
  ])
})
