import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { until } from '../../src/core/time.ts'
import { run } from '../../src/platform/run.ts'

/** A program in Node. */
const program = (source: string, ...args: string[]) => ({ file: process.execPath, args: ['-e', source, ...args] })

async function folder(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'ploinky-run-'))
  try {
    await use(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

describe('a program that ends', () => {
  it('gives exit code and both outputs, whole and unchanged', async () => {
    const result = await run(program('console.log("é\\n");console.error("e");process.exitCode=7'))
    expect(result).toEqual({ exitCode: 7, stdout: 'é\n\n', stderr: 'e\n' })
  })

  it('gets its arguments without a shell', async () => {
    const { stdout } = await run(program('console.log(JSON.stringify(process.argv.slice(1)))', '$HOME', 'a b', "'", ''))
    expect(JSON.parse(stdout)).toEqual(['$HOME', 'a b', "'", ''])
  })

  it('gets its input, and none when there is none', async () => {
    expect((await run({ file: 'cat', args: [] }, { stdin: 'in\n' })).stdout).toBe('in\n')
    expect((await run({ file: 'cat', args: [] })).stdout).toBe('')
    // More than a pipe holds, for a program that reads nothing.
    expect((await run({ file: 'true', args: [] }, { stdin: 'x'.repeat(1 << 20) })).exitCode).toBe(0)
  })

  it('gets our environment with additions, secrets and removals', async () => {
    process.env['PLOINKY_RUN_TEST'] = 'there'
    try {
      const env = { ADDED: 'a', HIDDEN: new Secret('s'), PLOINKY_RUN_TEST: undefined }
      const source =
        'console.log([process.env.ADDED,process.env.HIDDEN,process.env.PLOINKY_RUN_TEST,!!process.env.PATH])'
      const { stdout } = await run({ ...program(source), env })
      expect(stdout).toBe("[ 'a', 's', undefined, true ]\n")
    } finally {
      delete process.env['PLOINKY_RUN_TEST']
    }
  })

  it('by a signal has its number', async () => {
    expect((await run(program('process.kill(process.pid,"SIGKILL")'))).exitCode).toBe(137)
  })
})

describe('a program that cannot be started', () => {
  it.each([
    ['is missing', { file: 'ploinky-no-such-program', args: [] }, 'not found'],
    ['is no program', { file: tmpdir(), args: [] }, 'not executable'],
    ['has an argument that no system takes', { file: 'true', args: ['a\0b'] }, 'ERR_INVALID_ARG_VALUE'],
  ])('because it %s, is RUNTIME_UNAVAILABLE', async (_why, spec, words) => {
    await expect(run(spec)).rejects.toMatchObject({
      code: 'RUNTIME_UNAVAILABLE',
      message: expect.stringContaining(words) as unknown,
    })
  })
})

describe('a program that is ended', () => {
  const stubborn = (file: string) => `
    require('fs').writeFileSync(${JSON.stringify(file)}, String(process.pid))
    process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`
  const isGone = (pid: number): true | null => {
    try {
      process.kill(pid, 0)
      return null
    } catch {
      return true
    }
  }

  it('after its time is over, even when it ignores the request', () =>
    folder(async (dir) => {
      const file = join(dir, 'pid')
      await expect(run(program(stubborn(file)), { timeoutMs: 700 })).rejects.toMatchObject({ code: 'TIMEOUT' })
      const pid = Number(await readFile(file, 'utf8'))
      await until(async () => isGone(pid), { timeoutMs: 5000, what: 'the end of the program' })
    }))

  it('when the signal aborts, and is not started when it has aborted already', async () => {
    const abort = new AbortController()
    const running = run({ file: 'sleep', args: ['60'] }, { signal: abort.signal })
    abort.abort()
    await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' })
    await expect(run({ file: 'sleep', args: ['60'] }, { signal: abort.signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    })
  })

  it('does not wait for a child of its own that holds the output', () =>
    folder(async (dir) => {
      const file = join(dir, 'pid')
      const abort = new AbortController()
      const spec = { file: 'sh', args: ['-c', 'sleep 60 & echo $! > "$1.new"; mv "$1.new" "$1"; wait', 'sh', file] }
      const running = run(spec, { signal: abort.signal })
      const pid = await until(async () => (await readFile(file, 'utf8').catch(() => null))?.trim(), {
        timeoutMs: 10_000,
        what: 'the child',
      })
      abort.abort()
      await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' })
      process.kill(Number(pid), 'SIGKILL')
    }))

  it('when it prints more than is kept', async () => {
    await expect(run({ file: 'yes', args: [] }, { maxBytes: 100_000 })).rejects.toMatchObject({
      code: 'RUNTIME_FAILED',
    })
    const fits = await run(program('process.stdout.write("x".repeat(1000))'), { maxBytes: 1000 })
    expect(fits.stdout).toHaveLength(1000)
  })
})
