/** bubblewrap's command line for a spec. Everything that is not named here does not exist in the sandbox. */
import type { MountSpec, WorkloadSpec } from '../adapter.ts'
import { trimSlash } from '../process/spec.ts'
import type { System } from './system.ts'

export const HOME = '/home/agent'

/** Accounts of the sandbox: its one user is root there, and outside who started it. */
export const ACCOUNTS = {
  passwd: `root:x:0:0:agent:${HOME}:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n`,
  group: 'root:x:0:\nnogroup:x:65534:\n',
} as const

export interface Sandbox {
  readonly spec: Pick<WorkloadSpec, 'agent' | 'mounts' | 'network'>
  /** Size of /dev/shm; null: as the system has it. */
  readonly shmBytes: number | null
  readonly system: System
  /** Host path of one of the files of `ACCOUNTS`. */
  account(name: keyof typeof ACCOUNTS): string
}

/**
 * Order matters: the system's folders come last and are then locked, so that no mount of an agent can lie over them,
 * whatever links its own folders hold. A program that is started beside it later has all capabilities of the sandbox for
 * a moment, and must find the system's own files there.
 *
 * One user, root inside: bubblewrap then makes one user namespace, which its owner can enter; for any other it makes a
 * second one inside the first. There are no capabilities in either. A session of its own is what the supervisor has.
 */
export function sandboxArgs({ spec, shmBytes, system, account }: Sandbox): string[] {
  return [
    ...['--unshare-user', '--uid', '0', '--gid', '0', '--cap-drop', 'ALL'],
    ...[
      '--unshare-pid',
      '--unshare-ipc',
      '--unshare-uts',
      '--unshare-cgroup-try',
      '--hostname',
      spec.agent.slice(0, 63),
    ],
    // Ports are dialled on this host's loopback; every other mode than those that say so has a network of its own.
    ...(spec.network.mode === 'default' || spec.network.mode === 'host' ? [] : ['--unshare-net']),
    ...['--perms', '1777', '--tmpfs', '/tmp', '--perms', '0700', '--tmpfs', HOME, '--tmpfs', '/run'],
    ...['--dir', '/var', '--symlink', '/tmp', '/var/tmp'],
    ...byDepth(spec.mounts).flatMap(({ source, target, readOnly }) => [
      readOnly ? '--ro-bind' : '--bind',
      source,
      target,
    ]),
    ...system.node,
    ...system.folders,
    ...['--tmpfs', '/etc', ...system.etc],
    ...['--ro-bind', account('passwd'), '/etc/passwd', '--ro-bind', account('group'), '/etc/group'],
    ...['--remount-ro', '/etc', '--proc', '/proc', ...system.proc, '--dev', '/dev'],
    ...(shmBytes === null ? [] : ['--size', String(shmBytes), '--perms', '1777', '--tmpfs', '/dev/shm']),
    ...['--remount-ro', '/'],
  ]
}

/** A folder before what lies in it. */
export const byDepth = (mounts: readonly MountSpec[]): MountSpec[] =>
  mounts
    .map((mount) => ({ ...mount, target: trimSlash(mount.target) }))
    .sort((a, b) => a.target.split('/').length - b.target.split('/').length)
