/** `terminal recordings`: list, save and remove them. They are files: no router is needed. */
import { type Command, defineCommand, type Param } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Services } from '../../services.ts'

const RECORDING: Param = {
  type: 'string',
  summary: 'Name of a recording, of: terminal recordings',
  required: true,
  placeholder: 'recording',
}

const list = defineCommand<Services>({
  name: 'terminal recordings',
  summary: 'Recordings of terminals, the newest first',
  group: 'Use an agent',
  access: 'session',
  permission: 'operate',
  http: { method: 'GET', path: '/recordings' },
  run: async (_input, context) => (await context.services()).recordings.list(),
})

const save = defineCommand<Services>({
  name: 'terminal recording save',
  summary: 'Save a recording as an asciicast file',
  description: 'Over HTTP it is at /recordings/<recording>.cast.',
  group: 'Use an agent',
  positionals: ['recording', 'file'],
  params: {
    recording: RECORDING,
    file: { type: 'string', summary: 'Where to (default: <recording>.cast here)', placeholder: 'FILE' },
  },
  access: 'local',
  permission: 'operate',
  async run(input, context) {
    const { recordings, platform } = await context.services()
    const recording = String(input['recording'])
    const { path, size } = await recordings.find(recording)
    const { resolve } = await import('node:path')
    const file = resolve(platform.cwd(), typeof input['file'] === 'string' ? input['file'] : `${recording}.cast`)
    if ((await platform.fs.lstat(file)) !== null) {
      throw new PloinkyError('CONFLICT', `File "${file}" exists`, {
        hint: `Run: ploinky terminal recording save ${recording} OTHER`,
      })
    }
    await platform.fs.writeStream(file, platform.fs.readStream(path), { mode: 0o600 })
    return { recording, file, bytes: size }
  },
  render: (data) => `Saved: ${(data as { file: string }).file}`,
})

const remove = defineCommand<Services>({
  name: 'terminal recording remove',
  summary: 'Remove a recording',
  group: 'Use an agent',
  positionals: ['recording'],
  params: { recording: RECORDING },
  access: 'session',
  permission: 'operate',
  http: { method: 'DELETE', path: '/recordings/{recording}' },
  async run(input, context) {
    const recording = String(input['recording'])
    const { recordings, events } = await context.services()
    if (!(await context.confirm(`Remove the recording "${recording}"?`))) return { recording, outcome: 'kept' }
    await recordings.remove(recording)
    events.emit({ type: 'recording.removed', subject: recording, principal: context.principal })
    return { recording, outcome: 'removed' }
  },
  render: (data) => {
    const { recording, outcome } = data as { recording: string; outcome: string }
    return `${outcome === 'removed' ? 'Removed' : 'Kept'}: ${recording}`
  },
})

export const recordingCommands: readonly Command<Services>[] = [list, save, remove]
