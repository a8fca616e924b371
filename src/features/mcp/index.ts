export type { McpRoutes } from './types.ts'
export type { Endpoints } from './endpoints.ts'
export { createMcpGateway } from './gateway.ts'
