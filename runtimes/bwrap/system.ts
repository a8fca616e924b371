/** What of this host a sandbox sees: programs and what they need to run, for reading. Nothing of anybody's data. */
import { join } from 'node:path'
import type { Platform } from '../../src/platform/index.ts'

/** The system's programs and libraries. Never a target of an agent's own mounts. */
export const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'] as const

/** Where Node is when the system's folders have none. */
export const NODE_FOLDER = '/opt/node/bin'

/**
 * What name lookup, TLS, time and the loader read. Keys (/etc/ssl/private, /etc/pki/tls/private) and accounts stay out;
 * accounts are made up.
 */
const ETC = [
  ...['alternatives', 'ca-certificates', 'crypto-policies', 'fonts', 'gai.conf', 'host.conf', 'hosts', 'ld.so.cache'],
  ...['ld.so.conf', 'ld.so.conf.d', 'localtime', 'mime.types', 'nsswitch.conf', 'protocols', 'resolv.conf'],
  ...['services', 'timezone', 'pki/ca-trust', 'pki/tls/cert.pem', 'pki/tls/certs', 'ssl/cert.pem', 'ssl/certs'],
  ...['ssl/openssl.cnf'],
]

/**
 * The kernel gives whoever is root outside write access to these, without any capability: a sandbox that root started
 * could choose what the kernel runs (core_pattern). The engines hide and lock the same ones.
 */
const PROC_READ_ONLY = ['acpi', 'bus', 'fs', 'irq', 'scsi', 'sys']
const PROC_HIDDEN = [
  ...['kcore', 'key-users', 'keys', 'kmsg', 'kpagecgroup', 'kpagecount', 'kpageflags', 'latency_stats', 'mtrr'],
  ...['sched_debug', 'slabinfo', 'sysrq-trigger', 'timer_list', 'timer_stats', 'vmallocinfo'],
]

export interface System {
  /** Arguments that show the system's folders. */
  readonly folders: readonly string[]
  readonly etc: readonly string[]
  readonly proc: readonly string[]
  readonly node: readonly string[]
}

/** Looks at this host and gives the arguments that show it. */
export async function lookAtSystem(platform: Platform): Promise<System> {
  const { fs } = platform
  const there = async (paths: readonly string[]): Promise<string[]> => {
    const found = await Promise.all(paths.map((path) => fs.stat(path).catch(() => null)))
    return paths.filter((_path, index) => found[index] !== null)
  }
  const folders = await Promise.all(SYSTEM.map((path) => folderArgs(platform, path)))
  const etc = await there(ETC.map((name) => join('/etc', name)))
  const locked = await there(PROC_READ_ONLY.map((name) => join('/proc', name)))
  const hidden = await there(PROC_HIDDEN.map((name) => join('/proc', name)))
  return {
    folders: folders.flat(),
    etc: etc.flatMap((path) => ['--ro-bind', path, path]),
    proc: [
      ...locked.flatMap((path) => ['--ro-bind', path, path]),
      ...hidden.flatMap((path) => ['--ro-bind', '/dev/null', path]),
    ],
    node: await nodeArgs(platform),
  }
}

/** On most systems /bin is a link into /usr; elsewhere it is a folder of its own. */
async function folderArgs({ fs }: Platform, path: string): Promise<string[]> {
  const info = await fs.lstat(path)
  if (info?.kind === 'directory') return ['--ro-bind', path, path]
  const target = info?.kind === 'symlink' ? await fs.readLink(path) : null
  return target === null ? [] : ['--symlink', target, path]
}

/** The one file: its folder may be somebody's home. */
async function nodeArgs(platform: Platform): Promise<string[]> {
  const { name } = platform.runtime
  const own = name === 'node' ? platform.selfCommand([]).file : await platform.processes.which('node')
  const path = own === null ? null : await platform.fs.realPath(own)
  if (path === null || SYSTEM.some((folder) => path.startsWith(`${folder}/`))) return []
  return ['--ro-bind', path, join(NODE_FOLDER, 'node')]
}
