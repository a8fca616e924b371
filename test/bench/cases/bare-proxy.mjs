/** The least that a proxy in Node can be: kept connections on both sides, nothing looked at. */
import { Agent, createServer, request } from 'node:http'

const agent = new Agent({ keepAlive: true, maxSockets: 1024 })
const upstream = { host: '127.0.0.1', port: Number(process.env.UPSTREAM_PORT), agent }

createServer((incoming, answer) => {
  if (incoming.url === '/health') return answer.end('ok')
  const { method, url: path, headers } = incoming
  const outgoing = request({ ...upstream, method, path, headers }, (response) => {
    answer.writeHead(response.statusCode, response.headers)
    response.pipe(answer)
  })
  outgoing.once('error', () => answer.destroy())
  incoming.pipe(outgoing)
}).listen(Number(process.env.PORT), '127.0.0.1')
