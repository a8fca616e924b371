/** What is ours, and what is not. */
import { expect } from 'vitest'
import { programs } from '../../helpers/runtime-programs.ts'
import type { Contract } from '../runtime.ts'
import { failure } from './kit.ts'

export function ownershipCases(contract: Contract): void {
  contract('two workspaces run the same agent side by side', async (t) => {
    const second = t.newWorkspace()
    const mine = await t.start({ agent: 'same' })
    const theirs = await t.start({ agent: 'same', workspace: second })
    expect(theirs.name).not.toBe(mine.name)
    expect((await t.adapter.list({ workspace: t.workspace })).map(({ name }) => name)).toEqual([mine.name])
    expect((await t.adapter.list({ workspace: second })).map(({ name }) => name)).toEqual([theirs.name])
    expect(await t.adapter.remove(mine.name)).toBe(true)
    expect(await t.adapter.inspect(theirs.name)).toEqual(theirs)
    expect(await t.adapter.list({ workspace: t.workspace })).toEqual([])
  })

  contract('list tells agents apart', async ({ adapter, start, workspace }) => {
    const [one, two] = await Promise.all([start({ agent: 'one' }), start({ agent: 'two' })])
    expect((await adapter.list({ workspace, agent: 'two' })).map(({ name }) => name)).toEqual([two.name])
    expect((await adapter.list({ workspace })).map(({ name }) => name).sort()).toEqual([one.name, two.name].sort())
    expect(await adapter.list({ workspace, agent: 'three' })).toEqual([])
  })

  contract("another workspace's instance with our name is a conflict and stays", async (t) => {
    const theirs = await t.start({ workspace: t.newWorkspace() })
    await failure(t.adapter.apply(t.spec({ name: theirs.name })), 'CONFLICT')
    expect(await t.adapter.inspect(theirs.name)).toEqual(theirs)
  })

  contract('a foreign container with our name is a conflict and stays untouched', async (t) => {
    const wanted = t.spec({ command: programs.idle() })
    await using foreign = await t.target.createForeign(wanted.name)
    const error = await failure(t.adapter.apply(wanted), 'CONFLICT')
    expect(error.message).toContain(wanted.name)
    expect(error.hint).toBeTruthy()
    expect(await t.adapter.inspect(wanted.name)).toBeNull()
    expect(await t.adapter.list({ workspace: t.workspace })).toEqual([])
    // Whether told "nothing of ours" or refused: it must still be there, and run.
    for (const call of [t.adapter.stop(wanted.name), t.adapter.remove(wanted.name)]) {
      const answer = await call.catch((error: unknown) => error)
      if (answer !== false) expect(answer).toMatchObject({ code: 'CONFLICT' })
    }
    expect(await foreign.isUntouched()).toBe(true)
  })
}
