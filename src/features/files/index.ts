/** Files of agents: listed, fetched and given, by commands, over HTTP and by the page. */
export { createFileRoutes } from './routes.ts'
export { createFileService } from './service.ts'
export type { FileService } from './service.ts'
