import { describe, expect, it } from 'vitest'
import { byDepth, sandboxArgs } from '../../../runtimes/bwrap/arguments.ts'
import type { MountSpec } from '../../../runtimes/adapter.ts'

const system = {
  folders: ['--ro-bind', '/usr', '/usr', '--symlink', 'usr/bin', '/bin'],
  etc: ['--ro-bind', '/etc/hosts', '/etc/hosts'],
  proc: ['--ro-bind', '/proc/sys', '/proc/sys'],
  node: [],
}
const mount = (target: string, readOnly = true): MountSpec => ({ source: `/from${target}`, target, readOnly })
interface Asked {
  mode?: 'default' | 'none' | 'host'
  shmBytes?: number
}
const argsOf = (mounts: MountSpec[], { mode = 'default', shmBytes }: Asked = {}): string[] =>
  sandboxArgs({
    spec: { agent: 'demo', mounts, network: { mode } },
    shmBytes: shmBytes ?? null,
    system,
    account: (name) => `/state/${name}`,
  })

/** Where a group of arguments begins. */
const indexOf = (args: readonly string[], ...group: string[]): number =>
  args.findIndex((_arg, index) => group.every((word, offset) => args[index + offset] === word))

describe('the command line of a sandbox', () => {
  it('unshares everything but the network, and that too when the spec says so', () => {
    const args = argsOf([])
    for (const flag of ['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try']) {
      expect(args).toContain(flag)
    }
    expect(indexOf(args, '--cap-drop', 'ALL')).toBeGreaterThan(0)
    expect(args).not.toContain('--unshare-net')
    // Agents outlive the process that started them.
    expect(args).not.toContain('--die-with-parent')
    expect(argsOf([], { mode: 'host' })).not.toContain('--unshare-net')
    expect(argsOf([], { mode: 'none' })).toContain('--unshare-net')
  })

  it('mounts what is given, a folder before what lies in it', () => {
    const args = argsOf([mount('/code/skills/'), mount('/data', false), mount('/code')])
    const code = indexOf(args, '--ro-bind', '/from/code', '/code')
    expect(code).toBeGreaterThan(0)
    expect(indexOf(args, '--ro-bind', '/from/code/skills/', '/code/skills')).toBeGreaterThan(code)
    expect(indexOf(args, '--bind', '/from/data', '/data')).toBeGreaterThan(0)
    expect(byDepth([mount('/a/b/c'), mount('/a'), mount('/a/b/')]).map(({ target }) => target)).toEqual([
      '/a',
      '/a/b',
      '/a/b/c',
    ])
  })

  it('has shared memory of the size that is asked for', () => {
    expect(argsOf([])).not.toContain('--size')
    const args = argsOf([], { shmBytes: 65_536 })
    expect(indexOf(args, '--size', '65536', '--perms', '1777', '--tmpfs', '/dev/shm')).toBeGreaterThan(
      indexOf(args, '--dev', '/dev'),
    )
  })

  it('lays the system over everything of the agent, and locks it last', () => {
    const args = argsOf([mount('/code', false)])
    const order = [
      indexOf(args, '--tmpfs', '/tmp'),
      indexOf(args, '--bind', '/from/code', '/code'),
      indexOf(args, '--ro-bind', '/usr', '/usr'),
      indexOf(args, '--tmpfs', '/etc'),
      indexOf(args, '--ro-bind', '/state/passwd', '/etc/passwd'),
      indexOf(args, '--remount-ro', '/etc'),
      indexOf(args, '--proc', '/proc'),
      indexOf(args, '--ro-bind', '/proc/sys', '/proc/sys'),
      indexOf(args, '--dev', '/dev'),
      indexOf(args, '--remount-ro', '/'),
    ]
    expect(order).not.toContain(-1)
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(args.slice(-2)).toEqual(['--remount-ro', '/'])
  })
})
