/** One HTTP server behind many unix sockets. */
import type { Server as HttpServer } from 'node:http'
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FileHandle } from 'node:fs/promises'
import * as fs from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { PloinkyError } from '../core/error.ts'
import { denoGlobal } from './deno.ts'
import { listenOnDeno } from './deno-sockets.ts'
import type { SocketServer } from './index.ts'

const net = (): typeof import('node:net') => process.getBuiltinModule('node:net')

/** `sun_path` of Linux holds 108 bytes with the NUL at the end, that of macOS 104. */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103
/** Who sees the socket may use it: the folder around it says who does. */
const MODE = 0o666

interface Door {
  readonly server: { close(): unknown }
  /** Kept open while the socket is named by it. */
  readonly folder: FileHandle | null
  readonly path: string
}

/** A name of the same socket that is short enough; Linux follows it to the folder that is held open. */
async function shortName(path: string): Promise<{ name: string; folder: FileHandle | null }> {
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return { name: path, folder: null }
  if (process.platform !== 'linux')
    throw new PloinkyError('CONFIG_INVALID', `The path of a socket is too long: "${path}"`, {
      hint: 'Use a workspace whose path is shorter',
    })
  const folder = await fs.open(dirname(path), 'r')
  return { name: join(`/proc/self/fd/${folder.fd}`, basename(path)), folder }
}

function listen(server: Server, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path: name, backlog: 511 }, () => {
      server.off('error', reject)
      server.on('error', () => {})
      resolve()
    })
  })
}

async function listenAt(name: string, onConnection: (socket: Duplex) => void): Promise<Door['server']> {
  const deno = denoGlobal()
  if (deno !== null) return listenOnDeno(deno, name, onConnection)
  const server = net().createServer(onConnection)
  await listen(server, name)
  return server
}

async function openDoor(path: string, onConnection: (socket: Duplex) => void): Promise<Door> {
  // What a router that was killed left there; nobody listens any more.
  await fs.rm(path, { force: true })
  const { name, folder } = await shortName(path)
  let server: Door['server'] | null = null
  try {
    server = await listenAt(name, onConnection)
    await fs.chmod(path, MODE)
    return { server, folder, path }
  } catch (error) {
    server?.close()
    await folder?.close()
    throw new PloinkyError('CONFIG_INVALID', `Cannot listen on the socket "${path}"`, { cause: error })
  }
}

async function shutDoor({ server, folder, path }: Door): Promise<void> {
  // Its connections go on; nobody comes any more.
  server.close()
  await fs.rm(path, { force: true })
  await folder?.close()
}

export function serveSockets(http: HttpServer): SocketServer {
  const doors = new Map<string, Door>()
  const owners = new WeakMap<Duplex, string>()
  const sockets = new Set<Duplex>()

  async function shut(owner: string): Promise<void> {
    const door = doors.get(owner)
    doors.delete(owner)
    if (door !== undefined) await shutDoor(door)
  }

  return {
    shut,
    async open(path, owner) {
      await shut(owner)
      const door = await openDoor(path, (socket) => {
        owners.set(socket, owner)
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
        http.emit('connection', socket)
      })
      doors.set(owner, door)
    },
    ownerOf: ({ socket }) => owners.get(socket) ?? null,
    async close(graceMs) {
      await Promise.all([...doors.keys()].map(shut))
      http.closeIdleConnections?.()
      if (sockets.size === 0) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          for (const socket of sockets) socket.destroy()
        }, graceMs)
        timer.unref?.()
        for (const socket of sockets)
          socket.once('close', () => {
            if (sockets.size === 0) resolve()
          })
      })
    },
  }
}
