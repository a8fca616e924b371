/** Who is running: by /proc where it exists (Linux), by signal 0 elsewhere. */
import { readdir, readFile, readlink } from 'node:fs/promises'
import type { ProcessInfo, Processes } from './index.ts'

const read = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(() => null)

async function info(pid: number): Promise<ProcessInfo | null> {
  if (!Number.isInteger(pid) || pid <= 0) return null
  const stat = await read(`/proc/${pid}/stat`)
  if (stat !== null) {
    // The command name is in parentheses and may itself hold spaces and parentheses; fields count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return null
    const commandLine = (await read(`/proc/${pid}/cmdline`)) ?? ''
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    return { pid, startTicks: fields[19] ?? null, command: commandLine.split('\0').filter(Boolean).join(' ') || name }
  }
  if (process.platform === 'linux') return null
  try {
    process.kill(pid, 0)
    return { pid, startTicks: null, command: '' }
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM' ? { pid, startTicks: null, command: '' } : null
  }
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL' | 'SIGINT', options: { group?: boolean } = {}): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false
  try {
    process.kill(options.group ? -pid : pid, name)
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'ESRCH') return false
    throw error
  }
}

/** Socket inodes in LISTEN state (0A) on `port`, from the kernel's tables. */
async function listeningInodes(port: number): Promise<Set<string>> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  const inodes = new Set<string>()
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of ((await read(table)) ?? '').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/)
      if (fields[1]?.endsWith(`:${wanted}`) && fields[3] === '0A' && fields[9]) inodes.add(fields[9])
    }
  }
  return inodes
}

async function listenerOf(port: number): Promise<ProcessInfo | null> {
  const inodes = await listeningInodes(port)
  if (inodes.size === 0) return null
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
      if (inode !== undefined && inodes.has(inode)) return await info(Number(pid))
    }
  }
  return null
}

export const createProcessTable = (): Pick<Processes, 'info' | 'signal' | 'listenerOf'> => ({
  info,
  signal,
  listenerOf,
})
