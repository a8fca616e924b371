import { describe, expect, it } from 'vitest'
import { classifyFailure, engineMessage, failureError, isNetworkMissing } from '../../../runtimes/cli/failure.ts'
import { recordedFailures } from './support.ts'

const classify = (stderr: string, program = 'docker') => classifyFailure({ displayName: 'Engine', program, stderr })

describe.each(['docker/20.10.24', 'podman/4.3.1'])('%s', (version) => {
  const failures = recordedFailures(`${version}/failures.json`)
  it.each([
    ['name-taken', 'CONFLICT'],
    ['image-missing', 'IMAGE_NOT_FOUND'],
    ['port-taken', 'PORT_TAKEN'],
    ['mount-missing', 'CONFIG_INVALID'],
    ['program-missing', 'AGENT_FAILED'],
    ['container-missing', 'WORKLOAD_NOT_FOUND'],
    ['inspect-missing', 'WORKLOAD_NOT_FOUND'],
    ['not-running', 'AGENT_NOT_RUNNING'],
    ['flag-unknown', 'RUNTIME_FAILED'],
  ])('%s is %s', (name, code) => {
    const failure = classify(failures[name]?.stderr ?? '')
    expect(failure.code).toBe(code)
    expect(failure.hint).not.toBe('')
    expect(failure.message).not.toMatch(/--help|^Error/)
  })
})

describe('other engines and versions', () => {
  it.each([
    ['Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?', 'RUNTIME_UNAVAILABLE'],
    ['error during connect: Get "http://x/info": EOF', 'RUNTIME_UNAVAILABLE'],
    ['Cannot connect to Podman. Please verify your connection\nError: unable to connect', 'RUNTIME_UNAVAILABLE'],
    ['permission denied while trying to connect to the Docker daemon socket', 'RUNTIME_UNAVAILABLE'],
    ['Error: rootlessport listen tcp 127.0.0.1:80: bind: address already in use', 'PORT_TAKEN'],
    ['Error response from daemon: Ports are not available: exposing port TCP 127.0.0.1:80', 'PORT_TAKEN'],
    ['Error: creating build container: pull access denied for x, repository does not exist', 'IMAGE_NOT_FOUND'],
    ['Error: container-init binary not found on the host: stat /usr/libexec/podman/catatonit', 'RUNTIME_FAILED'],
    ['Error: crun: the requested cgroup controller `cpu` is not available', 'CAPABILITY_UNSUPPORTED'],
    ['Error response from daemon: write /var/lib/x: no space left on device', 'RUNTIME_FAILED'],
    ['could not select device driver "" with capabilities: [[gpu]]', 'CAPABILITY_UNSUPPORTED'],
    ['Error: setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=all', 'CAPABILITY_UNSUPPORTED'],
    ['Error: stat nvidia.com/gpu=all: no such file or directory', 'CAPABILITY_UNSUPPORTED'],
    ['runc create failed: unable to apply caps: operation not permitted', 'CAPABILITY_UNSUPPORTED'],
    ['could not find an available, non-overlapping IPv4 address pool among the defaults', 'RUNTIME_FAILED'],
    ['something new', 'RUNTIME_FAILED'],
    ['', 'RUNTIME_FAILED'],
  ])('%s', (stderr, code) => {
    expect(classify(stderr).code).toBe(code)
  })
  it('names the package that is missing', () => {
    const stderr = 'Error: container-init binary not found on the host'
    expect(classify(stderr, 'podman').hint).toContain('catatonit')
  })
  it('does not take a registry that is away for an engine that is away', () => {
    const stderr = 'Error response from daemon: Get "http://r/v2/": dial tcp 127.0.0.1:1: connect: connection refused'
    expect(classify(stderr).code).toBe('RUNTIME_FAILED')
  })
})

it.each([
  ['Error response from daemon: network xx2 not found', true],
  ['Error: unable to find network with name or ID xx2: network not found', true],
  ['Error response from daemon: network with name xx1 already exists', false],
])('a missing network: %s: %s', (stderr, missing) => {
  expect(isNetworkMissing(stderr)).toBe(missing)
})

it('keeps the words of the engine and drops the rest', () => {
  expect(
    engineMessage(
      'Resource limits are not supported and ignored on cgroups V1 rootless systems\n' +
        "docker: Error response from daemon: it broke\n\nRun 'docker run --help' for more information\n",
    ),
  ).toBe('it broke')
  expect(engineMessage('x'.repeat(5000)).length).toBeLessThan(700)
})

it('makes an error with a code, the words and a hint', () => {
  const source = { displayName: 'Docker', program: 'docker', exitCode: 125, stderr: 'Error: that broke' }
  expect(failureError(source, 'start "x"')).toMatchObject({
    code: 'RUNTIME_FAILED',
    message: 'Docker could not start "x": that broke',
    hint: 'Run: ploinky doctor',
  })
  expect(failureError({ ...source, stderr: '' }, 'start "x"').message).toContain('exit status 125')
})
