import { describe, expect, it } from 'vitest'
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
import { dockerDialect } from '../../../runtimes/docker/index.ts'
import { podmanDialect } from '../../../runtimes/podman/index.ts'
import type { WorkloadSpec } from '../../../runtimes/adapter.ts'
import { fullSpec, minimalSpec, partsFor } from './support.ts'

const run = (dialect: typeof dockerDialect, spec: WorkloadSpec): readonly string[] =>
  runArgs(dialect, spec, partsFor(spec))

describe('run', () => {
  it('of a minimal spec: docker', () => {
    expect(run(dockerDialect, minimalSpec)).toMatchInlineSnapshot(`
      [
        "run",
        "--detach",
        "--pull",
        "never",
        "--name",
        "ploinky-demo-w1",
        "--restart",
        "no",
        "--stop-timeout",
        "10",
        "--init",
        "--security-opt",
        "no-new-privileges",
        "--pids-limit",
        "256",
        "--log-driver",
        "json-file",
        "--log-opt",
        "max-size=64m",
        "--log-opt",
        "max-file=3",
        "--add-host",
        "host.docker.internal:host-gateway",
        "--label",
        "ploinky.workspace=w1",
        "--label",
        "ploinky.agent=demo",
        "--label",
        "ploinky.spec=h4sh",
        "--",
        "docker.io/library/alpine:3",
      ]
    `)
  })
  it('of a minimal spec: podman', () => {
    expect(run(podmanDialect, minimalSpec)).toMatchInlineSnapshot(`
      [
        "run",
        "--detach",
        "--pull",
        "never",
        "--name",
        "ploinky-demo-w1",
        "--restart",
        "no",
        "--stop-timeout",
        "10",
        "--init",
        "--security-opt",
        "no-new-privileges",
        "--pids-limit",
        "256",
        "--log-driver",
        "k8s-file",
        "--log-opt",
        "max-size=192m",
        "--http-proxy=false",
        "--label",
        "ploinky.workspace=w1",
        "--label",
        "ploinky.agent=demo",
        "--label",
        "ploinky.spec=h4sh",
        "--",
        "docker.io/library/alpine:3",
      ]
    `)
  })
  it('of a full spec: docker', () => {
    expect(run(dockerDialect, fullSpec)).toMatchInlineSnapshot(`
      [
        "run",
        "--detach",
        "--pull",
        "never",
        "--name",
        "ploinky-demo-w1",
        "--restart",
        "no",
        "--stop-timeout",
        "10",
        "--init",
        "--security-opt",
        "no-new-privileges",
        "--pids-limit",
        "64",
        "--memory",
        "268435456",
        "--cpus",
        "0.5",
        "--read-only",
        "--cap-drop",
        "ALL",
        "--cap-add",
        "NET_BIND_SERVICE",
        "--privileged",
        "--shm-size",
        "134217728",
        "--gpus",
        "all",
        "--log-driver",
        "json-file",
        "--log-opt",
        "max-size=64m",
        "--log-opt",
        "max-file=3",
        "--tmpfs",
        "/run:rw,nosuid,nodev",
        "--tmpfs",
        "/tmp:rw,nosuid,nodev",
        "--tmpfs",
        "/var/tmp:rw,nosuid,nodev",
        "--add-host",
        "host.docker.internal:host-gateway",
        "--publish",
        "127.0.0.1::7000/tcp",
        "--publish",
        "[::1]:5353:53/udp",
        "--label",
        "note=a,b="c"
      ",
        "--label",
        "ploinky.workspace=w1",
        "--label",
        "ploinky.agent=demo",
        "--label",
        "ploinky.spec=h4sh",
        "--env",
        "PLAIN",
        "--env-file",
        "/state/env.list",
        "--mount",
        "type=bind,source=/srv/code,target=/code",
        "--mount",
        "type=bind,"source=/srv/odd, ""name""",target=/odd,readonly",
        "--workdir",
        "/code",
        "--user",
        "1000:1000",
        "--entrypoint",
        "/bin/server",
        "--",
        "docker.io/library/alpine:3",
        "-v",
        "--port",
        "80",
      ]
    `)
  })
  it('of a full spec: podman', () => {
    expect(run(podmanDialect, fullSpec)).toMatchInlineSnapshot(`
      [
        "run",
        "--detach",
        "--pull",
        "never",
        "--name",
        "ploinky-demo-w1",
        "--restart",
        "no",
        "--stop-timeout",
        "10",
        "--init",
        "--security-opt",
        "no-new-privileges",
        "--pids-limit",
        "64",
        "--memory",
        "268435456",
        "--cpus",
        "0.5",
        "--read-only",
        "--cap-drop",
        "ALL",
        "--cap-add",
        "NET_BIND_SERVICE",
        "--privileged",
        "--shm-size",
        "134217728",
        "--device",
        "nvidia.com/gpu=all",
        "--log-driver",
        "k8s-file",
        "--log-opt",
        "max-size=192m",
        "--http-proxy=false",
        "--security-opt",
        "label=disable",
        "--publish",
        "127.0.0.1::7000/tcp",
        "--publish",
        "[::1]:5353:53/udp",
        "--label",
        "note=a,b="c"
      ",
        "--label",
        "ploinky.workspace=w1",
        "--label",
        "ploinky.agent=demo",
        "--label",
        "ploinky.spec=h4sh",
        "--env",
        "PLAIN",
        "--env-file",
        "/state/env.list",
        "--mount",
        "type=bind,source=/srv/code,target=/code",
        "--mount",
        "type=bind,"source=/srv/odd, ""name""",target=/odd,readonly",
        "--workdir",
        "/code",
        "--user",
        "1000:1000",
        "--entrypoint",
        "/bin/server",
        "--",
        "docker.io/library/alpine:3",
        "-v",
        "--port",
        "80",
      ]
    `)
  })
  it('without a network publishes nothing and knows no host', () => {
    const args = run(dockerDialect, { ...minimalSpec, network: { mode: 'none' } })
    expect(args).toContain('none')
    expect(args).not.toContain('--add-host')
    expect(args).not.toContain('--publish')
  })
  const flagsOf = (args: readonly string[], ...names: string[]): string[] =>
    args.flatMap((arg, i) => (names.includes(arg) ? [`${arg} ${args[i + 1]}`] : []))
  it('in a named network: the primary one with its aliases, published as ever', () => {
    const attachments = [
      { name: 'front', aliases: ['web', 'www'] },
      { name: 'back', aliases: ['store'] },
    ]
    const spec: WorkloadSpec = { ...minimalSpec, ports: fullSpec.ports, network: { mode: 'networks', attachments } }
    for (const dialect of [dockerDialect, podmanDialect]) {
      expect(flagsOf(run(dialect, spec), '--network', '--network-alias', '--publish')).toEqual([
        '--network ploinky-front-w1',
        '--network-alias web',
        '--network-alias www',
        '--publish 127.0.0.1::7000/tcp',
        '--publish [::1]:5353:53/udp',
      ])
      // What cannot be joined in one call: the same container, without its start.
      const args = createArgs(dialect, spec, partsFor(spec))
      expect(args).toEqual(['create', ...run(dialect, spec).slice(2)])
    }
  })
  it("in the host's network publishes nothing, notes its ports and names loopback", () => {
    const ports = fullSpec.ports.map((port) => ({ ...port, host: 0 }))
    const labels = { 'ploinky.ports': '22/tcp' }
    const spec: WorkloadSpec = { ...minimalSpec, ports, labels, network: { mode: 'host' } }
    const seen = [dockerDialect, podmanDialect].map((dialect) =>
      flagsOf(run(dialect, spec), '--network', '--publish', '--add-host', '--label').filter(
        (flag) => !/ploinky\.(?:workspace|agent|spec)/.test(flag),
      ),
    )
    const common = ['--network host', '--label ploinky.ports=7000/tcp,53/udp']
    expect(seen).toEqual([
      ['--add-host host.docker.internal:127.0.0.1', ...common],
      ['--add-host host.containers.internal:127.0.0.1', ...common],
    ])
  })
  it('gives a read-only root writable places, but not where something is mounted', () => {
    const mounts = [{ source: '/srv/tmp', target: '/tmp/', readOnly: false }]
    const args = run(dockerDialect, { ...minimalSpec, mounts, security: { ...fullSpec.security } })
    expect(args.filter((_, i) => args[i - 1] === '--tmpfs')).toEqual([
      '/run:rw,nosuid,nodev',
      '/var/tmp:rw,nosuid,nodev',
    ])
  })
  it('keeps our labels when the spec tries to set them', () => {
    const args = run(podmanDialect, { ...minimalSpec, labels: { 'ploinky.workspace': 'other' } })
    const own = args.lastIndexOf('ploinky.workspace=w1')
    expect(own).toBeGreaterThan(args.indexOf('ploinky.workspace=other'))
  })
  it('never has a value of the environment in it', () => {
    const spec = { ...minimalSpec, env: { TOKEN: 'hush-1', HOME: 'hush-2' } }
    expect(run(dockerDialect, spec).join(' ')).not.toContain('hush')
  })
})

