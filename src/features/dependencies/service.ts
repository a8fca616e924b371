/**
 * One folder of installed packages for a kind of runtime and a set of needs, mounted read-only at /node_modules, where Node
 * looks from any folder. Made in a throw-away instance of the agent's own runtime and image, so that native parts fit.
 */
import { dirname, join } from 'node:path'
import { imagesDocument } from '../../config/documents.ts'
import type { WorkspacePaths } from '../../config/paths.ts'
import { PloinkyError } from '../../core/error.ts'
import { own } from '../../core/id.ts'
import { parseJson } from '../../core/json.ts'
import { keepLast, saidLast } from '../../core/last-lines.ts'
import type { Store } from '../../core/store.ts'
import type { JobSpec, RuntimeAdapter } from '../../../runtimes/adapter.ts'
import type { Platform } from '../../platform/index.ts'
import type { Definition } from '../repos/index.ts'
import { packageNeeds, type PackageNeeds } from './package.ts'
import { registryAccess } from './registry-access.ts'

const STAMP = 'stamp.json'
const STAMP_VERSION = 1
const INSTALL_DIR = '/install'
/** The original's. */
const TIMEOUT_MS = 10 * 60_000
const MAX_PACKAGE_BYTES = 4 * 1024 * 1024
/** Says what native packages depend on. */
const RUNTIME_KEY =
  "const r=process.report?.getReport?.().header??{};console.log([process.platform,process.arch,...(process.platform==='linux'?[r.glibcVersionRuntime?'glibc':'musl']:[]),'node'+process.versions.node.split('.')[0]].join('-'))"

export interface DependencyRequest {
  readonly agent: string
  readonly workspace: string
  readonly definition: Definition
  /** Its variables filled in. */
  readonly image: string
  readonly adapter: RuntimeAdapter
  readonly progress: (text: string) => void
  readonly signal?: AbortSignal | undefined
}

export interface DependencyState {
  /** `<runtime key>/<hash of what is asked for>`. */
  readonly key: string
  readonly packages: number
  readonly installedAt: string | null
  readonly valid: boolean
  readonly path: string
}

export interface Dependencies {
  /** The folder to mount, made when it is not there; null when nothing has to be. */
  prepare(request: DependencyRequest): Promise<string | null>
  list(): Promise<DependencyState[]>
  /** Names of what was removed. */
  clean(key: string | null): Promise<string[]>
}

interface Options {
  platform: Platform
  paths: WorkspacePaths
  store: Store
}

interface Need {
  readonly needs: PackageNeeds
  readonly packageJson: string
  readonly lock: string | null
  readonly hash: string
}

