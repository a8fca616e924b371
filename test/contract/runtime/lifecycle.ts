/** Stop, remove, the end of programs, and instances that vanish. */
import { expect } from 'vitest'
import { programs } from '../../helpers/runtime-programs.ts'
import type { Contract } from '../runtime.ts'
import { failure, toArray } from './kit.ts'

export function lifecycleCases(contract: Contract): void {
  stopping(contract)
  ending(contract)
  missing(contract)
  adoption(contract)
}

function stopping(contract: Contract): void {
  contract('stop ends a well-behaved program by SIGTERM, and may be repeated', async (t) => {
    const { name } = await t.start({ command: programs.idle(), stopGraceSeconds: 60 })
    await t.sees(name, 'up')
    expect(await t.adapter.stop(name)).toBe(true)
    // 0 is the program's own answer to SIGTERM; the kill would have given 137.
    const stopped = await t.adapter.inspect(name)
    expect(stopped).toMatchObject({ state: 'stopped', exitCode: 0, oomKilled: false })
    expect(Date.parse(stopped?.finishedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(stopped?.startedAt ?? ''))
    expect(await t.adapter.stop(name)).toBe(false)
    expect(await t.adapter.endpoint(name, 7000)).toBeNull()
  })

  contract('stop ends a program that takes no care of signals, through the init', async (t) => {
    const { name } = await t.start({ command: programs.careless(), stopGraceSeconds: 60 })
    await t.sees(name, 'up')
    expect(await t.adapter.stop(name)).toBe(true)
    expect(await t.adapter.inspect(name)).toMatchObject({ state: 'stopped', exitCode: 143 })
  })

  contract('stop kills a program that ignores SIGTERM after the grace', async (t) => {
    const { name } = await t.start({ command: programs.stubborn() })
    await t.sees(name, 'up')
    expect(await t.adapter.stop(name, { graceSeconds: 1 })).toBe(true)
    expect(await t.adapter.inspect(name)).toMatchObject({ state: 'stopped', exitCode: 137, oomKilled: false })
  })

  contract("the grace is the spec's unless told otherwise", async (t) => {
    const { name } = await t.start({ command: programs.stubborn(), stopGraceSeconds: 1 })
    await t.sees(name, 'up')
    expect(await t.adapter.stop(name)).toBe(true)
    expect(await t.adapter.inspect(name)).toMatchObject({ state: 'stopped', exitCode: 137 })
  })

  contract('remove ends a running instance, and may be repeated', async (t) => {
    const { name } = await t.start()
    expect(await t.adapter.remove(name)).toBe(true)
    expect(await t.adapter.inspect(name)).toBeNull()
    expect(await t.adapter.remove(name)).toBe(false)
    expect(await t.adapter.list({ workspace: t.workspace })).toEqual([])
  })
}

function ending(contract: Contract): void {
  contract('a program that ends by itself is stopped, with its exit code', async (t) => {
    const { name } = await t.start({ command: programs.exits('7') })
    const ended = await t.reaches(name, 'stopped')
    // We ask engines for no restarts: what ended stays ended until `apply`.
    expect(ended.restartCount ?? 0).toBe(0)
    // An engine notes the start when it has happened: a program that ends at once may be noted as ended before that.
    const ran = Date.parse(ended.finishedAt ?? '') - Date.parse(ended.startedAt ?? '')
    expect(ran).toBeGreaterThan(-1000)
    expect(ran).toBeLessThan(60_000)
    expect(ended).toMatchObject({ exitCode: 7, oomKilled: false, error: null, pid: null })
    expect(await t.adapter.stats(name)).toBeNull()
    expect(await t.adapter.stop(name)).toBe(false)
    expect((await t.adapter.apply(t.spec({ command: programs.exits('7') }))).outcome).toBe('started')
  })

  contract('an instance removed behind our back is missing, and apply makes it again', async (t) => {
    const before = await t.start()
    await t.sees(before.name, 'up')
    await t.target.removeBehindBack(before)
    const seen = await t.adapter.inspect(before.name)
    // An engine forgets the container; where we keep the record ourselves, the record says dead.
    if (seen !== null) expect(seen).toMatchObject({ state: 'dead', exitCode: null })
    expect(await t.adapter.stop(before.name)).toBe(false)
    expect(await t.adapter.endpoint(before.name, 7000)).toBeNull()
    expect(await t.adapter.remove(before.name)).toBe(seen !== null)
    const again = await t.adapter.apply(t.spec())
    expect(again.outcome).toBe('created')
    expect(again.workload.state).toBe('running')
    expect(again.workload.id).not.toBe(before.id)
    await t.target.removeBehindBack(again.workload)
    expect((await t.adapter.apply(t.spec())).workload.state).toBe('running')
  })
}

function missing(contract: Contract): void {
  contract('what does not exist is data, not an exception', async ({ adapter, spec, newWorkspace }) => {
    const { name } = spec()
    expect(await adapter.inspect(name)).toBeNull()
    expect(await adapter.stop(name)).toBe(false)
    expect(await adapter.remove(name)).toBe(false)
    expect(await adapter.endpoint(name, 7000)).toBeNull()
    expect(await adapter.stats(name)).toBeNull()
    expect(await adapter.list({ workspace: newWorkspace() })).toEqual([])
    await failure(toArray(adapter.logs(name)), 'WORKLOAD_NOT_FOUND')
    await failure(adapter.exec(name, ['true']), 'WORKLOAD_NOT_FOUND')
  })

  contract('a program cannot be started in a stopped instance', async (t) => {
    const { name } = await t.start({ command: programs.exits('0') })
    await t.reaches(name, 'stopped')
    await failure(t.adapter.exec(name, ['true']), 'AGENT_NOT_RUNNING')
  })
}

function adoption(contract: Contract): void {
  contract('another adapter finds, uses and stops what this one made', async (t) => {
    const made = await t.start({ agent: 'adopted' })
    await t.sees(made.name, 'up')
    const other = await t.otherAdapter()
    expect(await other.list({ workspace: t.workspace })).toEqual([made])
    expect((await other.apply(t.spec({ agent: 'adopted' }))).outcome).toBe('unchanged')
    const session = await other.exec(made.name, programs.exits('9'))
    expect(await session.exit).toBe(9)
    expect((await toArray(other.logs(made.name))).map(({ text }) => text)).toEqual(['up'])
    expect(await other.stop(made.name)).toBe(true)
    expect(await t.adapter.inspect(made.name)).toMatchObject({ state: 'stopped', exitCode: 0 })
  })

  contract('dispose ends streams and programs of the adapter, and leaves instances alone', async (t) => {
    const made = await t.start()
    await t.sees(made.name, 'up')
    const other = await t.otherAdapter()
    const following = toArray(other.logs(made.name, { follow: true }))
    const watching = toArray(other.events({ workspace: t.workspace }))
    const session = await other.exec(made.name, programs.stubborn())
    const ends = [following, watching, session.exit].map((end) =>
      end.then(
        () => 'ended',
        () => 'ended',
      ),
    )
    await other[Symbol.asyncDispose]()
    expect(await Promise.all(ends)).toEqual(['ended', 'ended', 'ended'])
    await other[Symbol.asyncDispose]()
    expect(await t.adapter.inspect(made.name)).toEqual(made)
  })
}
