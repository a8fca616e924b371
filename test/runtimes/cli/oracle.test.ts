/**
 * The argv oracle: the real programs read our command lines, with an engine that nobody can reach. Flags are read before
 * the engine is dialled, so a good command line ends in "cannot connect" and a bad one in "unknown flag". Judged by
 * stderr: the exit codes are the same.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { WorkloadSpec } from '../../../runtimes/adapter.ts'
import type { Dialect } from '../../../runtimes/cli/dialect.ts'
import { planEnvironment } from '../../../runtimes/cli/environment.ts'
import {
  createArgs,
  eventsArgs,
  execArgs,
  inspectArgs,
  jobArgs,
  listArgs,
  logsArgs,
  runArgs,
} from '../../../runtimes/cli/oci.ts'
import {
  connectArgs,
  createNetworkArgs,
  inspectNetworkArgs,
  listNetworksArgs,
  networkUsersArgs,
  removeNetworkArgs,
} from '../../../runtimes/cli/oci-networks.ts'
import { dockerDialect } from '../../../runtimes/docker/index.ts'
import { podmanDialect } from '../../../runtimes/podman/index.ts'
import { fullSpec, isInstalled, minimalSpec, partsFor, runProgram } from './support.ts'

const UNREACHABLE = /cannot connect to the docker daemon|unable to connect to podman|connection refused/i

const folder = mkdtempSync(join(tmpdir(), 'ploinky-test-oracle-'))
const envFile = join(folder, 'env.list')
writeFileSync(envFile, 'HOME=/home/agent\n', { mode: 0o600 })
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** `--remote` keeps podman from acting on this machine. */
const DEAD = {
  docker: { prefix: [], env: { DOCKER_HOST: 'tcp://127.0.0.1:1' } },
  podman: { prefix: ['--remote', '--url', 'tcp://127.0.0.1:1'], env: {} },
} as const

const ALL = { memory: true, cpu: true, pids: true }

function cases(dialect: Dialect): Record<string, readonly string[]> {
  const environment = planEnvironment({ A: '1' }, { allowFile: true })
  const attachments = [{ name: 'front', aliases: ['web', 'www'] }]
  const networked: WorkloadSpec = { ...minimalSpec, network: { mode: 'networks', attachments } }
  const exec = { environment, envFile, cwd: '/w', user: '1' }
  return {
    'run, minimal': runArgs(dialect, minimalSpec, partsFor(minimalSpec)),
    'run, full': runArgs(dialect, fullSpec, partsFor(fullSpec, envFile)),
    'run, no network': runArgs(dialect, { ...minimalSpec, network: { mode: 'none' } }, partsFor(minimalSpec)),
    'run, host network': runArgs(dialect, { ...minimalSpec, network: { mode: 'host' } }, partsFor(minimalSpec)),
    'run, named network': runArgs(dialect, networked, partsFor(networked)),
    create: createArgs(dialect, networked, partsFor(networked)),
    job: jobArgs(dialect, fullSpec, { name: 'j1', owner: 'box 1 2', environment, envFile, enforced: ALL }),
    'network create': createNetworkArgs('w1', 'n1'),
    'network connect': connectArgs({ name: 'n1', engineName: 'ploinky-n1-w1', aliases: ['a', 'b'] }, 'c1'),
    'network inspect': inspectNetworkArgs('n1'),
    'network list': listNetworksArgs('w1'),
    'network users': networkUsersArgs('n1'),
    'network remove': removeNetworkArgs('n1'),
    exec: execArgs('c1', ['true'], { stdin: false, tty: false, environment, envFile: null }),
    'exec, full': execArgs('c1', ['sh', '-c', 'true'], { ...exec, stdin: true, tty: false }),
    'exec, detached': execArgs('c1', ['true'], { ...exec, stdin: false, tty: false, detach: true }),
    inspect: inspectArgs(['c1', 'c2']),
    list: listArgs({ workspace: 'w1', agent: 'demo' }),
    logs: logsArgs('c1', { follow: true, tail: 3, since: '2026-01-01T00:00:00Z' }),
    events: eventsArgs(dialect, { workspace: 'w1', agent: 'demo' }, '5.123'),
    start: ['start', '--', 'c1'],
    unpause: ['unpause', '--', 'c1'],
    stop: ['stop', '-t', '3', '--', 'c1'],
    remove: ['rm', '--force', '--volumes', ...dialect.removeFlags, '--', 'c1'],
    'image id': ['image', 'inspect', '--format', '{{.Id}}', '--', 'alpine:3'],
    'image inspect': ['image', 'inspect', '--', 'alpine:3'],
    pull: ['pull', '--', dialect.pullReference('alpine:3')],
    stats: ['stats', '--no-stream', '--no-trunc', '--format', dialect.jsonFormat, 'c1'],
  }
}

for (const dialect of [dockerDialect, podmanDialect]) {
  const installed = isInstalled(dialect.program)
  describe.skipIf(!installed)(`${dialect.program} understands${installed ? '' : ' (not installed: skipped)'}`, () => {
    const { prefix, env } = DEAD[dialect.id]
    const ask = (args: readonly string[]) => runProgram(dialect.program, [...prefix, ...args], { ...env, A: '1' })
    it.each(Object.entries(cases(dialect)))('%s', { timeout: 60_000 }, async (_name, args) => {
      expect((await ask(args)).stderr).toMatch(UNREACHABLE)
    })
    it('and would have told us', { timeout: 60_000 }, async () => {
      const { stderr } = await ask(['run', '--no-such-flag', 'x'])
      expect(stderr).toMatch(/unknown flag/)
      expect(stderr).not.toMatch(UNREACHABLE)
    })
  })
}
