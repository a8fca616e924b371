/**
 * The Platform port: everything that a JavaScript runtime or the operating system gives.
 * Implementations: `node.ts` and `deno.ts`; nothing outside this folder imports a builtin of either (except the pure `node:path`).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ProcessRunner, ProcessSpec } from '../core/process.ts'
import type { DataPlane } from './relay/index.ts'

export type { IncomingMessage, ServerResponse } from 'node:http'
export type { Duplex } from 'node:stream'

export interface FileInfo {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  readonly size: number
  /** Milliseconds since 1970. */
  readonly mtimeMs: number
  readonly mode: number
  readonly uid: number
}

export interface OpenFile {
  /** Of the file itself: the same under another name. */
  readonly id: string
  /** Bytes now. */
  size(): Promise<number>
  /** From an offset to the present end. */
  bytes(start: number): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

export interface FileSystem {
  /** Text of a file, or null when it does not exist. More than `maxBytes` (default 16 MiB) throws CONFIG_INVALID. */
  readText(path: string, options?: { maxBytes?: number }): Promise<string | null>
  /** Follows links; null when missing. */
  stat(path: string): Promise<FileInfo | null>
  /** Does not follow links; null when missing. */
  lstat(path: string): Promise<FileInfo | null>
  realPath(path: string): Promise<string | null>
  /** Names, sorted; empty when the folder does not exist. */
  list(path: string): Promise<string[]>
  mkdir(path: string, options?: { mode?: number }): Promise<void>
  /** Writes through a temporary file in the same folder, fsync and rename: readers see the old or the new file, never a part. */
  writeAtomic(path: string, data: string | Uint8Array, options?: { mode?: number }): Promise<void>
  append(path: string, data: string, options?: { mode?: number }): Promise<void>
  /** The same, written when it returns. */
  appendSync(path: string, data: string, options?: { mode?: number }): void
  /** Opens a file to read it whatever becomes of its name; null when missing. */
  openRead(path: string): Promise<OpenFile | null>
  rename(from: string, to: string): Promise<void>
  /** Removes a file or a whole tree; does nothing when missing. Links are removed, not followed. */
  remove(path: string): Promise<void>
  symlink(target: string, path: string): Promise<void>
  readLink(path: string): Promise<string | null>
  chmod(path: string, mode: number): Promise<void>
  /** Bytes `start`..`end` (inclusive, whole file by default). Closes the file when the iteration ends in any way. */
  readStream(path: string, range?: { start: number; end: number }): AsyncIterable<Uint8Array>
  /**
   * Streams to `path` (must not exist), returning the byte count; more than `maxBytes` throws REQUEST_TOO_LARGE and leaves no file.
   * `sync: false` does not wait for the disk: for files that are made again when they are lost.
   */
  writeStream(
    path: string,
    data: AsyncIterable<Uint8Array>,
    options?: { mode?: number; maxBytes?: number; sync?: boolean; onChunk?: (chunk: Uint8Array) => void },
  ): Promise<number>
  /** Names what a file holds now: another name after each `writeAtomic`. Null when it is missing. Told before the call returns. */
  stampSync(path: string): string | null
  /** Calls back (debounced) when something in the folder changed. */
  watch(path: string, onChange: (name: string | null) => void): () => void
}

/** Holds a lock file made with O_EXCL that names its owner's pid; a lock of a dead process is taken over. */
export interface LockOptions {
  /** Milliseconds to wait for the holder; 0 fails at once. Throws LOCKED naming the holder's pid. */
  waitMs: number
  what: string
}

export interface Hashing {
  sha256Hex(data: string | Uint8Array): string
  createSha256(): { update(chunk: Uint8Array): void; hex(): string }
  hmacSha256(key: Uint8Array | string, data: string): string
  /** Compares in constant time. */
  equal(a: string, b: string): boolean
  /** URL-safe random text carrying `bytes` bytes of entropy. */
  randomToken(bytes: number): string
}

export interface ProcessInfo {
  readonly pid: number
  /** Start time in clock ticks since boot; with the pid it names a process for ever. Null where the OS does not tell. */
  readonly startTicks: string | null
  readonly command: string
}

export interface Processes extends ProcessRunner {
  /** Null when there is no such process. */
  info(pid: number): Promise<ProcessInfo | null>
  /** Signals a process, or a whole group with `group`. False when it was not there. */
  signal(pid: number, signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT', options?: { group?: boolean }): boolean
  /** Who listens on a TCP port of this host, where the OS tells; null otherwise. */
  listenerOf(port: number): Promise<ProcessInfo | null>
}

export interface ServerHandlers {
  request(incoming: IncomingMessage, outgoing: ServerResponse): void
  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void
}
export interface ServerOptions {
  host: string
  port: number
  /** Milliseconds for a complete request head; half-open connections are cut after it. */
  headersTimeoutMs?: number
  maxConnections?: number
}
export interface RunningServer {
  readonly port: number
  /** Stops accepting, gives open requests `graceMs`, then cuts them. */
  close(graceMs: number): Promise<void>
}

/** One server behind many unix sockets; each connection belongs to the owner of the socket that it came by. */
export interface SocketServer {
  /** Anybody who sees the socket may connect; what was at its path before is replaced. CONFIG_INVALID where it cannot be. */
  open(path: string, owner: string): Promise<void>
  /** Takes the socket away; open connections go on. */
  shut(owner: string): Promise<void>
  ownerOf(incoming: IncomingMessage): string | null
  /** Gives open requests `graceMs`, then cuts them. */
  close(graceMs: number): Promise<void>
}

export interface Network {
  /** Throws PORT_TAKEN (naming the listener where known) or DENIED. */
  serve(options: ServerOptions, handlers: ServerHandlers): Promise<RunningServer>
  serveSockets(handlers: ServerHandlers): SocketServer
  /** A request whose body was read, to be read again by somebody else; `headers` replace those of their names. */
  replay(incoming: IncomingMessage, body: Uint8Array, headers: readonly (readonly [string, string])[]): IncomingMessage
  createDataPlane(): Promise<DataPlane>
  /** A web-standard handler as a listener of raw requests; `env` is handed through to it. */
  toListener<E extends object>(
    fetch: (request: Request, env: E) => Response | Promise<Response>,
  ): Promise<(incoming: IncomingMessage, outgoing: ServerResponse, env: E) => void>
  /** True when something accepts TCP connections there. */
  isListening(host: string, port: number, timeoutMs: number): Promise<boolean>
  /** True when a connection there is kept for `holdMs`, or something is sent on it: a program listens, not only a forwarder. */
  keepsConnection(
    endpoint: { host: string; port: number },
    options: { timeoutMs: number; holdMs: number },
  ): Promise<boolean>
  /** A port that was free a moment ago on `host`. */
  freePort(host: string): Promise<number>
  /** A small HTTP call over node's own client (loopback or a unix socket): used by the CLI to talk to the router. */
  request(options: HttpCall): Promise<HttpAnswer>
  /** The two ends that a raw handler gets, without a socket, and its answer. */
  openRawExchange(call: RawCall): {
    readonly incoming: IncomingMessage
    readonly outgoing: ServerResponse
    readonly answer: Promise<HttpStream>
  }
  /** For many calls to the same places; the caller closes it. */
  createHttpClient(): HttpClient
  /**
   * Answers the handshake of an upgrade; `onOpen` gives what hears of the connection, before anything of it is read.
   * REQUEST_INVALID when it is no handshake, or its sender has gone.
   */
  acceptWebSocket(
    upgrade: UpgradeRequest,
    options: WebSocketOptions,
    onOpen: (peer: WebSocketPeer) => WebSocketListener,
  ): Promise<WebSocketPeer>
  connectWebSocket(call: WebSocketCall, onOpen: (peer: WebSocketPeer) => WebSocketListener): Promise<WebSocketPeer>
  /** Sends a call that switches to a raw two-way stream (`Upgrade: tcp`); the stream is paused and owned by the caller. */
  hijack(call: HttpCall): Promise<Duplex>
}

/** What an upgrade handler is given. */
export interface UpgradeRequest {
  readonly incoming: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}
export interface WebSocketOptions {
  /** The one sub-protocol that is agreed to; a client may do without. */
  readonly protocol: string
  /** A larger message ends the connection with 1009. */
  readonly maxPayloadBytes: number
}
export interface WebSocketCall extends WebSocketOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}
export interface WebSocketPeer {
  /** What was agreed; empty: none. */
  readonly protocol: string
  /** Bytes that were sent and that the connection has not taken yet. */
  readonly buffered: number
  /** Text goes as a text frame, bytes as a binary one. After the end it does nothing. */
  send(data: string | Uint8Array): void
  ping(): void
  close(code: number, reason: string): void
  /** Ends it at once, without saying so. */
  terminate(): void
}
export interface WebSocketListener {
  message(data: string | Uint8Array): void
  pong?(): void
  /** Last; 1006: it was cut. */
  closed(code: number, reason: string): void
}

export interface HttpCall {
  host?: string
  port?: number
  socketPath?: string
  method: string
  path: string
  headers?: Record<string, string>
  /** A stream is sent as fast as the other side reads; `timeoutMs` begins at its end. */
  body?: string | AsyncIterable<Uint8Array>
  /** To the answer's head, and once more for `text()` to its end; `body` may stream for as long as it likes. */
  timeoutMs: number
  signal?: AbortSignal
}
export interface HttpAnswer {
  status: number
  headers: Record<string, string>
  body: AsyncIterable<Uint8Array>
  text(maxBytes?: number): Promise<string>
}

export interface StreamCall {
  readonly host: string
  readonly port: number
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Safe to send again when a kept connection turns out closed. */
  readonly idempotent?: boolean
  readonly signal?: AbortSignal
}
export interface HttpStream {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  /** Ends early, and lets the connection go, when its reader stops. */
  readonly body: AsyncIterable<Uint8Array>
}
/** A request to a raw handler of this process. */
export interface RawCall {
  readonly method: string
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly signal?: AbortSignal
}
export interface HttpClient {
  /** Resolves with the head of the answer, however long that takes. */
  request(call: StreamCall): Promise<HttpStream>
  close(): void
}

export interface Terminal {
  /** Once it is read here, children do not get it: they would compete for the rest of a script. */
  readonly stdin: {
    readonly isTTY: boolean
    lines(): AsyncIterable<string>
    /** USAGE_INVALID when this process reads its input already, as a script. */
    readAll(): Promise<string>
    /** Asks on the terminal without showing what is typed; null when it was given up (Ctrl-C, Ctrl-D). Needs `isTTY`. */
    readHidden(prompt: string): Promise<string | null>
  }
  readonly stdout: {
    readonly isTTY: boolean
    readonly columns: number
    write(text: string): void
    /** Aborts when the reader went away. */
    readonly closed: AbortSignal
  }
  readonly stderr: { readonly isTTY: boolean; readonly columns: number; write(text: string): void }
  /** Keys and output pass unchanged until it is closed. Needs a terminal at both ends. */
  openRaw(listener: RawTerminalListener): RawTerminal
  /** One line with editing, history (newest last) and completion; null at end of input. Interrupted (Ctrl-C) gives ''. */
  createLineEditor(options: LineEditorOptions): LineEditor
}
export interface RawTerminalListener {
  input(bytes: Uint8Array): void
  resized(): void
}
export interface RawTerminal {
  readonly size: { readonly cols: number; readonly rows: number }
  /** `done` is called when the terminal has taken it. */
  write(bytes: Uint8Array, done: () => void): void
  close(): void
}
export interface LineEditorOptions {
  history: readonly string[]
  complete(line: string): Promise<readonly [candidates: string[], word: string]>
}
export interface LineEditor {
  question(prompt: string): Promise<string | null>
  /** Lets another program use the terminal while `run` runs. */
  suspend<T>(run: () => Promise<T>): Promise<T>
  close(): void
}

export interface Platform {
  readonly runtime: { readonly name: 'node' | 'deno'; readonly version: string }
  readonly os: {
    readonly platform: string
    readonly arch: string
    readonly uid: number
    readonly user: string
    readonly homeDir: string
    readonly tempDir: string
    readonly hostname: string
  }
  readonly env: Readonly<Record<string, string | undefined>>
  readonly pid: number
  cwd(): string
  /** Folder of the shipped assets (`dist`): agent program, pages, built-in repository. */
  readonly assetsDir: string
  readonly fs: FileSystem
  readonly processes: Processes
  readonly hash: Hashing
  readonly net: Network
  readonly terminal: Terminal
  lock<T>(path: string, options: LockOptions, run: () => Promise<T>): Promise<T>
  /** The command that runs this same program again with other arguments. */
  selfCommand(args: readonly string[]): ProcessSpec
  /** Calls back on SIGINT, SIGTERM, SIGHUP; returns the function that ends it. */
  onSignal(handler: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void): () => void
  /** The native pseudo-terminal library, or null where it is not installed. */
  pty(): Promise<PtyFactory | null>
}

/** Makes a pseudo-terminal on the host around a command. */
export type PtyFactory = (
  spec: ProcessSpec,
  size: { cols: number; rows: number },
) => {
  readonly pid: number
  readonly output: AsyncIterable<Uint8Array>
  readonly exit: Promise<number>
  write(data: Uint8Array): void
  resize(cols: number, rows: number): void
  kill(signal: 'SIGHUP' | 'SIGKILL'): void
}
