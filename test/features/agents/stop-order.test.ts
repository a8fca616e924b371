import { describe, expect, it } from 'vitest'
import type { Manifest } from '../../../src/config/manifest/index.ts'
import type { EnabledAgent } from '../../../src/features/agents/registry.ts'
import { needsOf, stopInOrder, stopOrder, type Stopping } from '../../../src/features/agents/stop-order.ts'

const agent = (name: string): EnabledAgent => ({ name }) as EnabledAgent
const named = (text: string): Stopping[] =>
  text.split(' ').map((part) => {
    const [name = '', needs = ''] = part.split('>')
    return { name, needs: needs === '' ? [] : needs.split(',') }
  })

async function ended(text: string): Promise<string[]> {
  const all = named(text)
  const done: string[] = []
  await stopInOrder(
    all.map(({ name }) => agent(name)),
    stopOrder(all),
    async ({ name }) => {
      // Others get their turn before.
      await new Promise((resolve) => setTimeout(resolve, 5))
      done.push(name)
    },
  )
  return done
}

describe('the order of stopping', () => {
  it('is from those that need to those that are needed', async () => {
    expect(await ended('db app>db,cache web>app cache>db')).toEqual(['web', 'app', 'cache', 'db'])
  })

  it('lets agents stop side by side that do not need each other', () => {
    const order = stopOrder(named('db a>db b>db c>gone'))
    expect([...order]).toEqual([['db', ['a', 'b']], ['a', []], ['b', []], ['c', []]]) // prettier-ignore
  })

  it('comes to an end where agents need each other, or themselves', async () => {
    for (const circle of ['a>b b>a', 'a>a', 'a>b b>c c>a,b d>a', 'a>b,c b>c,a c>a,b'])
      expect((await ended(circle)).sort()).toEqual(named(circle).map(({ name }) => name))
  })

  it('goes on when one cannot be stopped', async () => {
    const all = named('db app>db')
    const stopped: string[] = []
    const stopping = stopInOrder(
      all.map(({ name }) => agent(name)),
      stopOrder(all),
      ({ name }) => {
        stopped.push(name)
        return name === 'app' ? Promise.reject(new Error('it hangs')) : Promise.resolve()
      },
    )
    await expect(stopping).rejects.toThrow('it hangs')
    await expect.poll(() => stopped).toEqual(['app', 'db'])
  })

  it('knows needs by the names they are enabled under', async () => {
    const dependencies = [
      { ref: 'tools/db', alias: null },
      { ref: 'tools:cache', alias: 'store' },
      { ref: 'mail', alias: null },
    ]
    const load = async () => ({ manifest: { dependencies } as unknown as Manifest })
    expect(await needsOf(agent('app'), load)).toEqual({ name: 'app', needs: ['db', 'store', 'mail'] })
    expect(await needsOf(agent('app'), () => Promise.reject(new Error('gone')))).toEqual({ name: 'app', needs: [] })
  })
})
