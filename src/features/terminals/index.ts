/** Terminals of agents in the web: real ones, in the agent's container, which go on when nobody looks. */
export { createTerminalGateway } from './gateway.ts'
export type { TerminalManager, TerminalTarget } from './manager.ts'
