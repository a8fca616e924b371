/** What package registries say: the exact version of this moment, and the programs of a package. */
import * as z from 'zod/mini'
import { PloinkyError } from '../../../core/error.ts'
import { parseJson } from '../../../core/json.ts'
import type { ProcessRunner } from '../../../core/process.ts'

export interface NpmPackage {
  readonly version: string
  /** Names of its programs. */
  readonly bins: readonly string[]
}

const TIMEOUT_MS = 60_000
const MAX_BYTES = 1024 * 1024
const EXACT = /^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/
const BIN = /^[\w.@+-]{1,100}$/

const npmSchema = z.object({
  version: z.string().check(z.regex(EXACT)),
  bin: z.optional(z.union([z.string(), z.record(z.string(), z.string())])),
})
const pypiSchema = z.object({ info: z.object({ version: z.string().check(z.regex(/^\d[\w.!+-]{0,63}$/)) }) })

function notFound(what: string, registry: string): PloinkyError {
  return new PloinkyError('PACKAGE_NOT_FOUND', `${registry} has no package "${what}"`, {
    hint: 'Check its name and version',
  })
}

/** What npm says about a package; null where there is no npm. */
export async function lookUpNpm(
  processes: Pick<ProcessRunner, 'run' | 'which'>,
  name: string,
  options: { range: string | null; signal: AbortSignal },
): Promise<NpmPackage | null> {
  if ((await processes.which('npm')) === null) return null
  const spec = options.range === null ? name : `${name}@${options.range}`
  const { exitCode, stdout, stderr } = await processes.run(
    { file: 'npm', args: ['view', '--json', '--', spec, 'version', 'bin'] },
    { timeoutMs: TIMEOUT_MS, signal: options.signal, maxBytes: MAX_BYTES },
  )
  if (/\bE404\b/.test(stdout + stderr) || (exitCode === 0 && stdout.trim() === '')) throw notFound(spec, 'npm')
  const json = parseJson(stdout)
  // A range gives every version in it, the newest last.
  const newest = json.ok && Array.isArray(json.value) ? json.value.at(-1) : json.ok ? json.value : null
  const found = npmSchema.safeParse(newest)
  if (exitCode !== 0 || !found.success) {
    const words = stderr.split('\n').find((line) => line.trim() !== '') ?? ''
    throw new PloinkyError('REPO_UNAVAILABLE', `npm cannot say what "${spec}" is: ${words.slice(0, 300)}`, {
      hint: `Run: npm view ${name}`,
    })
  }
  const { version, bin = {} } = found.data
  const own = typeof bin === 'string' ? [name.split('/').at(-1) ?? name] : Object.keys(bin)
  return { version, bins: own.filter((item) => BIN.test(item)) }
}

/** The newest version of a package of PyPI (https://docs.pypi.org/api/json/). */
export async function lookUpPypi(name: string, signal: AbortSignal): Promise<string> {
  const unavailable = (cause?: unknown): PloinkyError =>
    new PloinkyError('REPO_UNAVAILABLE', `PyPI cannot say what the newest version of "${name}" is`, {
      hint: `Give it: --pypi ${name}==VERSION`,
      cause,
    })
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
  const response = await fetch(`https://pypi.org/pypi/${encodeURIComponent(name)}/json`, { signal: limit }).catch(
    (error: unknown) => {
      signal.throwIfAborted()
      throw unavailable(error)
    },
  )
  if (response.status === 404) throw notFound(name, 'PyPI')
  const found = pypiSchema.safeParse(await response.json().catch(() => null))
  if (!response.ok || !found.success) throw unavailable()
  return found.data.info.version
}
