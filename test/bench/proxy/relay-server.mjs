/** The bare relay on a port: what the data plane costs without a router around it. Bundled by the bench. */
import { createServer } from 'node:http'
import process from 'node:process'
import { createDataPlane } from '../../../src/platform/relay/index.ts'

const target = { host: '127.0.0.1', port: Number(process.env.UPSTREAM_PORT) }
const plane = createDataPlane()
const strip = new Set(['authorization', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'])
const fail = (out, failure) => {
  out.writeHead(502)
  out.end(failure.message)
}
const server = createServer({ maxHeaderSize: 65_536, requestTimeout: 0, keepAliveTimeout: 300_000 }, (inc, out) => {
  const add = [
    ['X-Forwarded-For', inc.socket.remoteAddress ?? ''],
    ['X-Forwarded-Proto', 'http'],
  ]
  plane.relay(inc, out, target, { path: inc.url ?? '/', strip, add, fail })
})
server.listen(Number(process.env.PORT), '127.0.0.1')
