import { describe, expect, it } from 'vitest'
import { isJob, parseContainer, parseContainers, parseIds, parseImage, readTime } from '../../../runtimes/cli/parse.ts'
import { recorded } from './support.ts'

const source = { runtime: 'docker', command: 'docker inspect' }
const LABELS = { 'ploinky.workspace': 'w1', 'ploinky.agent': 'fixture', 'ploinky.spec': 'abc', odd: 'a,b="c"\nné' }

describe.each(['docker/20.10.24', 'podman/4.3.1'])('%s', (version) => {
  it('a running container', () => {
    const [container] = parseContainers(recorded(`${version}/inspect-running.json`), source)
    expect(container?.workload).toMatchObject({
      name: 'ploinky-fixture-w1',
      workspace: 'w1',
      agent: 'fixture',
      spec: 'abc',
      state: 'running',
      exitCode: null,
      oomKilled: false,
      finishedAt: null,
      imageId: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as unknown,
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as unknown,
      pid: expect.any(Number) as unknown,
    })
    expect(container?.labels).toMatchObject(LABELS)
    const ports = container?.workload.ports.map(({ container: inner, hostIp, protocol }) => [inner, hostIp, protocol])
    expect(ports?.sort()).toEqual([
      [53, '127.0.0.1', 'udp'],
      [80, '127.0.0.1', 'tcp'],
    ])
  })
  it('a stopped container', () => {
    const [container] = parseContainers(recorded(`${version}/inspect-stopped.json`), source)
    expect(container?.workload).toMatchObject({ state: 'stopped', pid: null, ports: [] })
    expect(container?.workload.exitCode).toBeGreaterThan(128)
    expect(container?.workload.finishedAt).not.toBeNull()
  })
  it('an image', () => {
    expect(parseImage(recorded(`${version}/image.json`), source)?.id).toMatch(/^sha256:[0-9a-f]{64}$/)
  })
})

/** Written after the engines' documentation, for versions that are not recorded. */
const other = (change: Record<string, unknown>): string =>
  JSON.stringify([
    {
      Id: 'a'.repeat(64),
      Name: 'ploinky-x-w1',
      Image: 'b'.repeat(64),
      State: { Status: 'exited', ExitCode: 0, StartedAt: '2026-01-02T03:04:05.123456789+02:00' },
      Config: { Labels: null },
      ...change,
    },
  ])

describe('other versions', () => {
  it('empty maps are null, fields are missing, times have an offset', () => {
    const [container] = parseContainers(other({ NetworkSettings: { Ports: null } }), source)
    expect(container?.workload).toMatchObject({
      labels: {},
      ports: [],
      workspace: '',
      exitCode: 0,
      startedAt: '2026-01-02T01:04:05.123Z',
      finishedAt: null,
    })
  })
  it.each([
    ['configured', 'created'],
    ['initialized', 'created'],
    ['restarting', 'running'],
    ['stopping', 'running'],
    ['Paused', 'paused'],
    ['stopped', 'stopped'],
    ['removing', 'dead'],
    ['dead', 'dead'],
  ])('%s is %s', (status, state) => {
    const [container] = parseContainers(other({ State: { Status: status } }), source)
    expect(container?.workload.state).toBe(state)
  })
  const hostNetwork = (ports: string, State = { Status: 'running' }) =>
    other({ State, HostConfig: { NetworkMode: 'host' }, Config: { Labels: { 'ploinky.ports': ports } } })
  it("ports in the host's network are those that were asked for, while it runs", () => {
    const ports = (text: string): unknown => parseContainers(text, source)[0]?.workload.ports
    expect(ports(hostNetwork('7000/tcp,53/udp'))).toEqual([
      { container: 7000, host: 7000, hostIp: '127.0.0.1', protocol: 'tcp' },
      { container: 53, host: 53, hostIp: '127.0.0.1', protocol: 'udp' },
    ])
    expect(ports(hostNetwork(''))).toEqual([])
    expect(ports(hostNetwork('x/tcp,123456/tcp,7/sctp'))).toEqual([])
    expect(ports(hostNetwork('7000/tcp', { Status: 'exited' }))).toEqual([])
    // An image's label outside of the host's network says nothing.
    const labels = { Labels: { 'ploinky.ports': '22/tcp' } }
    expect(ports(other({ State: { Status: 'running' }, Config: labels }))).toEqual([])
  })
  it('the reason that the engine gives, and its restarts', () => {
    const [told] = parseContainers(other({ State: { Status: 'dead', Error: 'no device' }, RestartCount: 2 }), source)
    expect(told?.workload).toMatchObject({ error: 'no device', restartCount: 2 })
    const [untold] = parseContainers(other({ State: { Status: 'dead', Error: '' } }), source)
    expect(untold?.workload).toMatchObject({ error: null, restartCount: null })
  })
  it('a job is one by our labels only', () => {
    expect(isJob({ 'ploinky.job': 'demo', 'ploinky.spec': '' })).toBe(true)
    expect(isJob({ 'ploinky.job': 'demo' })).toBe(true)
    // An image that calls itself a job is not hidden.
    expect(isJob({ 'ploinky.job': 'demo', 'ploinky.spec': 'abc' })).toBe(false)
    expect(isJob({ 'ploinky.spec': '' })).toBe(false)
  })
  it('a port without bindings is exposed only', () => {
    const [container] = parseContainers(other({ NetworkSettings: { Ports: { '80/tcp': null } } }), source)
    expect(container?.workload.ports).toEqual([])
  })
})

describe('unreadable', () => {
  const failing = (run: () => unknown, path: string): void => {
    expect(run).toThrowError(
      expect.objectContaining({
        code: 'RUNTIME_OUTPUT_UNREADABLE',
        details: { runtime: 'docker', command: 'docker inspect', path },
      }) as Error,
    )
  }
  it('names the runtime, the command and the place', () => {
    failing(() => parseContainers('NAME  ID', source), '')
    failing(() => parseContainers('{}', source), '')
    failing(() => parseContainers(other({ State: {} }), source), '0.State.Status')
    failing(() => parseContainers(other({ Config: { Labels: ['a=b'] } }), source), '0.Config.Labels')
    failing(() => parseContainers(other({ State: { Status: 'sleeping' } }), source), 'State.Status ("sleeping")')
    failing(() => parseContainer('[]', source), '')
    failing(() => parseImage('[{}]', source), '0.Id')
    failing(() => parseIds('CONTAINER ID\n', source), 'id "CONTAINER ID"')
  })
})

it('nothing found is nothing', () => {
  expect(parseContainers('[]\n', source)).toEqual([])
  expect(parseContainers('\n', source)).toEqual([])
  expect(parseImage('[]', source)).toBeNull()
  expect(parseIds('\n', source)).toEqual([])
  expect(readTime('0001-01-01T00:00:00Z')).toBeNull()
  expect(readTime('rubbish')).toBeNull()
})
