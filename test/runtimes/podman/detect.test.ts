import { describe, expect, it } from 'vitest'
import {
  describePodman,
  explainPodmanFailure,
  parsePodmanInfo,
  type PodmanInfo,
} from '../../../runtimes/podman/detect.ts'
import { podmanRuntime } from '../../../runtimes/podman/index.ts'
import { silentLogger } from '../../../src/core/log.ts'
import { createPlatform } from '../../../src/platform/create.ts'
import { recorded } from '../cli/support.ts'

const info = parsePodmanInfo(recorded('podman/4.3.1/info.json'))
const withHost = (host: Partial<PodmanInfo['host']>): PodmanInfo => ({ ...info, host: { ...info.host, ...host } })
const rootless = { rootless: true }

describe('a podman that answers', () => {
  it('is described', () => {
    const { detection, capabilities } = describePodman(info, { hasInit: true, hasDns: true })
    expect(detection).toEqual({
      available: true,
      version: '4.3.1',
      endpoint: 'local podman (rootful)',
      rootless: false,
      notes: [],
    })
    expect(capabilities).toMatchObject({
      rootless: false,
      stats: true,
      limits: { memory: true, cpu: true, pids: true },
    })
  })
  it('enforces and measures nothing when rootless with cgroup v1, and says so', () => {
    const { detection, capabilities } = describePodman(withHost({ security: rootless }), {
      hasInit: true,
      hasDns: true,
    })
    expect(capabilities).toMatchObject({
      rootless: true,
      stats: false,
      limits: { memory: false, cpu: false, pids: false },
    })
    expect(detection).toMatchObject({ notes: [expect.stringContaining('memory, cpu, process'), expect.anything()] })
  })
  it('enforces what is delegated when rootless with cgroup v2', () => {
    const host = { security: rootless, cgroupVersion: 'v2', cgroupControllers: ['memory', 'pids'] }
    const { detection, capabilities } = describePodman(withHost(host), { hasInit: true, hasDns: true })
    expect(capabilities).toMatchObject({ stats: true, limits: { memory: true, cpu: false, pids: true } })
    expect(detection).toMatchObject({ notes: [expect.stringContaining('not delegated')] })
  })
  it('shares networks where something answers for their names', () => {
    const facts = { hasInit: true, hasDns: true }
    const networks = (host: Partial<PodmanInfo['host']>, hasDns = true) =>
      describePodman(withHost(host), { ...facts, hasDns })
    expect(networks({}).capabilities.networks).toEqual({ none: true, host: true, named: true })
    for (const { capabilities, detection } of [
      networks({}, false),
      networks({ networkBackend: 'cni' }),
      networks({ networkBackend: undefined }),
      networks({ networkBackendInfo: {} }),
    ]) {
      expect(capabilities.networks).toEqual({ none: true, host: true, named: false })
      expect(detection).toMatchObject({ notes: [expect.stringContaining('share networks')] })
    }
    // Since 4.5 podman says where it is; in its virtual machine we cannot look.
    expect(
      networks({ networkBackendInfo: { dns: { path: '/x/aardvark-dns' } } }, false).capabilities.networks.named,
    ).toBe(true)
    const remote = networks({ serviceIsRemote: true }, false).capabilities.networks
    expect(remote).toEqual({ none: true, host: false, named: true })
  })
  it('is told about a missing init, unless it runs elsewhere', () => {
    expect(describePodman(info, { hasInit: false, hasDns: true }).detection).toMatchObject({
      notes: [expect.stringContaining('catatonit')],
    })
    expect(
      describePodman(withHost({ serviceIsRemote: true }), { hasInit: false, hasDns: true }).detection,
    ).toMatchObject({
      notes: [],
    })
  })
})

describe('a podman that does not', () => {
  it.each([
    ['Cannot connect to Podman. Please verify your connection', 'NOT_RUNNING', 'podman machine'],
    ['Error: cannot find newuidmap: exec: "newuidmap": executable file not found', 'UNUSABLE', 'subuids'],
    ['time="x" level=error msg="no subuid ranges found for user \\"me\\" in /etc/subuid"', 'UNUSABLE', 'subuids'],
    ['cannot clone: Operation not permitted\nError: cannot re-exec process', 'UNUSABLE', 'sysctl'],
    ['Error: mkdir /run/containers: permission denied', 'NOT_PERMITTED', 'podman info'],
    ['Error: something else', 'UNUSABLE', 'podman info'],
  ])('%s', (stderr, code, hint) => {
    expect(explainPodmanFailure(stderr, 'me')).toMatchObject({
      available: false,
      code,
      hint: expect.stringContaining(hint) as unknown,
    })
  })
})

it('a missing program is NOT_INSTALLED', async () => {
  const platform = createPlatform()
  const env = { ...platform.env, PLOINKY_PODMAN: '/nonexistent/podman' }
  await using adapter = podmanRuntime.create({
    platform: { ...platform, env },
    log: silentLogger,
    stateDir: '/nonexistent',
  })
  expect(await adapter.detect()).toMatchObject({ available: false, code: 'NOT_INSTALLED' })
})
