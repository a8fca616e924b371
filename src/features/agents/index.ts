/** Agents: enabled definitions and their instances. */
export { createInstances, type Instances, type Launched, type StartOutcome } from './instances.ts'
export { type Endpoint, effectiveProtocol, isAnswering, isReady } from './readiness.ts'
export { createRegistry, type EnabledAgent, type Registry, unlinkFolders } from './registry.ts'
export { createRoutesWriter, type RoutesWriter } from './routes-writer.ts'
export { createRuntimes, refusals, type RuntimeChoice, type Runtimes } from './runtimes.ts'
export { agentStatuses, type AgentState, type AgentStatus, type Supervision } from './status.ts'
