/** Copies a file between this machine and an agent. */
import { basename, dirname, join, posix, resolve } from 'node:path'
import type { CommandContext } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Services } from '../../services.ts'

const PROGRESS_MS = 1000

export interface Place {
  /** Null: on this machine. */
  readonly agent: string | null
  readonly path: string
}

interface Copy {
  readonly source: Place
  readonly target: Place
  readonly overwrite: boolean
}
type Context = CommandContext<Services>

/** From this machine into an agent. */
export async function upload(
  { files: service, platform }: Services,
  context: Context,
  { source, target, overwrite }: Copy,
) {
  const from = resolve(platform.cwd(), source.path)
  const info = await platform.fs.stat(from)
  if (info === null)
    throw new PloinkyError('FILE_NOT_FOUND', `No such file: "${source.path}"`, { hint: 'Name a file of this machine' })
  if (info.kind !== 'file') throw noFile(source.path)
  const agent = target.agent ?? ''
  const { signal, principal } = context
  const isFolder =
    /(?:^|\/)\.{0,2}$/.test(target.path) ||
    (await service.list({ agent, path: target.path, signal }).then(
      () => true,
      () => false,
    ))
  const path = isFolder ? posix.join(target.path, basename(from)) : target.path
  const bytes = info.size === 0 ? nothing() : reported(platform.fs.readStream(from), info.size, context)
  const written = await service.write({ agent, path, principal, signal }, { size: info.size, bytes, overwrite })
  return { from: source.path, to: `${agent}:${written.path}`, size: written.size, replaced: written.replaced }
}

/** From an agent to this machine; there is the whole file at the end, or what was there before. */
export async function download(
  { files: service, platform }: Services,
  context: Context,
  { source, target, overwrite }: Copy,
) {
  const { fs } = platform
  const place = resolve(platform.cwd(), target.path)
  const isFolder = target.path.endsWith('/') || (await fs.stat(place))?.kind === 'directory'
  const to = isFolder ? join(place, basename(source.path)) : place
  const there = await fs.lstat(to)
  if (there?.kind === 'directory') throw noFile(to)
  if (there !== null && !overwrite)
    throw new PloinkyError('CONFLICT', `There is a file already: "${to}"`, {
      hint: 'Add --overwrite, or choose another name',
    })
  const { signal, principal } = context
  const found = await service.read({ agent: source.agent ?? '', path: source.path, principal, signal })
  const temporary = join(dirname(to), `.${platform.hash.randomToken(9)}.part`)
  await fs.writeStream(temporary, reported(found.bytes, found.size, context), { mode: 0o644 })
  try {
    await fs.rename(temporary, to)
  } catch (error) {
    await fs.remove(temporary)
    throw error
  }
  return { from: `${source.agent}:${found.path}`, to, size: found.size, replaced: there !== null }
}

const noFile = (path: string): PloinkyError =>
  new PloinkyError('USAGE_INVALID', `Not a file: "${path}"`, {
    hint: 'One file is copied at a time; pack a folder first: tar -cf folder.tar folder',
  })

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** The same bytes; what takes longer than a second is told of. */
async function* reported(bytes: AsyncIterable<Uint8Array>, size: number, { out }: Context): AsyncGenerator<Uint8Array> {
  let done = 0
  let next = Date.now() + PROGRESS_MS
  for await (const chunk of bytes) {
    yield chunk
    done += chunk.byteLength
    if (Date.now() < next) continue
    next = Date.now() + PROGRESS_MS
    out.progress(`${Math.floor((done / size) * 100)} % of ${size} bytes`, 'cp')
  }
}
