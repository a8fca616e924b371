/** `mcp endpoint`: what is served at `/mcp/<name>`. */
import { defineCommand, type Input, type Param } from '../../cli/command.ts'
import type { VirtualEndpoint } from '../../config/documents.ts'
import type { Services } from '../../services.ts'

const nameParam: Param = { type: 'string', summary: 'Name of the endpoint', required: true, placeholder: 'name' }
const text = (input: Input, name: string): string => String(input[name] ?? '')
const words = (input: Input, name: string): string[] =>
  text(input, name)
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')

/** `a=Text; b=Another; with a semicolon`: a part begins where a name and an equals sign follow the semicolon. */
const descriptions = (input: Input): string[] =>
  text(input, 'description')
    .split(/;\s*(?=[A-Za-z0-9_./-]+=)/)
    .filter((part) => part !== '')

interface Told extends VirtualEndpoint {
  readonly endpoint: string
  readonly path: string
}

const told = (name: string, endpoint: VirtualEndpoint): Told => ({ endpoint: name, path: `/mcp/${name}`, ...endpoint })

function render(data: unknown): string {
  const { path, tools, prompts, resources } = data as Told
  const named = (what: string, list: Told['tools']): string[] =>
    list.map(({ agent, name, as, description }) =>
      [
        `  ${what} ${as}`,
        as === name ? `(${agent})` : `(${agent}/${name})`,
        ...(description === null ? [] : [description]),
      ].join('  '),
    )
  return [
    path,
    ...named('tool    ', tools),
    ...named('prompt  ', prompts),
    ...resources.map(({ agent, uri }) => `  resource ${uri}  (${agent})`),
  ].join('\n')
}

const create = defineCommand<Services>({
  name: 'mcp endpoint create',
  summary: 'Serve chosen tools of several agents at an address of their own',
  description:
    'What is not chosen is not there. Agents need not run, or be enabled, yet: clients hear which are missing, and that a tool is not there.',
  group: 'Agents',
  positionals: ['name'],
  params: {
    name: nameParam,
    tools: { type: 'string', summary: 'agent/tool or agent/tool=newname, comma separated', placeholder: 'LIST' },
    prompts: { type: 'string', summary: 'agent/prompt or agent/prompt=newname, comma separated', placeholder: 'LIST' },
    resources: { type: 'string', summary: 'agent/URI, or agent/* for all, comma separated', placeholder: 'LIST' },
    description: {
      type: 'string',
      summary: 'Other descriptions: newname=text, several divided by ";"',
      placeholder: 'TEXT',
    },
    replace: { type: 'boolean', summary: 'Also when there is an endpoint of that name' },
  },
  examples: [
    { run: 'ploinky mcp endpoint create talk --tools demo/echo=say,demo/time', does: 'two tools at /mcp/talk' },
    {
      run: 'ploinky mcp endpoint create ops --tools ploinky/status,shell/run --description "run=Runs a command line in the sandbox"',
      does: 'with another description',
    },
  ],
  access: 'session',
  permission: 'admin',
  http: { method: 'POST', path: '/mcp/endpoints' },
  async run(input, context) {
    const { workspace, mcpEndpoints } = await context.services()
    await workspace.init()
    const name = text(input, 'name')
    return told(
      name,
      await mcpEndpoints.create(name, {
        ...{ tools: words(input, 'tools'), prompts: words(input, 'prompts'), resources: words(input, 'resources') },
        ...{ descriptions: descriptions(input), replace: input['replace'] === true },
      }),
    )
  },
  render,
})

const list = defineCommand<Services>({
  name: 'mcp endpoint list',
  summary: 'Addresses that serve a part of what the agents offer',
  group: 'Agents',
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/mcp/endpoints' },
  async run(_input, context) {
    const all = await (await context.services()).mcpEndpoints.list()
    return Object.entries(all).map(([endpoint, { tools, prompts, resources }]) => ({
      ...{ endpoint, path: `/mcp/${endpoint}` },
      ...{ tools: tools.length, prompts: prompts.length, resources: resources.length },
    }))
  },
})

const show = defineCommand<Services>({
  name: 'mcp endpoint show',
  summary: 'What one of these addresses serves',
  group: 'Agents',
  positionals: ['name'],
  params: { name: nameParam },
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/mcp/endpoints/{name}' },
  async run(input, context) {
    const name = text(input, 'name')
    return told(name, await (await context.services()).mcpEndpoints.get(name))
  },
  render,
})

const remove = defineCommand<Services>({
  name: 'mcp endpoint remove',
  summary: 'Serve nothing at such an address any more',
  group: 'Agents',
  positionals: ['name'],
  params: { name: nameParam },
  access: 'session',
  permission: 'admin',
  http: { method: 'DELETE', path: '/mcp/endpoints/{name}' },
  async run(input, context) {
    const name = text(input, 'name')
    await (await context.services()).mcpEndpoints.remove(name)
    return { endpoint: name, outcome: 'removed' }
  },
  render: (data) => `Removed: /mcp/${(data as { endpoint: string }).endpoint}`,
})

export const endpointCommands = [create, list, show, remove]
