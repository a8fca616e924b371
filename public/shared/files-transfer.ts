/** Files of an agent over the router's API: the listing, and one upload at a time with its progress. */
import { ApiError, asRecord, call, errorOf, goToSignIn, listOf, numberOr, routerUrl, textOr } from './api.ts'

export interface Entry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  readonly size: number | null
  readonly mtimeMs: number | null
}
export interface Listing {
  readonly path: string
  readonly entries: readonly Entry[]
  readonly truncated: boolean
}

const KINDS: readonly string[] = ['file', 'directory', 'symlink']
const filesPath = (agent: string): string => `api/v1/agents/${encodeURIComponent(agent)}/files`

/** Whatever else a file system holds is no file to take. */
function readEntry(value: unknown): Entry {
  const { name, kind, size, mtimeMs } = asRecord(value)
  const known = typeof kind === 'string' && KINDS.includes(kind) ? (kind as Entry['kind']) : 'other'
  const numberOrNull = (given: unknown): number | null => (typeof given === 'number' ? given : null)
  return { name: textOr(name, ''), kind: known, size: numberOrNull(size), mtimeMs: numberOrNull(mtimeMs) }
}

/** Folders first, as people look for them. */
export function readListing(body: unknown): Listing {
  const { path, entries, truncated } = asRecord(body)
  const read = listOf(entries).map(readEntry)
  const isFolder = ({ kind }: Entry): boolean => kind === 'directory'
  return {
    path: textOr(path, '/'),
    entries: [...read.filter(isFolder), ...read.filter((entry) => !isFolder(entry))],
    truncated: truncated === true,
  }
}

export async function list(agent: string, path: string): Promise<Listing> {
  return readListing(await call('GET', `${filesPath(agent)}?path=${encodeURIComponent(path)}`))
}

export const within = (folder: string, name: string): string => `${folder === '/' ? '' : folder}/${name}`

export const downloadUrl = (agent: string, path: string): string =>
  routerUrl(`${filesPath(agent)}/content?path=${encodeURIComponent(path)}`)

export interface UploadJob {
  readonly agent: string
  readonly path: string
  readonly file: Blob
  readonly overwrite: boolean
  readonly signal: AbortSignal
  onProgress(sent: number): void
}

/** Only XMLHttpRequest tells how far an upload is. ApiError; code CANCELLED when the signal aborts. */
export function upload({ agent, path, file, overwrite, signal, onProgress }: UploadJob): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const query = `path=${encodeURIComponent(path)}${overwrite ? '&overwrite=true' : ''}`
    const fail = (message: string, code: string): void => reject(new ApiError(message, { code, status: 0 }))
    request.open('PUT', `${downloadUrl(agent, path).split('?', 1)[0] ?? ''}?${query}`)
    request.setRequestHeader('accept', 'application/json')
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.responseType = 'json'
    request.upload.onprogress = ({ loaded }) => onProgress(loaded)
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) return resolve()
      if (request.status === 401) goToSignIn()
      reject(errorOf(request.status, request.response))
    }
    request.onerror = () => fail('The router cannot be reached', 'ROUTER_NOT_RUNNING')
    request.onabort = () => fail('Cancelled', 'CANCELLED')
    signal.addEventListener('abort', () => request.abort(), { once: true })
    if (signal.aborted) return fail('Cancelled', 'CANCELLED')
    request.send(file)
  })
}

export const percent = (sent: number, size: number): number =>
  size === 0 ? 100 : Math.min(100, Math.floor((numberOr(sent, 0) / size) * 100))
