export type { McpRoutes } from './types.ts'
export { createMcpGateway } from './gateway.ts'
