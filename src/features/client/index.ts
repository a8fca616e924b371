/** Talking to agents as an MCP client does: through the router, with the workspace's credential. Loaded when it is used. */
export { agentOfTool, checkPrompt, listAll, type Listing, listOne, type Offer, toolOf } from './agents.ts'
export { promptArguments, toolArguments } from './arguments.ts'
export { withClient } from './connect.ts'
export { type AgentReport, reportAll } from './report.ts'
