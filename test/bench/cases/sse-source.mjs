/** An endpoint whose GET streams carry an event a second, each with the time at which it was written. */
import { createServer } from 'node:http'

createServer((request, answer) => {
  if (request.url === '/health') return answer.end('ok')
  answer.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  let id = 0
  const timer = setInterval(() => {
    id += 1
    const at = performance.timeOrigin + performance.now()
    const message = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: { id, at } } }
    answer.write(`event: message\nid: ${id}\ndata: ${JSON.stringify(message)}\n\n`)
  }, 1000)
  answer.flushHeaders()
  answer.once('close', () => clearInterval(timer))
}).listen(Number(process.env.PORT), '127.0.0.1')
