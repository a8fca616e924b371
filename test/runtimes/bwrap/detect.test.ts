import { describe, expect, it } from 'vitest'
import { detectSandbox } from '../../../runtimes/bwrap/detect.ts'
import type { Platform } from '../../../src/platform/index.ts'
import { testPlatform } from '../../helpers/runtime-engines.ts'

const system = { folders: [], etc: [], proc: [], node: [] }

interface Machine {
  platform?: string
  bwrap?: string | null
  missing?: string
  exitCode?: number
  stderr?: string
}

const machine = ({
  platform = 'linux',
  bwrap = '/usr/bin/bwrap',
  missing,
  exitCode = 0,
  stderr = '',
}: Machine): Platform => ({
  ...testPlatform,
  os: { ...testPlatform.os, platform },
  fs: {
    ...testPlatform.fs,
    stat: async (path) => (path === missing ? null : { kind: 'file', size: 1, mtimeMs: 0, mode: 0o755, uid: 0 }),
  },
  processes: {
    ...testPlatform.processes,
    which: async () => bwrap,
    run: async ({ args }) =>
      args.includes('--version')
        ? { exitCode: 0, stdout: 'bubblewrap 0.8.0\n', stderr: '' }
        : { exitCode, stdout: '', stderr },
  },
})

describe('detection of bubblewrap', () => {
  it('tells its version and what it does not do', async () => {
    const found = await detectSandbox(machine({}), system, true)
    expect(found).toMatchObject({ available: true, version: '0.8.0', endpoint: '/usr/bin/bwrap' })
    expect(found.available && found.notes.join('\n')).toMatch(/limits are not enforced[^]*network/)
  })

  it.each<[string, Machine, string, RegExp]>([
    ['another system', { platform: 'darwin' }, 'UNUSABLE', /darwin/],
    ['no bwrap', { bwrap: null }, 'NOT_INSTALLED', /bwrap/],
    ['no util-linux', { missing: '/usr/bin/setpriv' }, 'NOT_INSTALLED', /setpriv/],
    [
      'no user namespaces',
      { exitCode: 1, stderr: 'bwrap: setting up uid map: Permission denied\n' },
      'NOT_PERMITTED',
      /Permission denied/,
    ],
    ['an old bwrap', { exitCode: 1, stderr: 'usage\nbwrap: Unknown option --perms' }, 'UNUSABLE', /--perms/],
    ['one that says nothing', { exitCode: 139 }, 'UNUSABLE', /139/],
  ])('%s', async (_what, facts, code, message) => {
    expect(await detectSandbox(machine(facts), system, true)).toMatchObject({
      available: false,
      code,
      message: expect.stringMatching(message),
      hint: expect.stringContaining('ploinky start --runtime podman'),
    })
  })
})
