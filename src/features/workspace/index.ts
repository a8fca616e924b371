/** A workspace: created, started, stopped, destroyed; and its status. */
export {
  createWorkspaceService,
  type StartInput,
  type StartResult,
  type WorkspaceService,
  type WorkspaceStatus,
} from './service.ts'
export { findWorkspaceRoot } from './root.ts'
