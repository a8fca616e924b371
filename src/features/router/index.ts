/** The router: its background process, its route table and its server. */
export { createRouterDaemon, type RouterDaemon, type RouterInfo } from './daemon.ts'
export { runRouter, type Router } from './server.ts'
export { type RouterHttp, type RouterOptions } from './options.ts'
