/** An archive from the web, into a file. */
import { isPloinkyError, PloinkyError } from '../../core/error.ts'
import type { FileSystem, Hashing } from '../../platform/index.ts'
import { openCredentials, type Source } from './source.ts'

/** Packed. */
const MAX_BYTES = 256 * 1024 * 1024
const TIMEOUT_MS = 15 * 60_000

interface DownloadOptions {
  fs: FileSystem
  hash: Hashing
  progress?: ((text: string) => void) | undefined
  signal?: AbortSignal | undefined
}

/** Gives the SHA-256 of what was written to `path`, which must not exist. */
export async function download(source: Source, path: string, options: DownloadOptions): Promise<string> {
  const response = await ask(source, options.signal)
  if (!response.ok || response.body === null) throw refused(source, response.status)
  if (source.location.startsWith('https:') && !response.url.startsWith('https:'))
    throw unavailable(source, 'it leads to an address without encryption')
  const sum = options.hash.createSha256()
  let size = 0
  const onChunk = (chunk: Uint8Array): void => {
    size += chunk.byteLength
    sum.update(chunk)
    options.progress?.(`downloaded ${(size / 1024 / 1024).toFixed(1)} MiB`)
  }
  try {
    await options.fs.writeStream(path, response.body, { maxBytes: MAX_BYTES, onChunk, sync: false })
  } catch (error) {
    if (options.signal?.aborted === true) throw interrupted(error)
    throw isPloinkyError(error) ? error : unavailable(source, 'it ended early', error)
  }
  return sum.hex()
}

async function ask(source: Source, signal: AbortSignal | undefined): Promise<Response> {
  const { user, password, query } = openCredentials(source.auth)
  const basic = btoa(String.fromCharCode(...new TextEncoder().encode(`${user}:${password}`)))
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  try {
    return await fetch(`${source.location}${query}`, {
      headers: user === '' && password === '' ? {} : { authorization: `Basic ${basic}` },
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    })
  } catch (error) {
    if (signal?.aborted === true) throw interrupted(error)
    const { cause } = error as { cause?: { code?: unknown } }
    throw unavailable(source, typeof cause?.code === 'string' ? cause.code : 'no answer', error)
  }
}

const interrupted = (cause: unknown): PloinkyError => new PloinkyError('INTERRUPTED', 'Interrupted', { cause })

function unavailable(source: Source, problem: string, cause?: unknown): PloinkyError {
  return new PloinkyError('REPO_UNAVAILABLE', `Cannot download ${source.location}: ${problem}`, {
    hint: `Try it by hand: curl -fLO ${source.location}`,
    details: { source: source.location },
    ...(cause === undefined ? {} : { cause }),
  })
}

function refused(source: Source, status: number): PloinkyError {
  if (status !== 404 && status !== 410) return unavailable(source, `the server answered ${status}`)
  return new PloinkyError('REPO_NOT_FOUND', `No archive at ${source.location}`, {
    hint: `Check the address: curl -fLI ${source.location}`,
    details: { source: source.location, status },
  })
}
