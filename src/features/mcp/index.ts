export type { McpRoutes } from './gateway.ts'
export { createMcpGateway } from './gateway.ts'
