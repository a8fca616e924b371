/** The composition root: the only file that names concrete features, runtimes and platform. */
import { join } from 'node:path'
import type { Command } from './cli/command.ts'
import { stateDocuments } from './config/documents.ts'
import { workspacePaths, type WorkspacePaths } from './config/paths.ts'
import { assertSettingName, type SettingName, type Settings, type SettingValue, toSettings } from './config/settings.ts'
import { createEventBus } from './core/events.ts'
import type { Logger, LogSink } from './core/log.ts'
import type { Store } from './core/store.ts'
import {
  createExplainer,
  createHookSteps,
  createInstances,
  createPlanner,
  createRegistry,
  createRouteFinder,
  createRoutesWriter,
  createRuntimeChooser,
  createRuntimes,
  projectFolder,
} from './features/agents/index.ts'
import { createCallerFolders, createGrants } from './features/callers/index.ts'
import { createDependencies } from './features/dependencies/index.ts'
import { createAuthenticator, createSessions, operatorToken, rotateToken } from './features/auth/index.ts'
import { runDoctor } from './features/doctor/index.ts'
import { createFileService } from './features/files/service.ts'
import { createConsents, createHookRunner } from './features/hooks/index.ts'
import { createManifestService } from './features/manifests/index.ts'
import { createEndpoints } from './features/mcp/endpoints.ts'
import { createCatalog, createRepoService } from './features/repos/index.ts'
import { createTaskList } from './features/mcp/task-list.ts'
import { createToolLocks } from './features/tool-lock/index.ts'
import { createEventReader, keepEvents } from './features/events/index.ts'
import { createLogService, createLogWriter, createRotation } from './features/logs/index.ts'
import { createRouterClient } from './features/router/client.ts'
import { createRouterDaemon } from './features/router/daemon.ts'
import { createSandbox } from './features/sandbox/index.ts'
import { createScaffold } from './features/scaffold/index.ts'
import { createSecretStore } from './features/secrets/index.ts'
import { changeSetting, loadSettings } from './features/settings/index.ts'
import { createSkills } from './features/skills/index.ts'
import { createRecordings, createTerminalsClient } from './features/terminals/index.ts'
import { createVariables } from './features/variables/index.ts'
import { createStarter, createWorkspaceService, findWorkspaceRoot } from './features/workspace/index.ts'
import { createStatsService } from './features/supervisor/stats.ts'
import { createFileStore } from './platform/file-store.ts'
import type { Platform } from './platform/index.ts'
import type { RuntimeId } from '../runtimes/adapter.ts'
import { runtimeLoaders } from '../runtimes/index.ts'
import type { Services } from './services.ts'
import { VERSION } from './version.ts'

// For the program, which loads this and the platform together.
export { createPlatform } from './platform/create.ts'

export interface OpenOptions {
  platform: Platform
  /** The one table, for the router's API. */
  commands: readonly Command<Services>[]
  log: Logger
  /** `--workspace`. */
  workspace: string | undefined
  debug: boolean
  flags?: Partial<Record<SettingName, SettingValue>>
  /** From now on records go there: a router in the background writes its log by itself, so that it can be rotated. */
  redirectLog?: (sink: LogSink) => void
  /** Told to a person: a recovered file, a corrected mode. */
  warn: (message: string) => void
}

/** First usable of rootless podman, docker, podman: podman is rootless exactly when this user is not root. */
const engineOrder = (uid: number): RuntimeId[] => (uid === 0 ? ['docker', 'podman'] : ['podman', 'docker'])

function createStore(options: OpenOptions, paths: WorkspacePaths, log: Logger): Store {
  const { platform } = options
  return createFileStore({
    root: paths.dir,
    fs: platform.fs,
    lock: platform.lock,
    onRecovered: ({ file, problem, keptAs }) => {
      // For the router's log; a person is told in words.
      log.info('state file recovered', { file, problem, keptAs })
      const kept = keptAs === null ? '' : ` and kept as .ploinky/${keptAs}`
      options.warn(`.ploinky/${file} could not be read (${problem}); it was recovered from its backup${kept}`)
    },
  })
}

