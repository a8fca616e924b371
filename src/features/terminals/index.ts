/** Terminals of agents in the web: real ones, in the agent's container, which go on when nobody looks. */
export { createTerminalGateway } from './gateway.ts'
export { createTerminalsClient } from './client.ts'
export { createRecordings, type Recordings } from './recordings.ts'
export { sweepLeftovers } from './leftovers.ts'
export type { Terminals } from './service.ts'
