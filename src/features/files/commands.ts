/** `files` and `cp`: what an agent has, and copies in either direction. */
import { basename, dirname, join, posix, resolve } from 'node:path'
import { type Command, type CommandContext, defineCommand, type Input } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import { isName } from '../../core/id.ts'
import type { Services } from '../../services.ts'
import type { FileEntry, Folder } from '../../../runtimes/adapter.ts'

const PROGRESS_MS = 1000

const text = (input: Input, name: string): string => String(input[name] ?? '')

const MARKS: Readonly<Record<FileEntry['kind'], string>> = { directory: '/', symlink: '@', other: '?', file: '' }

function listed({ name, kind, size, mtimeMs }: FileEntry): string {
  const time = mtimeMs === null ? '' : new Date(mtimeMs).toISOString().slice(0, 16).replace('T', ' ')
  return `${(size === null ? '' : String(size)).padStart(12)}  ${time.padEnd(16)}  ${name}${MARKS[kind]}`
}

const files = defineCommand<Services>({
  name: 'files',
  summary: 'List a folder of an agent',
  group: 'Use an agent',
  positionals: ['agent', 'path'],
  params: {
    agent: {
      type: 'string',
      summary: 'Name of a running agent',
      required: true,
      complete: 'agents',
      placeholder: 'agent',
    },
    path: { type: 'string', summary: 'Folder in the agent (default: its working folder)', placeholder: 'path' },
  },
  examples: [{ run: 'ploinky files demo /tmp', does: 'names, sizes and times; "/" marks folders, "@" links' }],
  access: 'session',
  permission: 'operate',
  http: { method: 'GET', path: '/agents/{agent}/files' },
  async run(input, context) {
    const services = await context.services()
    const path = text(input, 'path') || '.'
    return await services.files.list({ agent: text(input, 'agent'), path, signal: context.signal })
  },
  render: (data) => {
    const { path, entries, truncated } = data as Folder
    return [path, ...entries.map(listed), ...(truncated ? ['  ... and more'] : [])].join('\n')
  },
})

interface Place {
  /** Null: on this machine. */
  readonly agent: string | null
  readonly path: string
}

/** `agent:path`; everything else is a path of this machine, as is `./odd:name`. */
function placeOf(word: string): Place {
  const colon = word.indexOf(':')
  const agent = word.slice(0, Math.max(0, colon))
  return isName(agent) ? { agent, path: word.slice(colon + 1) || '.' } : { agent: null, path: word }
}

const cp = defineCommand<Services>({
  name: 'cp',
  summary: 'Copy a file into an agent, or out of one',
  description:
    'One of the two is "agent:path", where a relative path begins in the working folder of the agent. There is the whole file at the end, or what was there before.',
  group: 'Use an agent',
  positionals: ['source', 'target'],
  params: {
    source: { type: 'string', summary: 'File, or agent:path', required: true, placeholder: 'source' },
    target: { type: 'string', summary: 'File or folder, or agent:path', required: true, placeholder: 'target' },
    overwrite: { type: 'boolean', summary: 'Replace what is there' },
  },
  examples: [
    { run: 'ploinky cp notes.txt demo:/tmp/', does: 'into a folder of the agent' },
    { run: 'ploinky cp demo:/etc/os-release .', does: 'out of it' },
  ],
  access: 'local',
  permission: 'operate',
  async run(input, context) {
    const services = await context.services()
    const [source, target] = [placeOf(text(input, 'source')), placeOf(text(input, 'target'))]
    const copy = { source, target, overwrite: input['overwrite'] === true }
    if (source.agent === null && target.agent !== null) return await upload(services, context, copy)
    if (source.agent !== null && target.agent === null) return await download(services, context, copy)
    throw new PloinkyError('USAGE_INVALID', 'One of source and target must be in an agent, the other on this machine', {
      hint: 'For example: ploinky cp notes.txt demo:/tmp/',
    })
  },
  render: (data) => {
    const { to, size } = data as { to: string; size: number }
    return `Copied: ${to} (${size} bytes)`
  },
})

interface Copy {
  readonly source: Place
  readonly target: Place
  readonly overwrite: boolean
}
type Context = CommandContext<Services>

async function upload({ files: service, platform }: Services, context: Context, { source, target, overwrite }: Copy) {
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

async function download({ files: service, platform }: Services, context: Context, { source, target, overwrite }: Copy) {
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

export const fileCommands: readonly Command<Services>[] = [files, cp]
