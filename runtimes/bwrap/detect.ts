/** Whether sandboxes can be had here: found out by making one, for systems forbid them in many ways. */
import type { Platform } from '../../src/platform/index.ts'
import type { Detection } from '../adapter.ts'
import { sandboxArgs } from './arguments.ts'
import type { System } from './system.ts'

const TRY_MS = 10_000

/** Programs that lead into a running sandbox and give up its capabilities there; all of util-linux. */
export const TOOLS = ['nsenter', 'setpriv', 'setsid'] as const

const NOTES = [
  'Memory, cpu and process limits are not enforced',
  "The network is this machine's: agents reach everything that listens here, unless they have no network at all",
]

const unavailable = (
  code: 'NOT_INSTALLED' | 'NOT_PERMITTED' | 'UNUSABLE',
  message: string,
  hint: string,
): Detection => ({
  available: false,
  code,
  message,
  hint,
})

const WITHOUT = 'or choose a container runtime: ploinky start --runtime podman'

/** Where a tool of the system is, inside and outside: a fixed place, for a sandbox has no other PATH to find it on. */
export const toolPath = (name: string): string => `/usr/bin/${name}`

export async function detectSandbox(platform: Platform, system: System, terminals: boolean): Promise<Detection> {
  const { fs, processes, os } = platform
  if (os.platform !== 'linux') {
    return unavailable(
      'UNUSABLE',
      `Sandboxes are made by bubblewrap on Linux, and this is ${os.platform}`,
      `Use Linux, ${WITHOUT}`,
    )
  }
  const bwrap = await processes.which('bwrap')
  if (bwrap === null) {
    return unavailable('NOT_INSTALLED', '"bwrap" is not installed', `Install the package "bubblewrap", ${WITHOUT}`)
  }
  for (const tool of TOOLS) {
    if ((await fs.stat(toolPath(tool))) !== null) continue
    return unavailable(
      'NOT_INSTALLED',
      `"${toolPath(tool)}" is not installed`,
      `Install the package "util-linux", ${WITHOUT}`,
    )
  }
  const tried = await tryOne(platform, bwrap, system)
  if (tried !== null) {
    const forbidden = /permission|permitted|user namespace|No space left/i.test(tried)
    const hint = forbidden
      ? 'Allow unprivileged user namespaces (sysctl user.max_user_namespaces), '
      : 'Update bubblewrap, '
    return unavailable(
      forbidden ? 'NOT_PERMITTED' : 'UNUSABLE',
      `bubblewrap makes no sandbox: ${tried}`,
      `${hint}${WITHOUT}`,
    )
  }
  const shown = await processes.run({ file: bwrap, args: ['--version'], cwd: '/' }, { timeoutMs: TRY_MS })
  const notes = terminals ? NOTES : [...NOTES, `No terminals: install "${toolPath('script')}" and "@lydell/node-pty"`]
  return {
    available: true,
    version: shown.stdout.trim().split(' ').at(-1) ?? '',
    endpoint: bwrap,
    rootless: os.uid !== 0,
    notes,
  }
}

/** Null when it works, otherwise what bubblewrap says. */
async function tryOne({ processes }: Platform, bwrap: string, system: System): Promise<string | null> {
  const network = { mode: 'none' as const }
  // Any two files do for the made-up accounts.
  const args = sandboxArgs({
    spec: { agent: 'try', mounts: [], network },
    shmBytes: null,
    system,
    account: () => '/dev/null',
  })
  const program = [...args, '--', '/bin/sh', '-c', 'exit 0']
  try {
    const { exitCode, stderr } = await processes.run(
      { file: bwrap, args: program, cwd: '/', env: {} },
      { timeoutMs: TRY_MS },
    )
    return exitCode === 0 ? null : stderr.trim().split('\n').at(-1)?.slice(0, 300) || `exit code ${exitCode}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
