// The least that can be a terminal in a browser: `ws` and a pseudo-terminal of the engine's API. What ours is compared with.
//   node test/bench/proxy/bare-tty.mjs SOCKET CONTAINER     prints its port
import { request } from 'node:http'
import { WebSocketServer } from 'ws'

const [socketPath, container] = process.argv.slice(2)
const headers = { 'content-type': 'application/json', host: 'localhost' }

function call(path, body, extra = {}) {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, method: 'POST', headers: { ...headers, ...extra } }, (answer) => {
      let text = ''
      answer.on('data', (part) => (text += part)).on('end', () => resolve(JSON.parse(text || '{}')))
    })
    outgoing.on('upgrade', (_answer, stream, head) => resolve({ stream, head })).on('error', reject)
    outgoing.end(JSON.stringify(body))
  })
}

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false }, () =>
  process.stdout.write(`${server.address().port}\n`),
)
server.on('connection', async (client) => {
  const attached = { AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: true }
  const { Id } = await call(`/containers/${container}/exec`, { ...attached, Cmd: ['sh'] })
  const upgrade = { connection: 'Upgrade', upgrade: 'tcp' }
  const { stream, head } = await call(`/exec/${Id}/start`, { Detach: false, Tty: true }, upgrade)
  if (head.length > 0) client.send(head)
  stream.on('data', (chunk) => client.send(chunk))
  stream.on('close', () => client.close())
  client.on('message', (data) => stream.write(data))
  client.on('close', () => stream.destroy())
})
