/** Processes of this host: who they are, who belongs to an instance, and how all of them are ended. */
import { until } from '../../src/core/time.ts'
import type { Platform } from '../../src/platform/index.ts'

/** Tags a process by the instance that it belongs to, and by the call that started it. */
export const WORKLOAD_TAG = 'PLOINKY_WORKLOAD'
export const EXEC_TAG = 'PLOINKY_EXEC'

export interface Tag {
  readonly variable: typeof WORKLOAD_TAG | typeof EXEC_TAG
  readonly value: string
}

/** Between SIGTERM and SIGKILL for programs that were started by `exec` and `openTty`. */
const POLITE_MS = 500
/** Killed processes need a moment to go; what stays longer hangs in the kernel. */
const GONE_MS = 10_000

export interface ProcessTable {
  /** Looks at the system, once; to be awaited before everything else here. */
  look(): Promise<void>
  /** Whether the system tells about processes in /proc. */
  readonly hasProc: boolean
  /** What, together with the pid, names a process for ever; null when there is no such process or nothing tells. */
  since(pid: number): Promise<string | null>
  isSame(process: { pid: number; since: string | null }): Promise<boolean>
  /** Everything with the tag, and all descendants of it and of `roots`. */
  family(tag: Tag, roots?: readonly number[]): Promise<number[]>
  /** Ends the family and resolves when it is gone: SIGTERM first when `politely`, then SIGKILL. */
  end(tag: Tag, options: { politely: boolean; roots?: readonly number[] }): Promise<void>
  /** Environment that a process was started with; null where it cannot be read. */
  environment(pid: number): Promise<Record<string, string> | null>
  /** Parent of each process. */
  parents(): Promise<Map<number, number>>
}

export function createProcessTable(platform: Platform): ProcessTable {
  const { fs, processes } = platform
  let hasProc = false
  let bootId = ''
  let looked: Promise<void> | undefined

  async function lookOnce(): Promise<void> {
    hasProc = (await fs.stat('/proc/self/environ')) !== null
    if (hasProc) bootId = ((await readProc(platform, '/proc/sys/kernel/random/boot_id')) ?? '').trim()
  }

  async function since(pid: number): Promise<string | null> {
    const info = await processes.info(pid)
    if (info === null) return null
    // After a reboot, the same pid could have the same number of ticks.
    if (info.startTicks !== null) return `${info.startTicks}@${bootId}`
    const shown = await processes.run({ file: 'ps', args: ['-o', 'lstart=', '-p', String(pid)] }).catch(() => null)
    return shown?.exitCode === 0 ? shown.stdout.trim() : null
  }

  async function environment(pid: number): Promise<Record<string, string> | null> {
    const text = await readProc(platform, `/proc/${pid}/environ`)
    if (text === null) return null
    return Object.fromEntries(
      text
        .split('\0')
        .filter((entry) => entry.includes('='))
        .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
    )
  }

  async function parents(): Promise<Map<number, number>> {
    if (hasProc) return parentsFromProc(platform)
    const shown = await processes.run({ file: 'ps', args: ['-A', '-o', 'pid=,ppid='] }).catch(() => null)
    const pairs = (shown?.stdout ?? '').split('\n').map((line) => line.trim().split(/\s+/).map(Number))
    return new Map(pairs.filter(([pid]) => pid).map(([pid = 0, parent = 0]) => [pid, parent]))
  }

  async function family(tag: Tag, roots: readonly number[] = []): Promise<number[]> {
    const parentOf = await parents()
    const found = new Set(roots.filter((pid) => parentOf.has(pid)))
    if (hasProc) for (const pid of await taggedPids(platform, tag, [...parentOf.keys()])) found.add(pid)
    // Children may have cleared their environment: they are found through their parents.
    for (let grown = true; grown;) {
      grown = false
      for (const [pid, parent] of parentOf) {
        if (!found.has(parent) || found.has(pid)) continue
        found.add(pid)
        grown = true
      }
    }
    found.delete(platform.pid)
    return [...found]
  }

  async function end(tag: Tag, { politely, roots = [] }: { politely: boolean; roots?: readonly number[] }) {
    let known: readonly number[] = roots
    const round = async (signal: 'SIGTERM' | 'SIGKILL' | null): Promise<true | null> => {
      known = await family(tag, known)
      if (known.length === 0) return true
      if (signal !== null) for (const pid of known) trySignal(platform, pid, signal)
      return null
    }
    if (politely) {
      if ((await round('SIGTERM')) === true) return
      const gone = await until(() => round(null), { timeoutMs: POLITE_MS, what: tag.value }).catch(() => null)
      if (gone === true) return
    }
    // Each round also finds what was forked during the last one.
    await until(() => round('SIGKILL'), { timeoutMs: GONE_MS, what: `the end of the processes of "${tag.value}"` })
  }

  return {
    look: () => (looked ??= lookOnce()),
    get hasProc() {
      return hasProc
    },
    since,
    async isSame(process) {
      const info = await processes.info(process.pid)
      return info !== null && (process.since === null || (await since(process.pid)) === process.since)
    },
    family,
    end,
    environment,
    parents,
  }
}

/** Null when the process is gone or is not ours to look at. */
async function readProc(platform: Platform, path: string): Promise<string | null> {
  return platform.fs.readText(path).catch(() => null)
}

function trySignal(platform: Platform, pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    platform.processes.signal(pid, signal)
  } catch {
    // Not permitted: a program that changed its user. It is reported by not going away.
  }
}

async function parentsFromProc(platform: Platform): Promise<Map<number, number>> {
  const pids = (await platform.fs.list('/proc')).filter((name) => /^\d+$/.test(name))
  const stats = await Promise.all(pids.map((pid) => readProc(platform, `/proc/${pid}/stat`)))
  const result = new Map<number, number>()
  for (const [index, stat] of stats.entries()) {
    if (stat === null) continue
    // The command is in parentheses and may hold anything; the fields count from the last one.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state !== 'Z' && state !== 'X') result.set(Number(pids[index]), Number(parent))
  }
  return result
}

async function taggedPids(platform: Platform, tag: Tag, pids: readonly number[]): Promise<number[]> {
  const wanted = `${tag.variable}=${tag.value}`
  const texts = await Promise.all(pids.map((pid) => readProc(platform, `/proc/${pid}/environ`)))
  return pids.filter((_pid, index) => texts[index]?.split('\0').includes(wanted))
}
