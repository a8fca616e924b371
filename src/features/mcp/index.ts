export type { McpRoutes } from './gateway.ts'
export type { Endpoints } from './endpoints.ts'
export { createMcpGateway } from './gateway.ts'
