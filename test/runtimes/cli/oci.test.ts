import { describe, expect, it } from 'vitest'
import { planEnvironment } from '../../../runtimes/cli/environment.ts'
import { eventsArgs, execArgs, inspectArgs, listArgs, logsArgs, runArgs } from '../../../runtimes/cli/oci.ts'
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
