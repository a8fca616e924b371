/** Networks of a workspace: made at their first use, removed when nobody uses them. Others' networks are never touched. */
import { join } from 'node:path'
import * as z from 'zod/mini'
import { PloinkyError } from '../../src/core/error.ts'
import { LABEL_WORKSPACE } from '../../src/core/id.ts'
import type { CallOptions } from '../adapter.ts'
import type { EngineApi } from './api.ts'
import type { Engine } from './dialect.ts'
import { isNetworkMissing } from './failure.ts'
import {
  createNetworkArgs,
  inspectNetworkArgs,
  listNetworksArgs,
  networkUsersArgs,
  removeNetworkArgs,
} from './oci-networks.ts'
import { parseIds, readJson, type Source } from './parse.ts'

/** Another process of ours makes the same network; that takes a moment. */
const LOCK_WAIT_MS = 60_000

export interface Networks {
  /** All are there and ours afterwards; CONFLICT when a name is somebody else's. */
  ensure(workspace: string, names: readonly string[]): Promise<void>
  /** They are looked up again at their next use. */
  forget(names: readonly string[]): void
  /** Of `names` (all of the workspace by default), what is ours and nobody uses. Gives the names that are gone. */
  removeUnused(workspace: string, names?: readonly string[], options?: CallOptions): Promise<readonly string[]>
}

const labels = z.nullish(z.record(z.string(), z.string()))
/** docker and podman's docker-like API: `Labels`; podman itself: `labels`. */
const networkSchema = z.object({ Labels: labels, labels })

/** Labels of a network as an engine describes it, alone (API) or in an array (CLI); null for an empty array. */
export function parseNetworkLabels(output: string, source: Source): Readonly<Record<string, string>> | null {
  const described = readJson(z.union([z.array(networkSchema), networkSchema]), output, source)
  const network = Array.isArray(described) ? described[0] : described
  return network === undefined ? null : (network.Labels ?? network.labels ?? {})
}

export function createNetworks(engine: Engine, api: () => EngineApi | null): Networks {
  const { platform } = engine
  /** Made or seen by this process. */
  const known = new Map<string, Promise<void>>()

  /** Labels of a network; null when there is none of that name. */
  async function find(name: string, options: CallOptions = {}): Promise<Readonly<Record<string, string>> | null> {
    const path = `/networks/${encodeURIComponent(name)}`
    const quick = await api()
      ?.call('GET', path, { signal: options.signal })
      .catch(() => null)
    if (quick?.status === 404) return null
    if (quick?.status === 200) return parseNetworkLabels(quick.body, { runtime: engine.dialect.id, command: path })
    const args = inspectNetworkArgs(name)
    const result = await engine.call(args, { signal: options.signal })
    if (result.exitCode === 0) return parseNetworkLabels(result.stdout, engine.source(args))
    if (isNetworkMissing(result.stderr)) return null
    throw engine.fail(result, `inspect the network "${name}"`)
  }

  function assertOurs(workspace: string, name: string, found: Readonly<Record<string, string>> | null): void {
    if (found === null || found[LABEL_WORKSPACE] === workspace) return
    throw new PloinkyError('CONFLICT', `Network "${name}" was not made by this workspace`, {
      hint: `Remove it: ${engine.dialect.program} network rm ${name}`,
      details: { network: name },
    })
  }

  async function make(workspace: string, name: string): Promise<void> {
    const found = await find(name)
    if (found !== null) return assertOurs(workspace, name, found)
    // docker lets two programs make two networks of one name at the same moment.
    const lock = join(engine.stateDir, `.${name}.lock`)
    await platform.lock(lock, { waitMs: LOCK_WAIT_MS, what: `makes the network "${name}"` }, async () => {
      const result = await engine.call(createNetworkArgs(workspace, name))
      if (result.exitCode === 0) return
      if (!/already (?:exists|used)/i.test(result.stderr)) throw engine.fail(result, `make the network "${name}"`)
      assertOurs(workspace, name, await find(name))
    })
  }

  function once(workspace: string, name: string): Promise<void> {
    const running = known.get(name) ?? make(workspace, name)
    known.set(name, running)
    running.catch(() => known.delete(name))
    return running
  }

  function forget(names: readonly string[]): void {
    for (const name of names) known.delete(name)
  }

  /** True when it is gone. A user that comes between the look and the removal keeps it: engines refuse, or it is made again. */
  async function removeOne(workspace: string, name: string, options: CallOptions): Promise<boolean> {
    const found = await find(name, options)
    if (found?.[LABEL_WORKSPACE] !== workspace) return false
    const args = networkUsersArgs(name)
    const users = await engine.must(args, { what: `list who uses the network "${name}"`, signal: options.signal })
    if (parseIds(users.stdout, engine.source(args)).length > 0) return false
    forget([name])
    const result = await engine.call(removeNetworkArgs(name), { signal: options.signal })
    if (result.exitCode === 0 || isNetworkMissing(result.stderr)) return true
    if (/active endpoints|being used|in use|associated containers/i.test(result.stderr)) return false
    throw engine.fail(result, `remove the network "${name}"`)
  }

  return {
    async ensure(workspace, names) {
      await Promise.all(names.map((name) => once(workspace, name)))
    },
    forget,
    async removeUnused(workspace, names, options = {}) {
      const all = names ?? (await listNames(engine, workspace, options))
      const gone = await Promise.all(all.map((name) => removeOne(workspace, name, options)))
      return all.filter((_name, index) => gone[index])
    },
  }
}

async function listNames(engine: Engine, workspace: string, options: CallOptions): Promise<readonly string[]> {
  const result = await engine.must(listNetworksArgs(workspace), { what: 'list networks', signal: options.signal })
  return result.stdout.split('\n').filter((line) => line !== '')
}
