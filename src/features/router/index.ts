/** The router: its background process, its route table and its server. */
export { createRouterDaemon, type RouterDaemon, type RouterInfo } from './daemon.ts'
export { runRouter, type Router, type RouterHttp, type RouterOptions } from './server.ts'