export async function openServices(options: OpenOptions): Promise<Services> {
  const { platform, log } = options
  const root = await findWorkspaceRoot(platform.fs, {
    flag: options.workspace,
    env: platform.env['PLOINKY_WORKSPACE'],
    cwd: platform.cwd(),
  })
  const paths = workspacePaths(root)
  const workspaceId = platform.hash.sha256Hex(root).slice(0, 8)
  const store = createStore(options, paths, log)
  const place = { fs: platform.fs, paths, store }
  const origins = { flags: { ...options.flags, ...(options.debug ? { debug: true } : {}) }, env: platform.env }
  const explained = await loadSettings(place, origins)
  /** The profile and the opt-in to sandboxes are read again while a router runs; everything else holds for a process. */
  const settings: { -readonly [K in keyof Settings]: Settings[K] } = toSettings(explained)
  /** A command does what somebody at this machine asked for; what a router does by itself, nobody did. */
  let principal: string | undefined = 'local'
  const events = createEventBus({
    onError: (error) => log.error('event listener failed', { error }),
    principal: () => principal,
  })
  const rotation = createRotation(platform, {
    lockFile: paths.logLock,
    limits: { maxBytes: settings.logMaxSize, maxAgeDays: settings.logMaxAge, keep: settings.logKeep },
  })
  const eventsWritten = keepEvents({
    ...{ events, fs: platform.fs, pid: platform.pid, log, file: paths.eventLog },
    rotate: (file) => rotation.rotate(file),
  })
  const secrets = createSecretStore({
    fs: platform.fs,
    lock: platform.lock,
    file: paths.secrets,
    lockFile: join(paths.running, 'secrets.lock'),
    masterKey: platform.env['PLOINKY_MASTER_KEY'],
    onWarning: options.warn,
  })
  const variables = createVariables({ platform, paths, store, secrets, events, onWarning: options.warn })
  const token = () => operatorToken(secrets, platform.hash)
  const catalog = createCatalog({ fs: platform.fs, store, paths, assetsDir: platform.assetsDir })
  const { fs, hash, lock, processes, cwd } = platform
  const repos = createRepoService({ fs, hash, lock, processes, cwd, store, paths, secrets, events, catalog })
  const registry = createRegistry({ store, fs: platform.fs, paths, catalog, events })
  const runtimes = createRuntimes({
    engines: engineOrder(platform.os.uid),
    create: async (id) => {
      const definition = await runtimeLoaders[id]()
      return definition.create({ platform, log: log.child({ runtime: id }), stateDir: join(paths.runtimes, id) })
    },
  })
  const routes = createRoutesWriter(store)
  const planner = createPlanner({
    platform,
    paths,
    workspaceId,
    get profile() {
      return settings.profile
    },
    catalog,
    variables,
  })
  const sandbox = createSandbox({ settings, explained, env: platform.env, runtimes, registry, planner })
  const chooser = createRuntimeChooser({ settings, explained, sandbox, runtimes })
  const dependencies = createDependencies({ platform, paths, store })
  const consents = createConsents({ store, fs: platform.fs, hash: platform.hash })
  const instances = createInstances({
    platform,
    paths,
    workspaceId,
    readyTimeoutSeconds: settings.readyTimeout,
    planner,
    dependencies,
    prepareCaller: createCallerFolders({ fs, paths, hash, secrets }),
    hooks: createHookSteps({ runner: createHookRunner({ platform, paths }), consents, paths }),
    routeFinder: createRouteFinder({ platform, store }),
    registry,
    runtimes,
    routes,
    events,
  })
  const starter = createStarter({
    registry,
    instances,
    planner,
    consents,
    chooser,
    routes,
    ensureRepos: async ({ definition, manifest }, progress) => {
      await repos.ensureRepos(manifest.repos, { definition, progress })
    },
  })
  const router = createRouterDaemon({ platform, paths, events })
  const client = createRouterClient({ net: platform.net, daemon: router, token })
  const grants = createGrants({ store, events })
  const workspace = createWorkspaceService({
    platform,
    paths,
    workspaceId,
    settings,
    store,
    registry,
    instances,
    runtimes,
    starter,
    router,
    grants,
    version: VERSION,
  })
  const services: Services = {
    ...{ platform, paths, workspaceId, version: VERSION, log, events },
    settings: {
      values: settings,
      explain: () => explained,
      checkName: assertSettingName,
      set: (name, value) => changeSetting(place, name, value),
    },
    workspace,
    catalog,
    skills: createSkills({ fs: platform.fs, hash: platform.hash, store, paths, catalog }),
    scaffold: createScaffold({ fs, hash, store, paths, assetsDir: platform.assetsDir, catalog, registry }),
    repos,
    registry,
    instances,
    planner,
    starter,
    dependencies,
    runtimes,
    sandbox,
    router,
    client,
    terminals: createTerminalsClient(client),
    recordings: createRecordings({
      ...{ fs, hash, dir: paths.recordings },
      maxAgeDays: settings.recordingMaxAge,
      maxTotalBytes: settings.recordingsTotal,
    }),
    secrets,
    variables,
    grants,
    consents,
    token: { show: token, rotate: () => rotateToken(secrets, platform.hash) },
    sessions: createSessions({ store, events, log }),
    tasks: createTaskList({ fs: platform.fs, paths, registry }),
    toolLocks: createToolLocks(store),
    logs: createLogService({ platform, paths, runtimes, registry, events, workspaceId }),
    eventLog: createEventReader(fs, paths.eventLog),
    files: createFileService({
      ...{ registry, instances, events, fs, hash },
      homeOf: ({ name, mode }) => projectFolder({ agent: name, mode, paths }),
      spoolDir: join(paths.running, 'uploads'),
      maxBytes: settings.fileLimit,
    }),
    mcpEndpoints: createEndpoints(store),
    manifests: createManifestService({
      fs: platform.fs,
      catalog,
      cwd: platform.cwd(),
      get profile() {
        return settings.profile
      },
    }),
    prepareDependencies: async (agent, { progress, signal }) => {
      const [prepared] = await planner.prepare([{ agent, ...(await planner.load(agent)) }])
      if (prepared === undefined) return null
      const { definition, manifest, image } = prepared
      const adapter = await chooser.choose({ agent, manifest })
      return await dependencies.prepare({
        ...{ agent: agent.name, workspace: workspaceId, definition, image, adapter, progress, signal },
      })
    },
    explain: createExplainer({ registry, planner, catalog, runtimes, chooser, grants, paths }),
    stats: createStatsService({ runtimes, store, workspaceId }),
    metrics: null,
    sweep: (jobs) => runtimes.sweep(workspaceId, jobs),
    doctor: () =>
      runDoctor({
        platform,
        paths,
        store,
        documents: stateDocuments,
        runtimes,
        needed: sandbox.enabled ? [sandbox.runtime] : [],
        catalog,
        router,
        host: settings.host,
        port: settings.port,
      }),
    // The server is loaded where it runs: commands that only ask do not pay for it.
    serve: async (onReady, stopped, { watchdog } = { watchdog: null }) => {
      const { serveRouter } = await import('./compose-router.ts')
      principal = undefined
      if (watchdog !== null) {
        const onError = (message: string): void => platform.terminal.stderr.write(`${message}\n`)
        const writer = createLogWriter({ fs: platform.fs, path: paths.routerLog, rotation, onError })
        options.redirectLog?.((record) => writer.write(JSON.stringify(record)))
      }
      const followSettings = async (): Promise<void> => {
        const now = toSettings(await loadSettings(place, origins))
        settings.profile = now.profile
        settings.sandbox = now.sandbox
      }
      await serveRouter(
        {
          services,
          commands: options.commands,
          store,
          routes,
          watchdog,
          followSettings,
          authenticator: async () => createAuthenticator(await token(), platform.hash),
        },
        onReady,
        stopped,
      )
    },
    withFlags: (flags) => openServices({ ...options, flags: { ...options.flags, ...flags } }),
    async dispose() {
      await eventsWritten()
      await runtimes.dispose()
    },
  }
  return services
}
