/** `ploinky doctor`: what works here, what does not, and what to do. A check that could not be made says so. */
import type { WorkspacePaths } from '../../config/paths.ts'
import type { DocumentSpec, Store } from '../../core/store.ts'
import { asPloinkyError } from '../../core/error.ts'
import type { Platform } from '../../platform/index.ts'
import type { RuntimeId } from '../../../runtimes/adapter.ts'
import type { Runtimes } from '../agents/index.ts'
import type { Catalog } from '../repos/index.ts'
import type { RouterDaemon } from '../router/index.ts'

export interface CheckResult {
  readonly check: string
  readonly result: 'ok' | 'warning' | 'failed' | 'not made'
  readonly detail: string
  readonly hint: string | null
}

export interface DoctorOptions {
  platform: Platform
  paths: WorkspacePaths
  store: Store
  documents: readonly DocumentSpec<unknown>[]
  runtimes: Runtimes
  /** Runtimes without which some agents of this workspace do not start. */
  needed: readonly RuntimeId[]
  catalog: Catalog
  router: RouterDaemon
  host: string
  port: number
}

const ok = (check: string, detail: string): CheckResult => ({ check, result: 'ok', detail, hint: null })

async function guarded(check: string, run: () => Promise<CheckResult[]>): Promise<CheckResult[]> {
  try {
    return await run()
  } catch (error) {
    const { message, hint } = asPloinkyError(error)
    return [{ check, result: 'failed', detail: message, hint: hint ?? null }]
  }
}

async function checkRuntimes({ runtimes, needed }: DoctorOptions): Promise<CheckResult[]> {
  const [survey, others] = await Promise.all([runtimes.survey(), Promise.all(needed.map(runtimes.look))])
  const usable = survey.some(({ detection }) => detection.available)
  const found = [...survey, ...others.filter(({ id }) => survey.every((item) => item.id !== id))]
  return found.flatMap(({ id, displayName, detection }): CheckResult[] => {
    if (!detection.available) {
      // One engine is enough: a second one that is missing is not a fault.
      return [
        {
          check: displayName,
          result: usable && !needed.includes(id) ? 'warning' : 'failed',
          detail: detection.message,
          hint: detection.hint,
        },
      ]
    }
    const notes = detection.notes.map((note): CheckResult => ({
      check: displayName,
      result: 'warning',
      detail: note,
      hint: null,
    }))
    return [
      ok(displayName, `${detection.version} at ${detection.endpoint}${detection.rootless ? ' (rootless)' : ''}`),
      ...notes,
    ]
  })
}

async function checkPort({ platform, router, host, port }: DoctorOptions): Promise<CheckResult[]> {
  const running = await router.info()
  if (running !== null) return [ok('router', `running as process ${running.pid} on port ${running.port}`)]
  if (!(await platform.net.isListening(host, port, 500))) return [ok('port', `${port} is free on ${host}`)]
  const owner = await platform.processes.listenerOf(port)
  const who = owner === null ? 'another program' : `process ${owner.pid} (${owner.command.slice(0, 100)})`
  return [
    {
      check: 'port',
      result: 'failed',
      detail: `${port} is taken by ${who}`,
      hint: `Run: ploinky start --port ${port + 1}`,
    },
  ]
}

async function checkFiles({ platform, paths, store, documents }: DoctorOptions): Promise<CheckResult[]> {
  if ((await platform.fs.stat(paths.dir)) === null) {
    return [
      { check: 'workspace', result: 'warning', detail: `no workspace at ${paths.root}`, hint: 'Run: ploinky init' },
    ]
  }
  const states = await Promise.all(
    documents.map((document) =>
      guarded(document.name, async () => [ok(document.name, (await store.read(document), 'readable'))]),
    ),
  )
  const broken = (await platform.fs.list(paths.dir)).filter((name) => /\.broken-\d{4}-/.test(name))
  const kept: CheckResult[] = broken.map((name) => ({
    check: 'kept aside',
    result: 'warning',
    detail: `${name}: it could not be read and was replaced from its backup`,
    hint: `Look into it, then: rm ${paths.dir}/${name}`,
  }))
  const secrets = await platform.fs.stat(paths.secrets)
  const open = secrets !== null && (secrets.mode & 0o077) !== 0
  const secretCheck: CheckResult = open
    ? {
        check: 'secrets',
        result: 'failed',
        detail: '.ploinky/.secrets can be read by others',
        hint: 'Run: chmod 600 .ploinky/.secrets',
      }
    : ok('secrets', secrets === null ? 'none yet' : 'readable by you only')
  return [ok('workspace', paths.root), ...states.flat(), ...kept, secretCheck]
}

async function checkAssets({ platform }: DoctorOptions): Promise<CheckResult[]> {
  const missing: string[] = []
  for (const part of [
    'Agent/server/AgentServer.sh',
    'Agent/server/AgentServer.mjs',
    'public/dashboard/index.html',
    'repositories/builtin/demo/manifest.json',
    'repositories/templates/node/manifest.json',
  ]) {
    if ((await platform.fs.stat(`${platform.assetsDir}/${part}`)) === null) missing.push(part)
  }
  if (missing.length === 0) return [ok('installation', platform.assetsDir)]
  return [
    {
      check: 'installation',
      result: 'failed',
      detail: `missing: ${missing.join(', ')}`,
      hint: 'Run: npm run build, or install ploinky again',
    },
  ]
}

export async function runDoctor(options: DoctorOptions): Promise<CheckResult[]> {
  const { platform } = options
  const groups = await Promise.all([
    Promise.resolve([
      ok(
        'runtime',
        `${platform.runtime.name} ${platform.runtime.version} on ${platform.os.platform} ${platform.os.arch}`,
      ),
    ]),
    guarded('installation', () => checkAssets(options)),
    guarded('workspace', () => checkFiles(options)),
    guarded('repositories', async () => [
      ok(
        'repositories',
        `${(await options.catalog.definitions()).length} agents in ${(await options.catalog.repos()).length} repositories`,
      ),
    ]),
    guarded('engines', () => checkRuntimes(options)),
    guarded('port', () => checkPort(options)),
  ])
  return groups.flat()
}
