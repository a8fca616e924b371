import { Connection } from './connection.ts'
import type { Sweepable, Sweeper } from './sweeper.ts'
import type { DataPlaneSettings, RelayTarget } from './types.ts'

/**
 * A request that must not be sent twice only takes a connection that was busy a moment ago: the older an idle
 * connection, the likelier its target is closing it right now.
 */
const FRESH_ENOUGH_MS = 1000
/** Margin before the idle limit that a target announces: its clock started earlier than ours. */
const HINT_MARGIN_MS = 1000

export interface PoolOptions {
  readonly key: string
  readonly target: RelayTarget
  readonly settings: DataPlaneSettings
  readonly sweeper: Sweeper
  /** A connection is being made: the pool is in use. */
  readonly onOpen: (pool: Pool) => void
  /** Nothing is left in the pool. */
  readonly onEmpty: (pool: Pool) => void
}

export interface AcquireOptions {
  /** Sending the request twice is harmless. */
  readonly idempotent: boolean
  /** Only a new connection will do. */
  readonly fresh: boolean
  readonly connectTimeoutMs: number
}

/** The connections to one target. */
export class Pool implements Sweepable {
  readonly key: string
  private readonly options: PoolOptions
  private readonly connections = new Set<Connection>()
  /** Most recently used last. */
  private readonly idle: Connection[] = []
  private readonly closers: (() => void)[] = []

  constructor(options: PoolOptions) {
    this.key = options.key
    this.options = options
  }

  get idleCount(): number {
    return this.idle.length
  }

  acquire(wanted: AcquireOptions): Connection {
    return (wanted.fresh ? null : this.takeIdle(wanted.idempotent)) ?? this.open(wanted.connectTimeoutMs, false)
  }

  /** A connection that never returns to the pool. */
  openRaw(connectTimeoutMs: number): Connection {
    return this.open(connectTimeoutMs, true)
  }

  /** Takes a connection back after a complete exchange. `hintMs`: idle limit announced by the target, or -1. */
  giveBack(connection: Connection, hintMs: number): void {
    const { settings, sweeper } = this.options
    if (!connection.reusable || !connection.socket.writable || this.idle.length >= settings.maxIdleSockets) {
      connection.destroy()
      return
    }
    connection.release()
    connection.idleSince = performance.now()
    connection.idleLimitMs = settings.idleSocketMs
    if (hintMs >= 0) {
      const safe = Math.max(hintMs - HINT_MARGIN_MS, hintMs / 2)
      connection.idleLimitMs = Math.min(safe, settings.idleSocketMs)
    }
    this.idle.push(connection)
    sweeper.add(this)
  }

  sweep(now: number): void {
    const expired = this.idle.filter((connection) => now - connection.idleSince >= connection.idleLimitMs)
    for (const connection of expired) this.remove(connection)
    if (this.idle.length === 0) this.options.sweeper.delete(this)
  }

  /** Closes idle connections; busy ones close when their exchange ends. */
  drop(): void {
    for (const connection of this.connections) connection.reusable = false
    for (const connection of this.idle.splice(0)) connection.destroy()
  }

  /** Destroys every connection; resolves when all of them are closed. */
  close(): Promise<void> {
    this.idle.length = 0
    this.options.sweeper.delete(this)
    for (const connection of this.connections) connection.socket.destroy()
    if (this.connections.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.closers.push(resolve))
  }

  private takeIdle(idempotent: boolean): Connection | null {
    for (;;) {
      const connection = this.idle.at(-1)
      if (!connection) return null
      const age = performance.now() - connection.idleSince
      if (age < connection.idleLimitMs && connection.socket.writable) {
        if (!idempotent && age > FRESH_ENOUGH_MS) return null
        this.idle.pop()
        return connection
      }
      this.remove(connection)
    }
  }

  private remove(connection: Connection): void {
    const at = this.idle.lastIndexOf(connection)
    if (at >= 0) this.idle.splice(at, 1)
    connection.destroy()
  }

  private open(connectTimeoutMs: number, halfOpen: boolean): Connection {
    const { target, settings, onOpen } = this.options
    const connection = new Connection({
      target,
      limits: settings,
      connectTimeoutMs,
      halfOpen,
      onClose: (closed) => this.closed(closed),
    })
    this.connections.add(connection)
    onOpen(this)
    return connection
  }

  private closed(connection: Connection): void {
    this.connections.delete(connection)
    const at = this.idle.lastIndexOf(connection)
    if (at >= 0) this.idle.splice(at, 1)
    if (this.connections.size > 0) return
    this.options.sweeper.delete(this)
    this.options.onEmpty(this)
    for (const done of this.closers.splice(0)) done()
  }
}
