/** Programs started in a running instance. */
import { eventually } from '../../helpers/eventually.ts'
import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { programs } from '../../helpers/runtime-programs.ts'
import type { Contract } from '../runtime.ts'
import { collect, decode, failure, marker, within } from './kit.ts'
import { createMemoryWatch } from './memory.ts'

export const execCases = { small, large }

function small(contract: Contract): void {
  output(contract)
  input(contract)
  surroundings(contract)
  ending(contract)
}

function output(contract: Contract): void {
  contract('exec gives the exit code and keeps stdout and stderr apart', async ({ start, exec }) => {
    const { name } = await start()
    expect(await exec(name, programs.speaks('to out 🦀\n', 'to err\n', '0'))).toEqual({
      code: 0,
      stdout: 'to out 🦀\n',
      stderr: 'to err\n',
    })
    expect(await exec(name, programs.speaks('', '', '42'))).toEqual({ code: 42, stdout: '', stderr: '' })
    expect((await exec(name, programs.exits('255'))).code).toBe(255)
  })

  contract('exec passes arguments unchanged', async ({ start, exec }) => {
    const { name } = await start()
    const odd = `a b\t"c" 'd' \\ $HOME $(id) \`id\` ; & | > * ? \n 🦀 --flag -- ${'x'.repeat(2000)}`
    expect((await exec(name, programs.speaks(odd, '', '0'))).stdout).toBe(odd)
    expect((await exec(name, programs.speaks('', odd, '0'))).stderr).toBe(odd)
  })

  contract('exec of a program that is not there is 126 or 127', async ({ start, exec }) => {
    const { name } = await start()
    expect([126, 127]).toContain((await exec(name, ['no-such-program-at-all'])).code)
  })

  contract('ten execs at once do not mix', async ({ start, exec }) => {
    const { name } = await start()
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, i) => exec(name, programs.speaks(`out ${i}`, `err ${i}`, String(i)))),
    )
    expect(results).toEqual(results.map((_, i) => ({ code: i, stdout: `out ${i}`, stderr: `err ${i}` })))
  })
}

