/** Files into and out of running agents, whatever their runtime, with a record of who did it. */
import { join, posix } from 'node:path'
import type { FileContent, Folder } from '../../../runtimes/adapter.ts'
import { PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import type { FileSystem, Hashing } from '../../platform/index.ts'
import type { EnabledAgent, Instances, Registry } from '../agents/index.ts'

export interface FileServiceOptions {
  readonly registry: Pick<Registry, 'get'>
  readonly instances: Pick<Instances, 'running'>
  /** The folder that an agent works on, as it sees it: where relative paths begin. */
  readonly homeOf: (agent: EnabledAgent) => string
  readonly events: EventBus
  readonly fs: Pick<FileSystem, 'mkdir' | 'readStream' | 'remove' | 'writeStream'>
  readonly hash: Pick<Hashing, 'randomToken'>
  /** Where a file of unknown size waits until all of it is here. */
  readonly spoolDir: string
  /** Largest file that is written, in bytes. */
  readonly maxBytes: number
}

interface Call {
  readonly agent: string
  /** Absolute, or relative to the agent's working folder. */
  readonly path: string
  readonly principal: string
  readonly signal?: AbortSignal | undefined
}

export interface Upload {
  /** Null: not known before its end. */
  readonly size: number | null
  readonly bytes: AsyncIterable<Uint8Array>
  readonly overwrite: boolean
}

export interface FileService {
  readonly maxBytes: number
  list(call: Omit<Call, 'principal'>): Promise<Folder>
  /** The bytes are to be read, or left: they hold a connection. */
  read(call: Call): Promise<FileContent>
  write(call: Call, upload: Upload): Promise<{ path: string; size: number; replaced: boolean }>
}

export function createFileService(options: FileServiceOptions): FileService {
  const { events, fs, maxBytes } = options

  async function open({ agent, path, signal }: Pick<Call, 'agent' | 'path' | 'signal'>) {
    const enabled = await options.registry.get(agent)
    const { adapter, workload } = await options.instances.running(enabled)
    const call = signal === undefined ? {} : { signal }
    return { files: adapter.files, name: workload.name, path: posix.resolve(options.homeOf(enabled), path), call }
  }

  const tooLarge = (): PloinkyError =>
    new PloinkyError('REQUEST_TOO_LARGE', `File larger than ${maxBytes} bytes`, {
      hint: 'Raise the limit: ploinky config fileLimit BYTES',
      details: { maxBytes },
    })

  /** Bytes of a known size: engines want to know before the first one. */
  async function spooled(
    upload: Upload,
  ): Promise<{ size: number; bytes: AsyncIterable<Uint8Array>; end(): Promise<void> }> {
    const { size, bytes } = upload
    if (size !== null) return { size, bytes, end: async () => {} }
    await fs.mkdir(options.spoolDir, { mode: 0o700 })
    const path = join(options.spoolDir, options.hash.randomToken(12))
    try {
      const written = await fs.writeStream(path, bytes, { mode: 0o600, maxBytes, sync: false })
      return { size: written, bytes: written === 0 ? none() : fs.readStream(path), end: () => fs.remove(path) }
    } catch (error) {
      throw (error as { code?: unknown }).code === 'REQUEST_TOO_LARGE' ? tooLarge() : error
    }
  }

  return {
    maxBytes,
    async list(asked) {
      const { files, name, path, call } = await open(asked)
      return await files.list(name, path, call)
    },
    async read(asked) {
      const { files, name, path, call } = await open(asked)
      const found = await files.read(name, path, call)
      const { agent, principal } = asked
      events.emit({ type: 'file.downloaded', subject: agent, principal, data: { path: found.path, size: found.size } })
      return found
    },
    async write(asked, upload) {
      if (upload.size !== null && upload.size > maxBytes) throw tooLarge()
      const { files, name, path, call } = await open(asked)
      const { size, bytes, end } = await spooled(upload)
      try {
        const written = await files.write(name, { path, size, bytes, overwrite: upload.overwrite }, call)
        const { agent, principal } = asked
        events.emit({ type: 'file.uploaded', subject: agent, principal, data: { ...written, size } })
        return { ...written, size }
      } finally {
        await end()
      }
    },
  }
}

async function* none(): AsyncGenerator<Uint8Array> {}
