import { describe, expect, it } from 'vitest'
import { checkSandbox, checkSandboxCommand, hostPath } from '../../../runtimes/bwrap/check.ts'
import type { WorkloadSpec } from '../../../runtimes/adapter.ts'
import { testPlatform } from '../../helpers/runtime-engines.ts'
import { specFor } from '../../helpers/runtime-spec.ts'

const mounts = [
  { source: '/ws/code', target: '/code', readOnly: true },
  { source: '/ws/skills', target: '/code/skills', readOnly: true },
  { source: '/usr', target: '/tools', readOnly: true },
]
const spec = (overrides: Partial<WorkloadSpec> = {}): WorkloadSpec => specFor('w', { mounts, ...overrides })

describe('paths of a sandbox on this host', () => {
  it.each([
    ['/code/a.mjs', '/ws/code/a.mjs'],
    ['/code/skills/x', '/ws/skills/x'],
    ['/usr/bin/env', '/usr/bin/env'],
    ['/bin/sh', '/bin/sh'],
    ['/ws/code', null],
    ['/root/.ssh', null],
    ['/etc/passwd', null],
    ['/usrlocal', null],
  ])('%s is %s', (path, expected) => expect(hostPath(mounts, path)).toBe(expected))
})

describe('what a sandbox cannot be given', () => {
  it('capabilities', async () => {
    const security = { ...spec().security, addCapabilities: ['NET_ADMIN'] }
    await expect(checkSandbox(testPlatform, spec({ security }))).rejects.toMatchObject({
      code: 'CAPABILITY_UNSUPPORTED',
      hint: expect.stringContaining('ploinky start'),
    })
  })

  it.each([
    ['a mounted folder that is not there', { argv: ['sh'], cwd: '/code' }, 'CONFIG_INVALID'],
    ['a program outside', { argv: ['/root/bin/tool'], cwd: '/tools' }, 'RUNTIME_FAILED'],
    ['an unknown program', { argv: ['no-such-program-here'], cwd: '/tools' }, 'RUNTIME_FAILED'],
    ['a folder outside', { argv: ['sh'], cwd: '/root' }, 'CONFIG_INVALID'],
  ])('%s', async (_what, { argv, cwd }, code) => {
    const env = { PATH: '/usr/bin:/bin' }
    await expect(checkSandboxCommand(testPlatform, spec(), { argv, cwd, env })).rejects.toMatchObject({ code })
  })

  it.each([
    [{ argv: ['/tools/bin/env'], cwd: '/tools/bin' }],
    [{ argv: ['sh'], cwd: '/home/agent' }],
    [{ argv: ['./own'], cwd: '/tmp' }],
    [{ argv: ['/tmp/later'], cwd: '/' }],
  ])('but not %j', async ({ argv, cwd }) => {
    const env = { PATH: '/usr/bin:/bin' }
    await expect(checkSandboxCommand(testPlatform, spec(), { argv, cwd, env })).resolves.toBeUndefined()
  })
})