function input(contract: Contract): void {
  contract('exec feeds stdin: text, bytes, a stream, nothing', async ({ start, adapter, exec }) => {
    const { name } = await start()
    expect((await exec(name, programs.copies(), { stdin: 'text 🦀\n' })).stdout).toBe('text 🦀\n')
    const bytes = new Uint8Array(Array.from({ length: 256 }, (_, i) => i))
    const binary = await adapter.exec(name, programs.copies(), { stdin: bytes })
    expect(await within(collect(binary.stdout), 'the bytes')).toEqual(bytes)
    async function* parts(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 100; i++) yield new TextEncoder().encode(`part ${i}\n`)
    }
    const streamed = await exec(name, programs.copies(), { stdin: parts() })
    expect(streamed.stdout).toBe(Array.from({ length: 100 }, (_, i) => `part ${i}\n`).join(''))
    expect(await exec(name, programs.copies())).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  contract('output of a program that reads none of its input is not lost', async ({ start, exec }) => {
    const { name } = await start()
    // Not every run loses it where it is lost: two of three did.
    for (let run = 0; run < 12; run++) {
      const { code, stdout } = await exec(name, programs.speaks(`out ${run}`, '', String(run)), {
        stdin: '{"tool":"x"}\n',
      })
      expect({ code, stdout }).toEqual({ code: run, stdout: `out ${run}` })
    }
  })

  contract('exec of a program that reads none of its input ends all the same', async ({ start, exec }) => {
    const { name } = await start()
    expect((await exec(name, programs.exits('3'), { stdin: 'x'.repeat(1_000_000) })).code).toBe(3)
  })
}

function surroundings(contract: Contract): void {
  contract('exec has the env of the instance, its own on top, and the folder asked for', async (t) => {
    const { name } = await t.start({ env: { KEPT: 'kept', CHANGED: 'before' } })
    const env = { CHANGED: 'after, "new"\nline', SECRET: new Secret('s3cret') }
    const shown = await t.exec(name, programs.shows('KEPT', 'CHANGED', 'SECRET'), { env })
    expect(shown.stdout).toBe('kept\0after, "new"\nline\0s3cret\0')
    const cwd = t.capabilities.bindMounts ? '/etc' : t.folder
    expect((await t.exec(name, programs.folder(), { cwd })).stdout.trim()).toBe(cwd)
  })

  contract('the instance and its execs start in the working folder of the spec', async (t) => {
    const workdir = t.capabilities.bindMounts ? '/usr' : t.folder
    const { name } = await t.start({ workdir })
    expect((await t.exec(name, programs.folder())).stdout.trim()).toBe(workdir)
  })

  contract('exec runs as the user asked for', async ({ start, exec }) => {
    const { name } = await start()
    const shown = await exec(name, ['id', '-u'], { user: '1234' })
    expect(shown.stdout.trim()).toBe('1234')
  })
}

function ending(contract: Contract): void {
  contract('exec kill ends the whole tree inside', async (t) => {
    const { name } = await t.start()
    const mark = marker()
    const session = await t.adapter.exec(name, programs.tree(mark))
    await until(session.stdout, 'up')
    await eventually(async () => expect(await t.survivors(name, mark)).toBe(2))
    await within(session.kill(), 'kill')
    expect(await within(session.exit, 'the exit')).not.toBe(0)
    expect(await t.survivors(name, mark)).toBe(0)
    await session.kill()
    expect((await t.adapter.inspect(name))?.state).toBe('running')
  })

  contract('exec abort ends the whole tree inside', async (t) => {
    const { name } = await t.start()
    const mark = marker()
    const controller = new AbortController()
    const session = await t.adapter.exec(name, programs.tree(mark), { signal: controller.signal })
    await until(session.stdout, 'up')
    await eventually(async () => expect(await t.survivors(name, mark)).toBe(2))
    controller.abort()
    await within(
      session.exit.catch(() => {}),
      'the exit',
    )
    await eventually(async () => expect(await t.survivors(name, mark)).toBe(0))
  })

  contract('exec with an aborted signal starts nothing', async ({ start, adapter }) => {
    const { name } = await start()
    await failure(adapter.exec(name, programs.copies(), { signal: AbortSignal.abort() }), 'INTERRUPTED')
  })

  contract('removing the instance ends its execs', async ({ start, adapter }) => {
    const { name } = await start()
    const session = await adapter.exec(name, programs.stubborn())
    await until(session.stdout, 'up')
    await adapter.remove(name)
    const code = await within(
      session.exit.catch(() => 1),
      'the exit',
    )
    expect(code).not.toBe(0)
  })
}

/** Reads until the text has come, without closing the stream. */
async function until(source: AsyncIterable<Uint8Array>, text: string): Promise<void> {
  const iterator = source[Symbol.asyncIterator]()
  let seen = ''
  while (!seen.includes(text)) {
    const step = await within(iterator.next(), `"${text}" of the program`)
    if (step.done) throw new Error(`the output ended without "${text}": ${seen}`)
    seen += decode(step.value)
  }
}

const MEGABYTES = 50

/** sha256 of what `floods` prints. */
function expectedHash(): string {
  const hash = createHash('sha256')
  const padding = 'x'.repeat(990)
  for (let i = 0; i < MEGABYTES * 1000; i++) hash.update(`${String(i).padStart(9, '0')}${padding}\n`)
  return hash.digest('hex')
}

function large(contract: Contract): void {
  contract('50 MB come through exec without loss or memory growth', async ({ start, adapter }) => {
    const { name } = await start()
    const session = await adapter.exec(name, programs.floods(String(MEGABYTES)))
    const memory = createMemoryWatch()
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of session.stdout) {
      hash.update(chunk)
      bytes += chunk.byteLength
      memory.sample(bytes)
    }
    expect(bytes).toBe(MEGABYTES * 1_000_000)
    expect(hash.digest('hex')).toBe(expectedHash())
    expect(await session.exit).toBe(0)
    memory.expectFlat()
  })

  contract('a reader that pauses holds the program back and loses nothing', async ({ start, adapter, exec }) => {
    const { name } = await start()
    const session = await adapter.exec(name, programs.floods(String(MEGABYTES)))
    const memory = createMemoryWatch()
    let bytes = 0
    let pauses = 0
    for await (const chunk of session.stdout) {
      bytes += chunk.byteLength
      if (bytes / 10_000_000 > pauses + 1) {
        pauses += 1
        // Meanwhile the program could have written everything, were it not held back.
        for (let i = 0; i < 3; i++) expect((await exec(name, programs.exits('0'))).code).toBe(0)
        memory.measure()
      }
    }
    expect(bytes).toBe(MEGABYTES * 1_000_000)
    expect(pauses).toBeGreaterThan(2)
    memory.expectFlat()
  })

  contract('10 MB of stdin reach the program without loss', async ({ start, adapter }) => {
    const { name } = await start()
    const block = Buffer.alloc(100_000, 'abcdefghij')
    async function* blocks(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 100; i++) yield block
    }
    const session = await adapter.exec(name, programs.copies(), { stdin: blocks() })
    let bytes = 0
    for await (const chunk of session.stdout) bytes += chunk.byteLength
    expect(bytes).toBe(10_000_000)
    expect(await session.exit).toBe(0)
  })
}