describe('a job', () => {
  const { name: _name, ports: _ports, stopGraceSeconds: _grace, ...job } = { ...minimalSpec, command: ['npm', 'ci'] }
  const { environment, envFile } = partsFor(minimalSpec)
  const enforced = { memory: true, cpu: true, pids: true }
  const parts = { name: 'ploinky-demo-w1-job-x', owner: 'box 12 345', environment, envFile, enforced }
  it('is waited for, hardened, and leaves nothing', () => {
    const args = jobArgs(dockerDialect, job, parts)
    expect(args.slice(0, 2)).toEqual(['run', '--rm'])
    expect(args.join(' ')).toMatchInlineSnapshot(
      `"run --rm --pull never --name ploinky-demo-w1-job-x --restart no --stop-timeout 5 --init --security-opt no-new-privileges --pids-limit 256 --log-driver json-file --log-opt max-size=64m --log-opt max-file=3 --add-host host.docker.internal:host-gateway --label ploinky.workspace=w1 --label ploinky.job=demo --label ploinky.owner=box 12 345 --label ploinky.agent= --label ploinky.spec= -- docker.io/library/alpine:3 npm ci"`,
    )
    expect(jobArgs(podmanDialect, job, parts).join(' ')).toMatchInlineSnapshot(
      `"run --rm --pull never --name ploinky-demo-w1-job-x --restart no --stop-timeout 5 --init --security-opt no-new-privileges --pids-limit 256 --log-driver k8s-file --log-opt max-size=192m --http-proxy=false --label ploinky.workspace=w1 --label ploinky.job=demo --label ploinky.owner=box 12 345 --label ploinky.agent= --label ploinky.spec= -- docker.io/library/alpine:3 npm ci"`,
    )
  })
  it('leaves out limits that are not enforced', () => {
    const limits = { pids: 9, memoryBytes: 1_000_000, cpus: 2 }
    const args = (given: typeof enforced) => jobArgs(podmanDialect, { ...job, limits }, { ...parts, enforced: given })
    expect(args(enforced).join(' ')).toContain('--pids-limit 9 --memory 1000000 --cpus 2')
    const none = args({ memory: false, cpu: false, pids: false })
    expect(none.filter((arg) => /^--(?:pids-limit|memory|cpus)$/.test(arg))).toEqual([])
  })
  it('joins one network at most', () => {
    const attachments = ['a', 'b'].map((name) => ({ name, aliases: [] }))
    expect(() => jobArgs(dockerDialect, { ...job, network: { mode: 'networks', attachments } }, parts)).toThrowError(
      /one network/,
    )
  })
})

