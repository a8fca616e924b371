/** Commands on settings, and `doctor`. */
import { type Command, defineCommand, type Input } from '../../cli/command.ts'
import type { CheckResult } from '../doctor/index.ts'
import type { Services } from '../../services.ts'

const text = (input: Input, name: string): string | null =>
  typeof input[name] === 'string' ? (input[name] as string) : null

const config = defineCommand<Services>({
  name: 'config',
  summary: 'Show settings, or set one for this workspace',
  group: 'Settings',
  positionals: ['name', 'value'],
  params: {
    name: { type: 'string', summary: 'Setting; without it all of them', complete: 'settings', placeholder: 'name' },
    value: { type: 'string', summary: 'New value', placeholder: 'value' },
    unset: { type: 'boolean', summary: 'Remove the workspace’s value' },
  },
  examples: [
    { run: 'ploinky config port 9000', does: 'the router listens on port 9000 from the next start on' },
    { run: 'ploinky config runtime --unset', does: 'back to the default' },
  ],
  access: 'session',
  permission: 'admin',
  http: { method: 'PUT', path: '/settings/{name}' },
  async run(input, context) {
    const { settings } = await context.services()
    const [name, value] = [text(input, 'name'), text(input, 'value')]
    if (name !== null && (value !== null || input['unset'] === true)) {
      const { name: set, value: now, from } = await settings.set(name, value)
      return { name: set, value: now, from }
    }
    const wanted = name === null ? null : settings.checkName(name)
    const shown = settings.explain().filter((item) => wanted === null || item.name === wanted)
    return Object.fromEntries(shown.map((item) => [item.name, item.value]))
  },
})

const explain = defineCommand<Services>({
  name: 'config explain',
  summary: 'Every setting with its value and where it comes from',
  group: 'Settings',
  access: 'session',
  permission: 'admin',
  http: { method: 'GET', path: '/settings' },
  run: async (_input, context) =>
    (await context.services()).settings
      .explain()
      .map(({ name, value, source, from, summary }) => ({ name, value, source, from, summary })),
})

const doctor = defineCommand<Services>({
  name: 'doctor',
  summary: 'Check engines, files, port and installation',
  group: 'Settings',
  access: 'session',
  permission: 'admin',
  http: { method: 'GET', path: '/doctor' },
  run: async (_input, context) => await (await context.services()).doctor(),
  render: (data, out) => {
    const marks: Record<CheckResult['result'], [string, number]> = {
      ok: ['ok  ', 32],
      warning: ['warn', 33],
      failed: ['FAIL', 31],
      'not made': ['?   ', 33],
    }
    return (data as CheckResult[])
      .map(({ check, result, detail, hint }) => {
        const [mark, color] = marks[result]
        const head = `${out.color ? `\u001b[${color}m${mark}\u001b[0m` : mark}  ${check}: ${detail}`
        return hint === null ? head : `${head}\n      ${hint}`
      })
      .join('\n')
  },
  // A missing second engine is a warning; a failure is one.
  exitCode: (data) => ((data as CheckResult[]).some(({ result }) => result === 'failed') ? 3 : 0),
})

export const settingsCommands: readonly Command<Services>[] = [config, explain, doctor]
