/** What programs wrote. */
import { eventually } from '../../helpers/eventually.ts'
import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { LogLine } from '../../../runtimes/adapter.ts'
import { programs } from '../../helpers/runtime-programs.ts'
import type { Contract } from '../runtime.ts'
import { marker, toArray, within } from './kit.ts'
import { createMemoryWatch } from './memory.ts'

export const logCases = { small, large }

const textsOf = (lines: readonly LogLine[], stream: LogLine['stream']): string[] =>
  lines.filter((line) => line.stream === stream).map(({ text }) => text)

function small(contract: Contract): void {
  contract('logs keep both streams apart, in order, with times', async (t) => {
    const before = Date.now()
    const { name } = await t.start({ command: programs.writes() })
    await t.reaches(name, 'stopped')
    const lines = await t.logs(name)
    expect(textsOf(lines, 'stdout')).toEqual(['out one', '', 'out žluťoučký 🦀 "quoted"', 'unended'])
    expect(textsOf(lines, 'stderr')).toEqual(['err one', 'err two'])
    for (const { at } of lines) {
      if (at === null) continue
      expect(Date.parse(at)).toBeGreaterThan(before - 60_000)
      expect(Date.parse(at)).toBeLessThan(Date.now() + 60_000)
    }
  })

  contract('logs give the last lines', async (t) => {
    const { name } = await t.start({ command: programs.manyLines('200') })
    await t.reaches(name, 'stopped')
    expect((await t.logs(name, { tail: 3 })).map(({ text }) => text)).toEqual(['line 198', 'line 199', 'line 200'])
    expect(await t.logs(name, { tail: 0 })).toEqual([])
    expect(await t.logs(name)).toHaveLength(200)
  })

  contract('logs since a time leave out what was before', async (t) => {
    const go = t.inside(`go-${marker()}`)
    const { name } = await t.start({ command: programs.steps(go) })
    const one = await t.sees(name, 'one')
    // Times have milliseconds here: the next one begins before the next line is written.
    const next = Math.max(Date.now(), Date.parse(one.at ?? '1970-01-01')) + 1
    await eventually(() => expect(Date.now()).toBeGreaterThan(next))
    const since = new Date(next).toISOString()
    await t.exec(name, programs.touches(go))
    await t.sees(name, 'two')
    expect((await t.logs(name, { since })).map(({ text }) => text)).toEqual(['two'])
  })

  contract('followed logs come as they are written and end with the program', async (t) => {
    const go = t.inside(`go-${marker()}`)
    const { name } = await t.start({ command: programs.steps(go) })
    const iterator = t.adapter.logs(name, { follow: true })[Symbol.asyncIterator]()
    expect((await within(iterator.next(), 'the first line')).value).toMatchObject({ stream: 'stdout', text: 'one' })
    await t.exec(name, programs.touches(go))
    expect((await within(iterator.next(), 'the second line')).value).toMatchObject({ text: 'two' })
    const rest = toArray({ [Symbol.asyncIterator]: () => iterator })
    await t.adapter.stop(name)
    // Shells differ in what they say on stderr about a child that a signal ended.
    expect(textsOf(await within(rest, 'the end'), 'stdout')).toEqual([])
  })

  contract('followed logs end when the signal aborts', async (t) => {
    const { name } = await t.start()
    const controller = new AbortController()
    const lines: string[] = []
    const run = (async () => {
      for await (const { text } of t.adapter.logs(name, { follow: true, signal: controller.signal })) {
        lines.push(text)
        controller.abort()
      }
    })()
    await within(
      run.catch((error: unknown) => expect(error).toMatchObject({ code: 'INTERRUPTED' })),
      'the end',
    )
    expect(lines).toEqual(['up'])
  })

  contract('a reader that leaves early holds nothing up', async (t) => {
    const { name } = await t.start({ command: programs.manyLines('500') })
    await t.reaches(name, 'stopped')
    for await (const { text } of t.adapter.logs(name, { follow: true })) {
      expect(text).toBe('line 1')
      break
    }
    expect(await t.adapter.remove(name)).toBe(true)
  })

  contract('a very long line is complete, in pieces if need be', async (t) => {
    const { name } = await t.start({ command: programs.longLine('300') })
    await t.reaches(name, 'stopped')
    const text = (await t.logs(name)).map((line) => line.text).join('')
    expect(text.length).toBe(300_000)
    expect(text).toBe(Array.from({ length: 300 }, (_, i) => String(i).padStart(1000, '0')).join(''))
  })

  contract('logs outlive a stop and start anew with a replacement', async (t) => {
    const { name } = await t.start()
    await t.sees(name, 'up')
    await t.adapter.stop(name)
    expect(textsOf(await t.logs(name), 'stdout')).toEqual(['up'])
    await t.adapter.apply(t.spec({ command: programs.steps('/nonexistent') }))
    await t.sees(name, 'one')
    expect(textsOf(await t.logs(name), 'stdout')).toEqual(['one'])
  })
}

const MEGABYTES = 50

function large(contract: Contract): void {
  contract('50 MB come through logs without loss or memory growth', async (t) => {
    const { name } = await t.start({ command: programs.floods(String(MEGABYTES)) })
    await t.reaches(name, 'stopped')
    const memory = createMemoryWatch()
    const hash = createHash('sha256')
    const expected = createHash('sha256')
    const padding = 'x'.repeat(990)
    let lines = 0
    for await (const { text } of t.adapter.logs(name)) {
      hash.update(text)
      expected.update(`${String(lines).padStart(9, '0')}${padding}`)
      lines += 1
      memory.sample(lines * 1000)
    }
    expect(lines).toBe(MEGABYTES * 1000)
    expect(hash.digest('hex')).toBe(expected.digest('hex'))
    memory.expectFlat()
    expect(await toArray(t.adapter.logs(name, { tail: 1 }))).toHaveLength(1)
  })
}
