/**
 * Sandboxes of bubblewrap: processes of this host that see the system's programs, the folders that their spec mounts, and
 * nothing else. They have their own processes, users and terminals, and no capabilities.
 */
import { join } from 'node:path'
import { PloinkyError } from '../../src/core/error.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { PortSpec, RuntimeCapabilities, RuntimeDefinition, WorkloadSpec } from '../adapter.ts'
import { createProcessAdapter } from '../process/adapter.ts'
import type { Facts, Place, ProcessKind, Program, Running } from '../process/kind.ts'
import type { ProcessTable } from '../process/processes.ts'
import { checkSpec, portEnvironment } from '../process/spec.ts'
import { ACCOUNTS, HOME, sandboxArgs } from './arguments.ts'
import { checkSandbox, checkSandboxCommand } from './check.ts'
import { detectSandbox, toolPath } from './detect.ts'
import { launcherArgs, packEnvironment, unpackEnvironment } from './environment.ts'
import { lookInside } from './inside.ts'
import { lookAtSystem, NODE_FOLDER, type System } from './system.ts'

export const bwrapRuntime: RuntimeDefinition = {
  id: 'bwrap',
  displayName: 'Bubblewrap sandboxes',
  create: (context) => createProcessAdapter(context, createSandboxKind),
}

/** Built from nothing: what the operator has in the environment stays outside. */
const BASE_ENVIRONMENT = {
  PATH: `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${NODE_FOLDER}`,
  HOME,
  USER: 'root',
  LOGNAME: 'root',
  SHELL: '/bin/sh',
  LANG: 'C.UTF-8',
}

const USER: ProcessKind['user'] = { name: 'root', is: (user) => ['root', '0'].includes(user.split(':')[0] ?? '') }

function createSandboxKind(platform: Platform, table: ProcessTable): ProcessKind {
  let looked: Promise<System> | undefined
  const system = (): Promise<System> => (looked ??= lookAtSystem(platform))
  return {
    id: 'bwrap',
    displayName: bwrapRuntime.displayName,
    format: 'ploinky-bwrap-1',
    supervisor: 'ploinky-bwrap',
    user: USER,
    capabilities: (facts) => capabilitiesOf(platform, facts),
    async detect({ terminals }) {
      // Looked at anew: something may have been installed meanwhile.
      looked = undefined
      return detectSandbox(platform, await system(), terminals)
    },
    hasTerminals: async () => (await platform.fs.stat(toolPath('script'))) !== null,
    async check(spec) {
      await checkSpec(platform, spec, USER)
      packEnvironment(spec.env)
      await checkSandbox(platform, spec)
    },
    command: commandOf,
    checkCommand: (spec, command) => checkSandboxCommand(platform, spec, command),
    launch: async (spec, command, place) => launch({ platform, spec, command, place, system: await system() }),
    environment: unpackEnvironment,
    isUp: async (pid) => (await lookInside(platform, table, pid)) !== null,
    explain: (stderr) => /^bwrap: (.+)/.exec(stderr)?.[1]?.slice(0, 500) ?? null,
    async terminate({ pid }) {
      // The program alone: bubblewrap's own processes would end at once, and not wait for it.
      const inside = await lookInside(platform, table, pid)
      if (inside !== null) platform.processes.signal(inside.main, 'SIGTERM')
    },
    enter: (running, program, how) => enter({ platform, table, running, program, ...how }),
  }
}

const capabilitiesOf = ({ os }: Platform, { hasProc, terminals }: Facts): RuntimeCapabilities => ({
  images: false,
  isolation: true,
  bindMounts: true,
  tty: terminals,
  nativeEvents: false,
  stats: hasProc,
  rootless: os.uid !== 0,
  limits: { memory: false, cpu: false, pids: false },
  api: false,
  hostGateway: '127.0.0.1',
  networks: { none: true, host: true, named: false },
  privileged: false,
  gpus: false,
})

const commandOf = (spec: WorkloadSpec, ports: readonly PortSpec[]): Program => ({
  argv: [...(spec.entrypoint ?? []), ...(spec.command ?? [])],
  cwd: spec.workdir ?? HOME,
  env: { ...BASE_ENVIRONMENT, ...spec.env, ...portEnvironment(ports) },
})

interface Launch {
  readonly platform: Platform
  readonly spec: WorkloadSpec
  readonly command: Program
  readonly place: Place
  readonly system: System
}

async function launch({ platform, spec, command, place, system }: Launch): Promise<Program> {
  const account = (name: keyof typeof ACCOUNTS): string => join(place.folder, name)
  for (const name of ['passwd', 'group'] as const) await platform.fs.writeAtomic(account(name), ACCOUNTS[name])
  const bwrap = await platform.processes.which('bwrap')
  if (bwrap === null) {
    throw new PloinkyError('RUNTIME_UNAVAILABLE', '"bwrap" is not installed', {
      hint: 'Install the package "bubblewrap", then run: ploinky doctor',
    })
  }
  // Whoever shares the session of a terminal could type into it, and so run commands outside (TIOCSTI).
  const apart = place.ourSession ? ['--new-session'] : []
  const sandbox = [...apart, ...sandboxArgs({ spec, shmBytes: spec.security.shmBytes, system, account })]
  const argv = [bwrap, ...sandbox, '--', ...launcherArgs(command, { tty: false })]
  return { argv, cwd: '/', env: packEnvironment(command.env) }
}

interface Entry {
  readonly platform: Platform
  readonly table: ProcessTable
  readonly running: Running
  readonly program: Program
  readonly tty: boolean
  readonly tag: Program['env']
}

/**
 * Who joins a user namespace has all its capabilities until they are given up, which is the first thing that happens
 * inside, by a program of the system that nothing can lie over. `setsid` takes the caller's terminal away; the program
 * gets a SIGTERM when nsenter, which waits for it outside, is killed.
 */
async function enter({ platform, table, running, program, tty, tag }: Entry): Promise<Program> {
  const inside = await lookInside(platform, table, running.pid)
  if (inside === null) {
    throw new PloinkyError('AGENT_NOT_RUNNING', `"${running.record.name}" does not run`, {
      hint: `Start it: ploinky start ${running.record.agent}`,
    })
  }
  const networks = await Promise.all(['self', inside.init].map((pid) => platform.fs.readLink(`/proc/${pid}/ns/net`)))
  const argv = [
    toolPath('nsenter'),
    ...['--target', String(inside.init), '--user', '--mount', '--pid', '--ipc', '--uts'],
    ...(networks[0] === networks[1] ? [] : ['--net']),
    ...['--preserve-credentials', '--'],
    // A terminal of the sandbox's own is made by a program that must hear of the outer one's changes.
    ...(tty ? [] : [toolPath('setsid')]),
    ...[toolPath('setpriv'), '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all'],
    ...['--pdeathsig', 'TERM', '--'],
    ...launcherArgs(program, { tty }),
  ]
  return { argv, cwd: '/', env: { ...packEnvironment(program.env), ...tag } }
}