describe('run refuses', () => {
  const refused = (change: Partial<WorkloadSpec>, message: RegExp): void => {
    for (const dialect of [dockerDialect, podmanDialect]) {
      expect(() => run(dialect, { ...minimalSpec, ...change })).toThrowError(message)
    }
  }
  it('an image that would be a flag, or is none', () => {
    refused({ image: '--privileged' }, /Invalid image reference/)
    refused({ image: 'a b' }, /Invalid image reference/)
    refused({ image: '' }, /Invalid image reference/)
    refused({ image: null }, /No image/)
  })
  it('a NUL anywhere', () => {
    refused({ command: ['a\0b'] }, /NUL/)
    refused({ labels: { a: 'x\0' } }, /NUL/)
    refused({ workdir: '/a\0' }, /NUL/)
  })
  it('ports and addresses that are none', () => {
    const port = { container: 80, host: 0, hostIp: '127.0.0.1', protocol: 'tcp' as const }
    refused({ ports: [{ ...port, container: 0 }] }, /Invalid port/)
    refused({ ports: [{ ...port, host: 70_000 }] }, /Invalid port/)
    refused({ ports: [{ ...port, hostIp: '' }] }, /Invalid host address/)
    refused({ ports: [{ ...port, hostIp: '1.2.3.4:80:80' + 'x' }] }, /Invalid host address/)
    refused({ ports: [port], network: { mode: 'none' } }, /without a network/)
  })
  it('relative mounts, odd labels and odd capabilities', () => {
    refused({ mounts: [{ source: 'volume', target: '/x', readOnly: false }] }, /absolute/)
    refused({ mounts: [{ source: '/x', target: 'x', readOnly: false }] }, /absolute/)
    refused({ labels: { 'a=b': 'c' } }, /Invalid label/)
    refused({ labels: { '': 'c' } }, /Invalid label/)
    refused({ security: { ...minimalSpec.security, dropCapabilities: ['--privileged'] } }, /capability/)
  })
})

