/** A workspace: created, started, stopped, destroyed; and its status. */
export { createWorkspaceService, type WorkspaceService, type WorkspaceStatus } from './service.ts'
export { findWorkspaceRoot } from './root.ts'
export { createStarter, type Starter, type StartInput, type StartResult } from './start-agents.ts'
