/** WebSockets over the sockets of our own server, by `ws`: the same code on Node and on Deno. Loaded with the first of them. */
import type { WebSocket, WebSocketServer } from 'ws'
import { PloinkyError } from '../core/error.ts'
import type { UpgradeRequest, WebSocketCall, WebSocketListener, WebSocketOptions, WebSocketPeer } from './index.ts'

const HANDSHAKE_TIMEOUT_MS = 10_000

/** One for each set of options: they are few, and a server holds nothing but them. */
const servers = new Map<string, WebSocketServer>()

async function serverOf({ protocol, maxPayloadBytes }: WebSocketOptions): Promise<WebSocketServer> {
  const { WebSocketServer: Server } = await import('ws')
  const key = `${protocol} ${maxPayloadBytes}`
  const known = servers.get(key)
  if (known !== undefined) return known
  const server = new Server({
    noServer: true,
    clientTracking: false,
    maxPayload: maxPayloadBytes,
    // Compressing each key costs more than the bytes it saves on this machine, and a context of 300 KB a connection.
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
  })
  servers.set(key, server)
  return server
}

function peerOf(socket: WebSocket, onOpen: (peer: WebSocketPeer) => WebSocketListener): WebSocketPeer {
  const peer: WebSocketPeer = {
    protocol: socket.protocol,
    get buffered() {
      return socket.bufferedAmount
    },
    send(data) {
      if (socket.readyState === socket.OPEN) socket.send(data, { binary: typeof data !== 'string' }, () => {})
    },
    ping() {
      if (socket.readyState === socket.OPEN) socket.ping()
    },
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  }
  const listener = onOpen(peer)
  socket.on('message', (data, isBinary) => {
    const bytes = data as Buffer
    listener.message(isBinary ? bytes : bytes.toString('utf8'))
  })
  socket.on('pong', () => listener.pong?.())
  // A frame that is too large or malformed: `ws` answers with the code for it and closes.
  socket.on('error', () => {})
  socket.on('close', (code, reason) => listener.closed(code, reason.toString('utf8')))
  return peer
}

/** Answers the handshake. Resolves when the connection is open; a handshake that is none is answered and rejects. */
export async function acceptWebSocket(
  { incoming, socket, head }: UpgradeRequest,
  options: WebSocketOptions,
  onOpen: (peer: WebSocketPeer) => WebSocketListener,
): Promise<WebSocketPeer> {
  const server = await serverOf(options)
  return await new Promise((resolve, reject) => {
    const lost = (): void => reject(new PloinkyError('REQUEST_INVALID', 'The WebSocket handshake failed'))
    if (socket.destroyed) return lost()
    socket.once('close', lost)
    server.handleUpgrade(incoming, socket, head, (opened) => {
      socket.off('close', lost)
      resolve(peerOf(opened, onOpen))
    })
  })
}

/** Opens a connection to a router; its refusal is the error's message. */
export async function connectWebSocket(
  { url, headers, protocol, maxPayloadBytes }: WebSocketCall,
  onOpen: (peer: WebSocketPeer) => WebSocketListener,
): Promise<WebSocketPeer> {
  const { WebSocket: Client } = await import('ws')
  const socket = new Client(url, protocol, {
    headers,
    maxPayload: maxPayloadBytes,
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  })
  return await new Promise((resolve, reject) => {
    socket.once('unexpected-response', (request, response) => {
      request.destroy()
      reject(new PloinkyError('ROUTER_FAILED', `The router refused the connection (${response.statusCode})`))
    })
    socket.once('error', (error) =>
      reject(new PloinkyError('ROUTER_NOT_RUNNING', `No connection to the router: ${error.message}`, { cause: error })),
    )
    // Frames may come with the answer to the handshake: listeners are there before the next turn.
    socket.once('open', () => resolve(peerOf(socket, onOpen)))
  })
}
