/**
 * Files of a container as tar archives, which every engine gives and takes without a program in the container: over its API,
 * otherwise by `cp -`. Engines act with all rights in the container.
 */
import { readTar, type TarEntry } from '../../src/core/tar.ts'
import type { EngineApi } from './api.ts'
import { bufferBytes } from './bytes.ts'
import type { Engine } from './dialect.ts'
import { apiMessage } from './terminal-api.ts'

/** Kept of what the engine says on stderr. */
const MAX_SAID = 4096
const MISSING = /could not find the file|no such file or directory|could not be found|does not exist|not a directory/i

export interface OpenArchive {
  readonly entries: AsyncGenerator<TarEntry>
  /** Lets the engine go. */
  close(): void
}

export interface Archives {
  /** A file, a folder with all that is in it, or a link; null when there is nothing. */
  open(containerId: string, path: string, signal?: AbortSignal): Promise<OpenArchive | null>
  /** Unpacks into a folder; what is new belongs to the container's user. */
  put(
    containerId: string,
    folder: string,
    how: { tar: AsyncIterable<Uint8Array>; signal?: AbortSignal | undefined },
  ): Promise<void>
}

export function createArchives(engine: Engine, api: () => Promise<EngineApi | null>): Archives {
  const query = (id: string, path: string): string => `/containers/${id}/archive?path=${encodeURIComponent(path)}`

  return {
    async open(id, path, signal) {
      const abort = new AbortController()
      const both = signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal])
      const socket = await api()
      const source =
        socket === null
          ? await openByCli(engine, `${id}:${path}`, both)
          : await openByApi(engine, socket, { path: query(id, path), signal: both })
      return source === null ? null : { entries: readTar(source), close: () => abort.abort() }
    },
    async put(id, folder, { tar, signal = new AbortController().signal }) {
      const socket = await api()
      if (socket === null) return putByCli(engine, `${id}:${folder}`, { tar, signal })
      const answer = await socket.transfer('PUT', `${query(id, folder)}&copyUIDGID=true`, { body: tar, signal })
      const body = await answer.text(64 * 1024).catch(() => '')
      if (answer.status !== 200)
        throw engine.fail({ exitCode: answer.status, stderr: apiMessage(body) }, 'write a file')
    },
  }
}

async function openByApi(
  engine: Engine,
  api: EngineApi,
  { path, signal }: { path: string; signal: AbortSignal },
): Promise<AsyncIterable<Uint8Array> | null> {
  const answer = await api.transfer('GET', path, { signal })
  if (answer.status === 200) return answer.body
  const message = apiMessage(await answer.text(64 * 1024).catch(() => ''))
  // 404 without such words: the container is gone.
  if (MISSING.test(message)) return null
  throw engine.fail({ exitCode: answer.status, stderr: message }, 'read a file')
}

async function openByCli(
  engine: Engine,
  source: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array> | null> {
  const child = engine.stream(['cp', '--', source, '-'], { signal })
  const said = collectText(child.stderr)
  const iterator = bufferBytes(child.stdout).bytes[Symbol.asyncIterator]()
  const first = await iterator.next()
  if (first.done !== true) {
    child.exit.catch(() => {})
    return concatenated(first.value, iterator)
  }
  const [exitCode, stderr] = await Promise.all([child.exit, said])
  if (MISSING.test(stderr)) return null
  throw engine.fail({ exitCode, stderr }, 'read a file')
}

async function* concatenated(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

async function putByCli(
  engine: Engine,
  target: string,
  { tar, signal }: { tar: AsyncIterable<Uint8Array>; signal: AbortSignal },
): Promise<void> {
  const child = engine.stream(['cp', '--archive', '--', '-', target], { stdin: tar, signal })
  bufferBytes(child.stdout).discard()
  const [exitCode, stderr] = await Promise.all([child.exit, collectText(child.stderr)])
  if (exitCode !== 0) throw engine.fail({ exitCode, stderr }, 'write a file')
}

async function collectText(source: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of source) text = (text + decoder.decode(chunk, { stream: true })).slice(-MAX_SAID)
  return text
}
