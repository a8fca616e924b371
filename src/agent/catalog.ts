import type { AgentConfig, ResourceSpec, ToolSpec } from './config.ts'
import { pick } from './fields.ts'
import type { PromptSpec } from './prompts.ts'
import type { Tasks } from './tasks.ts'
import type { AgentLog, ToolRunner } from './types.ts'

/** What every instance of the MCP server shares; instances themselves are cheap and live for a session or a request. */
export interface Catalog {
  readonly agent: string
  readonly version: string
  /** What is offered now: replaced as a whole when the configuration changes, so a request reads it once. */
  offer: Offer
  /** Runs the command of a call when there is a place for it. */
  readonly run: ToolRunner
  /** The same for tasks, whose places are counted by themselves. */
  readonly runTask: ToolRunner
  readonly tasks: Tasks
  readonly log: AgentLog
  readonly now: () => number
}

export interface Offer {
  readonly config: AgentConfig
  readonly tools: ReadonlyMap<string, ToolSpec>
  readonly prompts: ReadonlyMap<string, PromptSpec>
}

export function createOffer(config: AgentConfig): Offer {
  return {
    config,
    tools: new Map(config.tools.map((tool) => [tool.name, tool])),
    prompts: new Map(config.prompts.map((prompt) => [prompt.name, prompt])),
  }
}

/** A tool as `tools/list` shows it. */
export function toolEntry(tool: ToolSpec) {
  const { name, title, description, annotations, output } = tool
  return {
    name,
    inputSchema: { ...tool.input.json, type: 'object' as const },
    ...(output === undefined || output === 'any' ? {} : { outputSchema: { ...output.json, type: 'object' as const } }),
    ...pick({ title, description, annotations }),
  }
}

/** A resource as `resources/list` and, with another name for its address, `resources/templates/list` show it. */
export const resourceTexts = ({ name, title, description, mimeType }: ResourceSpec) => ({
  name,
  mimeType,
  ...pick({ title, description }),
})

/** A prompt as `prompts/list` shows it. */
export const promptEntry = (prompt: PromptSpec) => ({
  name: prompt.name,
  ...pick({ title: prompt.title, description: prompt.description }),
  ...(prompt.arguments.length > 0 ? { arguments: prompt.arguments } : {}),
})

/** Which lists read differently in another configuration. A change of a command alone is no news for clients. */
export function changedLists(
  before: AgentConfig,
  after: AgentConfig,
): { tools: boolean; resources: boolean; prompts: boolean } {
  const differ = (view: (config: AgentConfig) => unknown): boolean =>
    JSON.stringify(view(before)) !== JSON.stringify(view(after))
  return {
    tools: differ(({ tools }) => tools.map((tool) => [toolEntry(tool), tool.access])),
    resources: differ(({ resources }) =>
      resources.map((entry) => [entry.uri, entry.template !== undefined, resourceTexts(entry)]),
    ),
    prompts: differ(({ prompts }) => prompts.map(promptEntry)),
  }
}
