/** Clients of the terminals that are compared: each does as little as its protocol lets it. */
import { WebSocket } from 'ws'

const ACK_BYTES = 32 * 1024
const PATIENCE_MS = 60_000
/** ttyd's protocol (1.7): a byte that says what a message is, `0` for what is typed and for what is shown. */
const TTYD_BYTES = '0'.charCodeAt(0)
const PROTOCOLS = { ours: ['ploinky.tty.v1'], bare: [], ttyd: ['tty'] }

/** @param {{ kind: 'ours' | 'bare' | 'ttyd', url: string, headers?: Record<string, string> }} place */
export async function connect({ kind, url, headers = {} }) {
  const socket = new WebSocket(url, PROTOCOLS[kind], { headers, perMessageDeflate: false })
  const client = { socket, kind, tail: '', bytes: 0, session: null, snapshot: 0, skips: 0, wake: () => {} }
  let [drawn, told] = [0, 0]
  const taken = (data) => {
    client.bytes += data.length
    client.tail = (client.tail + data.toString('latin1', Math.max(0, data.length - 200))).slice(-200)
    if (kind !== 'ours') return
    drawn += data.length
    if (drawn - told < ACK_BYTES) return
    told = drawn
    socket.send(JSON.stringify({ type: 'ack', bytes: drawn }))
  }
  const control = (message) => {
    if (message.type === 'error') client.tail += ` (${message.message})`
    if (message.type === 'attached') {
      client.session = message.session.id
      client.snapshot = message.snapshotBytes
      drawn = -message.snapshotBytes
    } else if (message.type === 'snapshot') {
      // It was more than a megabyte behind: from here on it is counted anew.
      client.skips += 1
      told = 0
      drawn = -message.bytes
    }
  }
  socket.on('message', (data, isBinary) => {
    if (kind === 'ours' && !isBinary) control(JSON.parse(data.toString()))
    else if (kind !== 'ttyd') taken(data)
    else if (data[0] === TTYD_BYTES) taken(data.subarray(1))
    client.wake()
  })
  socket.once('close', (code, reason) => (client.tail += ` (closed: ${code} ${reason.toString()})`))
  client.type = (text) => socket.send(Buffer.from(kind === 'ttyd' ? `0${text}` : text))
  client.end = () => (kind === 'ours' ? socket.send(JSON.stringify({ type: 'end' })) : client.type('exit\r'))
  client.until = (check) => until(client, check)
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  if (kind === 'ttyd') socket.send(Buffer.from(JSON.stringify({ AuthToken: '', columns: 80, rows: 24 })))
  return client
}

function until(client, check) {
  return new Promise((resolve, reject) => {
    const what = () => `the terminal (${client.kind}) shows ${JSON.stringify(client.tail)} after ${client.bytes} bytes`
    const timer = setTimeout(() => reject(new Error(what())), PATIENCE_MS)
    client.wake = () => {
      if (!check(client)) return
      clearTimeout(timer)
      client.wake = () => {}
      resolve()
    }
    client.wake()
  })
}

/** A client with a shell that says nothing of its own. */
export async function shell(place) {
  const client = await connect(place)
  await client.until(({ tail }) => /[#$] /.test(tail))
  client.type('PS1=; stty -echo; echo up-$((1+1))\r')
  await client.until(({ tail }) => tail.includes('up-2'))
  return client
}