export function createDependencies({ platform, paths, store }: Options): Dependencies {
  const { fs, hash } = platform

  async function needOf({ codeDir }: Definition): Promise<Need | null> {
    const file = join(codeDir, 'package.json')
    const [packageJson, lock, installed] = await Promise.all([
      fs.readText(file, { maxBytes: MAX_PACKAGE_BYTES }),
      fs.readText(join(codeDir, 'package-lock.json'), { maxBytes: MAX_PACKAGE_BYTES * 4 }),
      fs.stat(join(codeDir, 'node_modules')),
    ])
    // An author who brings the packages along means those.
    if (packageJson === null || installed !== null) return null
    const needs = packageNeeds(packageJson, file)
    if (needs === null) return null
    const archives = await Promise.all(needs.files.map((path) => digest(codeDir, path)))
    const key = hash.sha256Hex([packageJson, lock ?? '', ...archives].join('\0')).slice(0, 16)
    return { needs, packageJson, lock, hash: key }
  }

  async function digest(codeDir: string, path: string): Promise<string> {
    const real = await fs.realPath(join(codeDir, path))
    if (real === null || !real.startsWith(`${codeDir}/`)) {
      throw new PloinkyError('CONFIG_INVALID', `"${path}" is not in "${codeDir}"`, {
        hint: `Correct the dependencies in ${join(codeDir, 'package.json')}`,
      })
    }
    const sum = hash.createSha256()
    for await (const chunk of fs.readStream(real)) sum.update(chunk)
    return sum.hex()
  }

  const jobSpec = (request: DependencyRequest, change: Partial<JobSpec>): JobSpec => ({
    ...{ workspace: request.workspace, agent: request.agent, image: request.image, command: null, entrypoint: [] },
    ...{ workdir: null, env: {}, mounts: [], labels: {}, user: null, network: { mode: 'default' } },
    limits: { pids: 1024, memoryBytes: null, cpus: null },
    security: {
      ...{ readOnlyRoot: false, dropCapabilities: [], addCapabilities: [] },
      ...{ privileged: false, shmBytes: null, gpus: null },
    },
    ...change,
  })

  /** Runs a program in the agent's image to its end. */
  async function job(request: DependencyRequest, change: Partial<JobSpec>, onLine: (line: string) => void) {
    const deadline = AbortSignal.timeout(TIMEOUT_MS)
    const signal = request.signal === undefined ? deadline : AbortSignal.any([request.signal, deadline])
    const session = await request.adapter.job(jobSpec(request, change), { signal })
    const decoder = new TextDecoder()
    const read = async (stream: AsyncIterable<Uint8Array>): Promise<void> => {
      let rest = ''
      for await (const chunk of stream) {
        rest += decoder.decode(chunk, { stream: true })
        const lines = rest.split('\n')
        rest = (lines.pop() ?? '').slice(-10_000)
        lines.forEach(onLine)
      }
      if (rest !== '') onLine(rest)
    }
    const [code] = await Promise.all([session.exit, read(session.stdout), read(session.stderr)])
    return code
  }

  /** Null: there is no Node, so its package.json is for something else. */
  async function runtimeKey(request: DependencyRequest): Promise<string | null> {
    // What is installed on this machine may be another version tomorrow.
    if (!request.adapter.capabilities.images) return await askNode(request)
    let image: string | null = null
    const { adapter, signal } = request
    const pulling = adapter.ensureImage(request.image, 'missing', signal === undefined ? {} : { signal })
    for (;;) {
      const step = await pulling.next()
      if (step.done === true) {
        image = step.value.id
        break
      }
      request.progress(`pulling ${request.image}: ${step.value.message}`)
    }
    const known = own((await store.read(imagesDocument)).images, image)
    if (known?.runtimeKey !== undefined) return known.runtimeKey
    const key = await askNode(request)
    await store.update(imagesDocument, ({ images }) => ({
      images: { ...images, [image]: { ...own(images, image), node: key !== null, runtimeKey: key } },
    }))
    return key
  }

  async function askNode(request: DependencyRequest): Promise<string | null> {
    const lines: string[] = []
    // Images may have no shell; a sandbox has one, and refuses a program that is not there.
    const program = request.adapter.capabilities.images
      ? { entrypoint: ['node'], command: ['-e', RUNTIME_KEY] }
      : { entrypoint: ['sh'], command: ['-c', 'exec node -e "$1"', 'ploinky', RUNTIME_KEY] }
    const code = await job(request, program, (line) => lines.push(line))
    return code === 0 && /^[\w-]{1,64}$/.test(lines[0] ?? '') ? (lines[0] ?? null) : null
  }

  async function isValid(dir: string, need: Need): Promise<boolean> {
    const text = await fs.readText(join(dir, STAMP))
    const json = text === null ? null : parseJson(text)
    const stamp = json?.ok === true ? (json.value as { version?: number; hash?: string }) : null
    if (stamp?.version !== STAMP_VERSION || stamp.hash !== need.hash) return false
    return await hasAll(dir, need.needs)
  }

  async function hasAll(dir: string, { names }: PackageNeeds): Promise<boolean> {
    const found = await Promise.all(names.map((name) => fs.stat(join(dir, 'node_modules', name, 'package.json'))))
    return found.every((item) => item !== null)
  }

  async function install(request: DependencyRequest, need: Need, dir: string): Promise<void> {
    // An install that was killed may still run, without anybody who waits for it.
    await request.adapter.sweep(request.workspace, { jobs: 'orphaned' })
    const work = `${dir}.tmp-${platform.pid}`
    await fs.remove(work)
    await fs.mkdir(work)
    try {
      await fs.writeAtomic(join(work, 'package.json'), need.packageJson)
      if (need.lock !== null) await fs.writeAtomic(join(work, 'package-lock.json'), need.lock)
      for (const path of need.needs.files) {
        await fs.mkdir(dirname(join(work, path)))
        await fs.writeStream(join(work, path), fs.readStream(join(request.definition.codeDir, path)))
      }
      const npm = need.lock === null ? ['install', '--no-package-lock'] : ['ci']
      const last: string[] = []
      const access = await registryAccess(platform)
      request.progress(`installing ${need.needs.names.length} packages`)
      const code = await job(
        request,
        {
          entrypoint: ['npm'],
          command: [...npm, '--omit=dev', '--no-audit', '--no-fund'],
          workdir: INSTALL_DIR,
          env: { ...access.env, HOME: '/tmp', npm_config_cache: '/tmp/npm', npm_config_update_notifier: 'false' },
          mounts: [{ source: work, target: INSTALL_DIR, readOnly: false }, ...access.mounts],
        },
        (line) => {
          keepLast(last, line)
          if (line.trim() !== '') request.progress(`installing packages: ${line.slice(0, 200)}`)
        },
      )
      if (code !== 0 || !(await hasAll(work, need.needs))) throw failed(request, code, last)
      const stamp = {
        version: STAMP_VERSION,
        hash: need.hash,
        packages: need.needs.names,
        installedAt: new Date().toISOString(),
      }
      await fs.writeAtomic(join(work, STAMP), `${JSON.stringify(stamp)}\n`)
      await fs.remove(dir)
      await fs.rename(work, dir)
    } finally {
      await fs.remove(work)
    }
  }

  async function prepare(request: DependencyRequest): Promise<string | null> {
    // Nothing can be mounted on plain processes: they find what this machine has.
    if (!request.adapter.capabilities.bindMounts) return null
    const need = await needOf(request.definition)
    const kind = need === null ? null : await runtimeKey(request)
    if (need === null || kind === null) return null
    const dir = join(paths.deps, kind, need.hash)
    const modules = join(dir, 'node_modules')
    if (await isValid(dir, need)) return modules
    await fs.mkdir(dirname(dir))
    const what = `installing packages of ${request.agent}`
    await platform.lock(`${dir}.lock`, { waitMs: TIMEOUT_MS, what }, async () => {
      // Somebody else may have made it while this one waited.
      if (!(await isValid(dir, need))) await install(request, need, dir)
    })
    return modules
  }

  async function list(): Promise<DependencyState[]> {
    const states: DependencyState[] = []
    for (const kind of await fs.list(paths.deps)) {
      for (const name of await fs.list(join(paths.deps, kind))) {
        if (!/^[0-9a-f]{16}$/.test(name)) continue
        const path = join(paths.deps, kind, name)
        const text = await fs.readText(join(path, STAMP))
        const json = text === null ? null : parseJson(text)
        const stamp = json?.ok === true ? (json.value as { packages?: string[]; installedAt?: string }) : null
        const packages = stamp?.packages ?? []
        states.push({
          key: `${kind}/${name}`,
          packages: packages.length,
          installedAt: stamp?.installedAt ?? null,
          valid: stamp !== null && (await hasAll(path, { names: packages, files: [] })),
          path,
        })
      }
    }
    return states
  }

  return {
    prepare,
    list,
    async clean(key) {
      const found = (await list()).filter((state) => key === null || state.key === key)
      if (key !== null && found.length === 0) {
        throw new PloinkyError('CONFIG_INVALID', `No installed packages are called "${key}"`, {
          hint: 'Run: ploinky deps status',
        })
      }
      for (const state of found) await fs.remove(state.path)
      return found.map((state) => state.key)
    },
  }
}

function failed({ agent, definition }: DependencyRequest, code: number, last: readonly string[]): PloinkyError {
  const how = code === 0 ? 'left packages out' : `ended with code ${code}`
  const isNetwork = /certificate|ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH/i.test(last.join('\n'))
  const correct = isNetwork
    ? 'Set HTTPS_PROXY, npm_config_registry or NODE_EXTRA_CA_CERTS, which are passed on'
    : `Correct ${join(definition.codeDir, 'package.json')}`
  return new PloinkyError('AGENT_FAILED', `Installing the packages of "${agent}" ${how}${saidLast(last)}`, {
    hint: `${correct}, then run: ploinky deps prepare ${agent}`,
    details: { agent, lastLines: last },
  })
}
