/** Agents that call agents: who they are, what they may call, and how they reach the router. */
export { type CallGate, createCallGate } from './admit.ts'
export { grantName } from './grant-name.ts'
export { createGrants, type Grant, type Grants } from './grants.ts'
export { createInvocations, type InvocationMaker, subjectOf } from './invocations.ts'
export { agentSecret, claimedAgent, createKeyRing } from './keys.ts'
export { AGENT_FOLDER, AGENT_VARIABLES, createCallerFolders, folderOf } from './folder.ts'
export { type CallPolicy, createCallPolicy } from './policy.ts'
export { createDoors } from './doors.ts'
