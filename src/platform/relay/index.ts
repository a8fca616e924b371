import type { ServerResponse } from 'node:http'
import { lingerOnClose } from './linger.ts'
import { Exchange } from './exchange.ts'
import type { Abortable, ExchangeHost } from './exchange.ts'
import { Pool } from './pool.ts'
import { BadRequestError, buildRequestHead, hasBody } from './request-head.ts'
import { Roster } from '../../core/roster.ts'
import { Sweeper } from './sweeper.ts'
import type { DataPlane, DataPlaneSettings, DataPlaneStats, RelayFailure, RelayOptions, RelayTarget } from './types.ts'
import { UpgradeExchange, refusalOn } from './upgrade.ts'

export { ignoreUpgrade, wantsWebSocket } from './ignore-upgrade.ts'
export type {
  DataPlane,
  DataPlaneSettings,
  DataPlaneStats,
  RelayFailure,
  RelayFailureKind,
  RelayOptions,
  RelayOutcome,
  RelayTarget,
} from './types.ts'

const DEFAULTS: DataPlaneSettings = {
  connectTimeoutMs: 5000,
  idleTimeoutMs: 0,
  sseKeepAliveMs: 0,
  maxBodyBytes: Number.POSITIVE_INFINITY,
  maxHeadBytes: 64 * 1024,
  maxHeaders: 256,
  maxIdleSockets: 1024,
  // Shorter than the 5 s after which Node's servers, the most common targets, close idle connections.
  idleSocketMs: 4000,
  sweepMs: 1000,
}

const DEFAULT_UPGRADES: ReadonlySet<string> = new Set(['websocket'])

/**
 * Creates the reverse proxy: requests come parsed from `node:http`, go out over own sockets, and come back as bytes.
 * The server must be made with `requestTimeout: 0` (long uploads) and route `checkContinue` like `request`, so that
 * the target, not the server, answers `Expect: 100-continue`.
 */
export function createDataPlane(settings: Partial<DataPlaneSettings> = {}): DataPlane {
  return new Relay({ ...DEFAULTS, ...settings })
}

class Relay implements DataPlane, ExchangeHost {
  readonly settings: DataPlaneSettings
  readonly sweeper: Sweeper
  private readonly pools = new Map<string, Pool>()
  private readonly active = new Roster<Abortable>()
  private closed = false
  private requests = 0
  private upgrades = 0
  private opened = 0
  private retries = 0
  private failures = 0

  constructor(settings: DataPlaneSettings) {
    this.settings = settings
    this.sweeper = new Sweeper(settings.sweepMs)
  }

  relay(...[inc, out, target, options]: Parameters<DataPlane['relay']>): void {
    this.requests++
    const refuse = (failure: RelayFailure): void => {
      if (hasBody(inc)) {
        out.shouldKeepAlive = false
        lingerOnClose(inc)
        inc.resume()
      }
      this.refuse(out, options, failure)
    }
    const obstacle = this.obstacle(target)
    if (obstacle) {
      refuse(obstacle)
      return
    }
    try {
      const request = buildRequestHead({ inc, target, options, upgrade: '' })
      if (request.length > (options.maxBodyBytes ?? this.settings.maxBodyBytes)) {
        refuse({ kind: 'too-large', message: 'declared request body exceeds the limit' })
        return
      }
      this.begin(new Exchange({ host: this, pool: this.pool(target), inc, out, options, request }))
    } catch (error) {
      if (!(error instanceof BadRequestError)) throw error
      refuse({ kind: 'bad-request', message: error.message })
    }
  }

  upgrade(...[inc, socket, head, target, options]: Parameters<DataPlane['upgrade']>): void {
    this.upgrades++
    const refuse = (failure: RelayFailure): void => this.refuse(refusalOn(inc, socket), options, failure)
    const obstacle = this.obstacle(target)
    if (obstacle) {
      refuse(obstacle)
      return
    }
    const upgrade = inc.headers.upgrade ?? ''
    if (!(options.upgrades ?? DEFAULT_UPGRADES).has(upgrade.toLowerCase())) {
      refuse({ kind: 'bad-request', message: 'this protocol upgrade is not relayed' })
      return
    }
    try {
      const request = buildRequestHead({ inc, target, options, upgrade })
      if (request.length !== 0) throw new BadRequestError('an upgrade request cannot have a body')
      const pool = this.pool(target)
      this.begin(new UpgradeExchange({ host: this, pool, inc, socket, head, options, request, upgrade }))
    } catch (error) {
      if (!(error instanceof BadRequestError)) throw error
      refuse({ kind: 'bad-request', message: error.message })
    }
  }

  drop(target: RelayTarget): void {
    this.pools.get(keyOf(target))?.drop()
  }

  async close(): Promise<void> {
    this.closed = true
    for (const exchange of this.active.all()) exchange.abort()
    await Promise.all([...this.pools.values()].map((pool) => pool.close()))
    this.sweeper.close()
  }

  stats(): DataPlaneStats {
    let idle = 0
    for (const pool of this.pools.values()) idle += pool.idleCount
    return {
      active: this.active.size,
      idle,
      targets: this.pools.size,
      requests: this.requests,
      upgrades: this.upgrades,
      opened: this.opened,
      retried: this.retries,
      failed: this.failures,
    }
  }

  retried(): void {
    this.retries++
  }

  failed(): void {
    this.failures++
  }

  settled(exchange: Abortable): void {
    this.active.delete(exchange)
  }

  private obstacle(target: RelayTarget): RelayFailure | null {
    if (this.closed) return { kind: 'aborted', message: 'the router is stopping' }
    return isAddress(target) ? null : { kind: 'connect', message: 'the target address is not valid' }
  }

  private refuse(out: ServerResponse, options: RelayOptions, failure: RelayFailure): void {
    this.failures++
    options.fail(out, failure)
    const error = `${failure.kind}: ${failure.message}`
    options.onEnd?.({ status: out.statusCode, bytesIn: 0, bytesOut: 0, error })
  }

  private pool(target: RelayTarget): Pool {
    const key = keyOf(target)
    const known = this.pools.get(key)
    if (known) return known
    const pool = new Pool({
      key,
      target,
      settings: this.settings,
      sweeper: this.sweeper,
      onOpen: (used) => {
        this.opened++
        // A retry can open a connection in a pool that has just become empty.
        this.pools.set(used.key, used)
      },
      onEmpty: (empty) => {
        if (this.pools.get(empty.key) === empty) this.pools.delete(empty.key)
      },
    })
    return pool
  }

  private begin(exchange: Exchange | UpgradeExchange): void {
    this.active.add(exchange)
    exchange.start()
  }
}

function keyOf(target: RelayTarget): string {
  return 'socketPath' in target ? target.socketPath : `${target.host}:${target.port}`
}

/** What `net.connect` would throw for. */
function isAddress(target: RelayTarget): boolean {
  if ('socketPath' in target) return target.socketPath !== ''
  return target.host !== '' && Number.isInteger(target.port) && target.port > 0 && target.port < 65536
}
