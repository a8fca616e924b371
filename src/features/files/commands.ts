/** `files` and `cp`: what an agent has, and copies in either direction. */
import { type Command, defineCommand, type Input } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import { isName } from '../../core/id.ts'
import type { Services } from '../../services.ts'
import type { Place } from './copy.ts'
import type { FileEntry, Folder } from '../../../runtimes/adapter.ts'

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
    const { upload, download } = await import('./copy.ts')
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

export const fileCommands: readonly Command<Services>[] = [files, cp]
