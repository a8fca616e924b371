/** Who is who in a sandbox that runs, seen from this host. */
import type { Platform } from '../../src/platform/index.ts'
import type { ProcessTable } from '../process/processes.ts'

export interface Inside {
  /** bubblewrap's own process 1, which every other one of the sandbox ends with. */
  readonly init: number
  /** The agent's program. */
  readonly main: number
}

/** Null until the sandbox is complete, and when it has ended. `pid`: bubblewrap's process outside. */
export async function lookInside(platform: Platform, table: ProcessTable, pid: number): Promise<Inside | null> {
  const readText = (path: string): Promise<string | null> => platform.fs.readText(path).catch(() => null)

  async function childrenOf(parent: number): Promise<number[]> {
    const text = await readText(`/proc/${parent}/task/${parent}/children`)
    if (text !== null) return text.split(' ').filter(Boolean).map(Number)
    // Kernels without that file.
    return [...(await table.parents())].filter(([, itsParent]) => itsParent === parent).map(([child]) => child)
  }

  /** Number of a process in its innermost namespace; null where it is in ours. */
  async function innerPid(child: number): Promise<number | null> {
    const numbers = /^NSpid:\s+(.*)$/m.exec((await readText(`/proc/${child}/status`)) ?? '')?.[1]?.split(/\s+/) ?? []
    return numbers.length > 1 ? Number(numbers.at(-1)) : null
  }

  async function numbered(parent: number): Promise<{ child: number; inner: number }[]> {
    const children = await childrenOf(parent)
    const inner = await Promise.all(children.map(innerPid))
    return children.flatMap((child, index) => (inner[index] == null ? [] : [{ child, inner: inner[index] }]))
  }

  const init = (await numbered(pid)).find(({ inner }) => inner === 1)
  if (init === undefined) return null
  // Orphans become children of process 1 as well; the program was the first. It begins when the sandbox is complete.
  const [main] = (await numbered(init.child)).sort((a, b) => a.inner - b.inner)
  return main === undefined ? null : { init: init.child, main: main.child }
}
