/** The runtime without containers. Nothing is isolated: programs run as the user who runs us and see the whole file system. */
import type { Detection, RuntimeDefinition } from '../adapter.ts'
import type { Platform } from '../../src/platform/index.ts'
import { createProcessAdapter } from '../process/adapter.ts'
import type { Facts, ProcessKind } from '../process/kind.ts'
import { checkSpec } from '../process/spec.ts'
import { checkCommand, hostCommand, isOwnUser } from './spec.ts'

export const hostRuntime: RuntimeDefinition = {
  id: 'host',
  displayName: 'Host processes',
  create: (context) => createProcessAdapter(context, createHostKind),
}

const NOTES = [
  'No isolation: agents are plain processes that run as you and see your files',
  'Memory, cpu and process limits are not enforced',
]

/** A program that is not there ends with 127 and says so on stderr, as in a container; the words are never read as text. */
const LAUNCHER = 'exec "$@"'

function createHostKind(platform: Platform): ProcessKind {
  const user = { name: platform.os.user, is: (name: string) => isOwnUser(platform, name) }
  return {
    id: 'host',
    displayName: hostRuntime.displayName,
    format: 'ploinky-host-1',
    supervisor: 'ploinky-host',
    user,
    capabilities: ({ hasProc, terminals }) => ({
      images: false,
      isolation: false,
      bindMounts: false,
      tty: terminals,
      nativeEvents: false,
      stats: hasProc,
      rootless: platform.os.uid !== 0,
      limits: { memory: false, cpu: false, pids: false },
      api: false,
      hostGateway: '127.0.0.1',
      // A plain process is in the host's network: nothing can be taken away or given there.
      networks: { none: false, host: true, named: false },
      privileged: false,
      gpus: true,
    }),
    detect: (facts) => detect(platform, facts),
    hasTerminals: async () => true,
    check: (spec) => checkSpec(platform, spec, user),
    command: (spec, ports) => hostCommand(platform, spec, ports),
    checkCommand: (spec, command) => checkCommand(platform, spec, command),
    launch: async (_spec, command) => command,
    environment: (supervisor) => supervisor,
    isUp: async () => true,
    explain: () => null,
    async terminate({ record }) {
      platform.processes.signal(record.supervisor.pid, 'SIGTERM', { group: true })
    },
    enter: async (_running, { argv, cwd, env }) => ({
      argv: ['/bin/sh', '-c', LAUNCHER, 'ploinky-exec', ...argv],
      cwd,
      env,
    }),
  }
}

async function detect(platform: Platform, { hasProc, terminals }: Facts): Promise<Detection> {
  if ((await platform.fs.stat('/bin/sh').catch(() => null)) === null) {
    return {
      available: false,
      code: 'UNUSABLE',
      message: `Plain processes need a POSIX system with /bin/sh, and this is ${platform.os.platform}`,
      hint: 'Install Docker or podman, then run: ploinky doctor',
    }
  }
  const notes = [...NOTES]
  if (!hasProc) {
    notes.push(
      'No /proc here: no statistics, and processes that leave their parent are not found when an agent is killed',
    )
  }
  if (!terminals) notes.push('No terminals: install the optional package "@lydell/node-pty"')
  return {
    available: true,
    version: platform.os.platform,
    endpoint: `this machine (${platform.os.hostname})`,
    rootless: platform.os.uid !== 0,
    notes,
  }
}
