import { describe, expect, it } from 'vitest'
import { jobArgs } from '../../../runtimes/cli/oci.ts'
import { dockerDialect } from '../../../runtimes/docker/index.ts'
import { podmanDialect } from '../../../runtimes/podman/index.ts'
import { minimalSpec, partsFor } from './support.ts'

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
