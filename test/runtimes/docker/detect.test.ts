import { describe, expect, it } from 'vitest'
import { describeDocker, explainDockerFailure, parseDockerInfo } from '../../../runtimes/docker/detect.ts'
import { dockerRuntime } from '../../../runtimes/docker/index.ts'
import { silentLogger } from '../../../src/core/log.ts'
import { createPlatform } from '../../../src/platform/create.ts'
import { isInstalled, recorded } from '../cli/support.ts'

const info = parseDockerInfo(recorded('docker/20.10.24/info.json'))
const HOST = 'unix:///var/run/docker.sock'

describe('a docker that answers', () => {
  it('is described', () => {
    const { detection, capabilities } = describeDocker(info, HOST)
    expect(detection).toEqual({
      available: true,
      version: '20.10.24+dfsg1',
      endpoint: HOST,
      rootless: false,
      notes: [],
    })
    expect(capabilities.limits).toEqual({ memory: true, cpu: true, pids: true })
  })
  it('says which limits it does not enforce', () => {
    const { detection, capabilities } = describeDocker({ ...info, MemoryLimit: false, PidsLimit: false }, HOST)
    expect(capabilities.limits).toEqual({ memory: false, cpu: true, pids: false })
    expect(detection).toMatchObject({ notes: [expect.stringContaining('memory, process')] })
    expect(describeDocker({ ...info, CgroupDriver: 'none' }, HOST).capabilities.limits.cpu).toBe(false)
  })
  it('may be rootless, or on another machine', () => {
    const rootless = { ...info, SecurityOptions: ['name=seccomp,profile=default', 'name=rootless'] }
    const { detection, capabilities } = describeDocker(rootless, HOST)
    expect(detection).toMatchObject({ rootless: true, notes: [expect.stringContaining('cannot reach this host')] })
    expect(capabilities).toMatchObject({ hostGateway: null, networks: { none: true, host: false, named: true } })
    expect(describeDocker(info, 'tcp://example:2375').detection).toMatchObject({
      notes: [expect.stringContaining('over tcp')],
    })
  })
  it('cannot be used without an init, or with Windows containers', () => {
    expect(describeDocker({ ...info, InitCommit: { ID: 'N/A' } }, HOST).detection).toMatchObject({
      available: false,
      code: 'UNUSABLE',
      hint: expect.stringContaining('docker-init') as unknown,
    })
    expect(describeDocker({ ...info, OSType: 'windows' }, HOST).detection.available).toBe(false)
  })
})

describe('a docker that does not', () => {
  it.each([
    ['', 'Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?', 'NOT_RUNNING'],
    ['', 'error during connect: Get "http://x": dial tcp: lookup x: no such host', 'NOT_RUNNING'],
    ['', 'permission denied while trying to connect to the Docker daemon socket at unix:///x', 'NOT_PERMITTED'],
    ['{"host":{"buildahVersion":"1.2"}}', '', 'UNUSABLE'],
    ['', 'Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg.', 'UNUSABLE'],
    ['', 'something else', 'UNUSABLE'],
  ])('%s%s is %s', (stdout, stderr, code) => {
    const detection = explainDockerFailure(stdout, stderr)
    expect(detection).toMatchObject({ available: false, code })
    if (!detection.available) expect(detection.hint).not.toBe('')
  })
})

describe('the real program', () => {
  const platform = createPlatform()
  const detect = async (env: Record<string, string>) => {
    const overlay = <T extends { env?: object }>(spec: T): T => ({ ...spec, env: { ...spec.env, ...env } })
    const processes: typeof platform.processes = {
      ...platform.processes,
      run: (spec, options) => platform.processes.run(overlay(spec), options),
    }
    const context = { platform: { ...platform, env: { ...platform.env, ...env }, processes }, log: silentLogger }
    await using adapter = dockerRuntime.create({ ...context, stateDir: '/nonexistent' })
    return adapter.detect()
  }
  it('is missing', async () => {
    expect(await detect({ PLOINKY_DOCKER: '/nonexistent/docker' })).toMatchObject({
      available: false,
      code: 'NOT_INSTALLED',
      hint: expect.stringContaining('docker.io') as unknown,
    })
  })
  it.skipIf(!isInstalled('docker'))('finds no daemon (skipped without docker)', { timeout: 60_000 }, async () => {
    expect(await detect({ DOCKER_HOST: 'unix:///nonexistent/engine.sock' })).toMatchObject({
      available: false,
      code: 'NOT_RUNNING',
    })
  })
})