describe('exec', () => {
  const environment = planEnvironment({ A: '1' }, { allowFile: true })
  it('plain', () => {
    expect(execArgs('c1', ['ls', '-l'], { stdin: false, tty: false, environment, envFile: null }))
      .toMatchInlineSnapshot(`
      [
        "exec",
        "--env",
        "A",
        "--",
        "c1",
        "ls",
        "-l",
      ]
    `)
  })
  it('with everything', () => {
    expect(
      execArgs('c1', ['--weird'], {
        stdin: true,
        tty: true,
        environment,
        envFile: '/state/env.list',
        cwd: '/work',
        user: 'app',
      }),
    ).toMatchInlineSnapshot(`
      [
        "exec",
        "--interactive",
        "--tty",
        "--detach-keys",
        "ctrl-^,ctrl-_,ctrl-^",
        "--env",
        "A",
        "--env-file",
        "/state/env.list",
        "--workdir",
        "/work",
        "--user",
        "app",
        "--",
        "c1",
        "--weird",
      ]
    `)
  })
  it('refuses to run nothing', () => {
    expect(() => execArgs('c1', [], { stdin: false, tty: false, environment, envFile: null })).toThrowError(
      /No command/,
    )
  })
})

it('reads and watches', () => {
  expect(inspectArgs(['a', 'b']).join(' ')).toMatchInlineSnapshot(`"inspect --type container -- a b"`)
  expect(listArgs({ workspace: 'w1' }).join(' ')).toMatchInlineSnapshot(
    `"ps --all --quiet --no-trunc --filter label=ploinky.workspace=w1"`,
  )
  expect(listArgs({ workspace: 'w1', agent: 'demo' }).join(' ')).toMatchInlineSnapshot(
    `"ps --all --quiet --no-trunc --filter label=ploinky.workspace=w1 --filter label=ploinky.agent=demo"`,
  )
  expect(logsArgs('c1', { follow: false }).join(' ')).toMatchInlineSnapshot(`"logs --timestamps -- c1"`)
  expect(logsArgs('c1', { follow: true, tail: 5, since: '2026-01-01T00:00:00Z' }).join(' ')).toMatchInlineSnapshot(
    `"logs --timestamps --follow --tail 5 --since 2026-01-01T00:00:00Z -- c1"`,
  )
  expect(eventsArgs(dockerDialect, { workspace: 'w1' }, '5.000').join(' ')).toMatchInlineSnapshot(
    `"events --format {{json .}} --since 5.000 --filter type=container --filter event=start --filter event=die --filter event=pause --filter event=unpause --filter event=destroy --filter label=ploinky.workspace=w1"`,
  )
  expect(eventsArgs(podmanDialect, { workspace: 'w1', agent: 'a' }, '5.000').join(' ')).toMatchInlineSnapshot(
    `"events --format json --since 5.000 --filter type=container --filter event=start --filter event=died --filter event=pause --filter event=unpause --filter event=remove --filter label=ploinky.workspace=w1 --filter label=ploinky.agent=a"`,
  )
})
