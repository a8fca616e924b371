/** `init agent`: a new agent that starts at once. */
import { type Command, defineCommand } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import { nearest } from '../../core/id.ts'
import type { Services } from '../../services.ts'
import type { CreatedAgent, Part, Template } from './index.ts'

// The lists again: help must not load the feature. A test compares them.
const TEMPLATES: readonly Template[] = ['node', 'python', 'shell']
const PARTS: readonly Part[] = ['tools', 'chat']

/** `tools,chat`: order and repetition do not matter. */
export function parseParts(text: string): ReadonlySet<Part> {
  const words = text.split(',').map((word) => word.trim())
  const wrong = words.find((word) => !PARTS.some((part) => part === word))
  if (wrong === undefined) return new Set(words as Part[])
  const near = nearest(wrong, PARTS)
  throw new PloinkyError(
    'USAGE_INVALID',
    `Unknown part ${JSON.stringify(wrong.slice(0, 80))}: expected "tools", "chat" or both`,
    {
      hint: near === null ? 'Run: ploinky help init agent' : `Did you mean "${near}"?`,
      details: { found: wrong.slice(0, 80), expected: PARTS },
    },
  )
}

const initAgent = defineCommand<Services>({
  name: 'init agent',
  summary: 'Make a new agent from a template',
  description:
    'Makes .ploinky/repos/local/<name>: a manifest, two MCP tools and a chat program, ready to start and yours to change. Nothing that exists is overwritten.',
  group: 'Agents',
  positionals: ['name'],
  params: {
    name: { type: 'string', summary: 'Name of the new agent', required: true, placeholder: 'name' },
    template: { type: 'string', summary: 'Language (default: node)', choices: TEMPLATES },
    with: { type: 'string', summary: 'What it comes with: tools, chat or both (default)', placeholder: 'PARTS' },
    repo: { type: 'string', summary: 'Repository (default: local)', complete: 'repos', placeholder: 'REPO' },
  },
  examples: [
    { run: 'ploinky init agent helper', does: 'an agent in Node with tools and a chat program' },
    { run: 'ploinky init agent helper --template shell --with tools', does: 'tools in shell, nothing else' },
  ],
  access: 'local',
  permission: 'admin',
  async run(input, context) {
    const { workspace, scaffold } = await context.services()
    const parts = parseParts(String(input['with'] ?? PARTS.join(',')))
    await workspace.init()
    return await workspace.exclusive('ploinky init agent', () =>
      scaffold.create({
        name: String(input['name']),
        template: (input['template'] ?? 'node') as Template,
        parts,
        repo: String(input['repo'] ?? 'local'),
      }),
    )
  },
  render: (data) => {
    const { agent, path, parts } = data as CreatedAgent
    const talk = parts.includes('chat') ? `, then: ploinky cli ${agent}` : ''
    return `Made and enabled: ${agent}\nFiles: ${path}\nNext: ploinky start ${agent}${talk}`
  },
})

export const scaffoldCommands: readonly Command<Services>[] = [initAgent]
