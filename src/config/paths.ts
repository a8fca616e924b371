/** Every path of a workspace, from its root (seed 000, "Directory Structure"). Pure. */
import { join } from 'node:path'

export const WORKSPACE_DIR = '.ploinky'

export interface WorkspacePaths {
  readonly root: string
  /** `.ploinky` */
  readonly dir: string
  readonly repos: string
  readonly running: string
  readonly routerPid: string
  readonly routerInfo: string
  readonly routerLock: string
  readonly changeLock: string
  readonly logs: string
  readonly routerLog: string
  readonly eventLog: string
  readonly logLock: string
  readonly blobs: string
  /** Of terminals. */
  readonly recordings: string
  /** Terminals that are open, for a router that has to end them after another one. */
  readonly openTerminals: string
  readonly secrets: string
  readonly masterKey: string
  readonly profile: string
  readonly history: string
  readonly runtimes: string
  /** Storage of agents that lasts. */
  readonly data: string
  /** Seen by every agent at /shared. */
  readonly shared: string
  /** Installed packages of agents. */
  readonly deps: string
  /** Records of tasks of agents whose tools the router runs. */
  readonly tasks: string
  /** An empty folder, mounted over what an agent must not see. */
  readonly hidden: string
  /** What agents reach the router by: a folder for each, seen by it and by nobody else. */
  readonly sockets: string
  /** Working folder of an agent, writable for it. */
  agentWork(agent: string): string
  /** Link to the agent's code. */
  agentCode(agent: string): string
  /** Link to the agent's skills. */
  agentSkills(agent: string): string
}

export function workspacePaths(root: string): WorkspacePaths {
  const dir = join(root, WORKSPACE_DIR)
  const running = join(dir, 'running')
  const logs = join(dir, 'logs')
  return {
    root,
    dir,
    repos: join(dir, 'repos'),
    running,
    routerPid: join(running, 'router.pid'),
    routerInfo: join(running, 'router.json'),
    routerLock: join(running, 'router.lock'),
    changeLock: join(running, 'change.lock'),
    logs,
    routerLog: join(logs, 'router.log'),
    eventLog: join(logs, 'events.ndjson'),
    logLock: join(running, 'logs.lock'),
    blobs: join(dir, 'blobs'),
    recordings: join(dir, 'recordings'),
    openTerminals: join(running, 'terminals.json'),
    secrets: join(dir, '.secrets'),
    masterKey: join(dir, 'master-key'),
    profile: join(dir, 'profile'),
    history: join(dir, 'history'),
    runtimes: join(dir, 'runtimes'),
    data: join(dir, 'data'),
    shared: join(dir, 'shared'),
    deps: join(dir, 'deps'),
    tasks: join(dir, 'tasks'),
    hidden: join(running, 'hidden'),
    sockets: join(dir, 'sockets'),
    agentWork: (agent) => join(root, 'agents', agent),
    agentCode: (agent) => join(root, 'code', agent),
    agentSkills: (agent) => join(root, 'skills', agent),
  }
}

/** Names in `.ploinky` that hold state: never mounted into an agent because its manifest asks for it. */
export const stateNames: readonly string[] = (
  'agents .secrets routing.json enabled_repos.json repo_sources.json config.json images.json consents.json mcp_endpoints.json profile master-key ' +
  'repos running backup logs history runtimes blobs recordings deps tasks sockets grants.json exposed.json supervisor.json default_skills.json tool_locks.json .gitignore'
).split(' ')
