/** Jobs: programs that run once, and of which nothing stays. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect } from 'vitest'
import type { JobSpec, RuntimeAdapter } from '../../../runtimes/adapter.ts'
import { Secret } from '../../../src/core/secret.ts'
import { programs } from '../../helpers/runtime-programs.ts'
import type { Contract } from '../runtime.ts'
import { collect, decode, failure, within, type ExecResult, type Scope, type SpecOverrides } from './kit.ts'

const sh = (text: string, ...args: string[]): string[] => ['sh', '-c', text, 'job', ...args]

function jobOf(t: Scope, overrides: SpecOverrides = {}): JobSpec {
  const { name: _name, ports: _ports, stopGraceSeconds: _grace, ...job } = t.spec(overrides)
  return job
}

async function run(t: Scope, overrides: SpecOverrides): Promise<ExecResult> {
  const session = await t.adapter.job(jobOf(t, overrides))
  const all = Promise.all([collect(session.stdout), collect(session.stderr), session.exit])
  const [stdout, stderr, code] = await within(all, 'the end of a job')
  return { code, stdout: decode(stdout), stderr: decode(stderr) }
}

/** Nothing of any job is left, and so nothing can be removed. */
async function expectNone(t: Scope, adapter: RuntimeAdapter = t.adapter): Promise<void> {
  expect(await adapter.sweep(t.workspace, { jobs: 'all' })).toEqual({ jobs: [], networks: [] })
}

export function jobCases(contract: Contract): void {
  ends(contract)
  surroundings(contract)
  kills(contract)
  leftovers(contract)
}

function ends(contract: Contract): void {
  contract('a job runs to its end, with its own output and exit code', async (t) => {
    expect(await run(t, { command: programs.speaks('to out', 'to err', '3') })).toEqual({
      code: 3,
      stdout: 'to out',
      stderr: 'to err',
    })
    expect((await run(t, { command: programs.exits('0') })).code).toBe(0)
    // The code by which engines tell of their own failure is a program's as well.
    expect((await run(t, { command: programs.exits('125') })).code).toBe(125)
    await expectNone(t)
  })

  contract('jobs of an agent run side by side with it, and are no instances', async (t) => {
    const made = await t.start()
    const session = await t.adapter.job(jobOf(t, { command: programs.idle() }))
    for await (const chunk of session.stdout) if (decode(chunk).includes('up')) break
    expect((await t.adapter.list({ workspace: t.workspace })).map(({ name }) => name)).toEqual([made.name])
    expect((await run(t, { command: programs.exits('4') })).code).toBe(4)
    await session.kill()
    expect(await t.adapter.inspect(made.name)).toMatchObject({ state: 'running' })
  })

  contract('a job of a missing image is IMAGE_NOT_FOUND and leaves nothing', async (t) => {
    const run = t.adapter.job(jobOf(t, { image: t.target.missingImage })).then(({ exit }) => exit)
    await failure(within(run, 'the end of a job without an image'), 'IMAGE_NOT_FOUND')
    await expectNone(t)
  })

  contract('a job with a mount that is not there is an error', async (t) => {
    const source = join(t.folder, 'not-there')
    const mounts = [{ source, target: '/data', readOnly: true }]
    const run = t.adapter.job(jobOf(t, { mounts })).then(({ exit }) => exit)
    const error = await failure(within(run, 'the end of a job without its mount'), 'CONFIG_INVALID')
    expect(error.message).toContain(source)
    await expectNone(t)
  })
}

function surroundings(contract: Contract): void {
  contract('a job has environment, folder and mounts of its spec', async (t) => {
    const source = join(t.folder, 'cache')
    await mkdir(source, { mode: 0o777 })
    const { code, stdout } = await run(t, {
      command: sh('printf %s "$TOKEN" >made.txt; pwd'),
      env: { TOKEN: new Secret('a "secret",\nof two lines') },
      workdir: '/cache',
      mounts: [{ source, target: '/cache', readOnly: false }],
    })
    expect({ code, stdout }).toEqual({ code: 0, stdout: t.capabilities.bindMounts ? '/cache\n' : `${source}\n` })
    expect(await readFile(join(source, 'made.txt'), 'utf8')).toBe('a "secret",\nof two lines')
  })

  contract('a job is hardened as every instance is', async (t) => {
    const { stdout } = await run(t, { command: sh('cat /proc/self/status; cat /proc/1/comm') })
    expect(stdout).toMatch(/^NoNewPrivs:\s+1$/m)
    expect(stdout.trim().split('\n').at(-1)).toMatch(/init|tini|catatonit|bwrap/)
  })

  contract('what a job leaves in the background ends with it', async (t) => {
    const made = await t.start()
    const mark = String(2_000_000 + Math.floor(Math.random() * 1_000_000_000))
    expect((await run(t, { command: sh('(sleep "$1" </dev/null >/dev/null 2>&1 &); exit 6', mark) })).code).toBe(6)
    if (t.target.images === null) expect(await t.survivors(made.name, mark)).toBe(0)
    await expectNone(t)
  })
}

function kills(contract: Contract): void {
  contract('a job that is killed or given up is removed', async (t) => {
    const controller = new AbortController()
    const job = jobOf(t, { command: programs.stubborn() })
    const [killed, aborted, young] = await Promise.all([
      t.adapter.job(job),
      t.adapter.job(job, { signal: controller.signal }),
      t.adapter.job(job),
    ])
    // One of them may not even have been created.
    await young.kill()
    for (const session of [killed, aborted]) {
      for await (const chunk of session.stdout) if (decode(chunk).includes('up')) break
    }
    controller.abort()
    await killed.kill()
    const codes = Promise.all([killed.exit, aborted.exit, young.exit])
    for (const code of await within(codes, 'the end of killed jobs')) expect(code).toBeGreaterThan(0)
    await expectNone(t)
    await failure(t.adapter.job(job, { signal: controller.signal }), 'INTERRUPTED')
  })

  contract('jobs end with their adapter', async (t) => {
    const other = await t.otherAdapter()
    const session = await other.job(jobOf(t, { command: programs.stubborn() }))
    for await (const chunk of session.stdout) if (decode(chunk).includes('up')) break
    await other[Symbol.asyncDispose]()
    expect(await within(session.exit, 'the end of the job')).toBeGreaterThan(0)
    await expectNone(t)
  })
}

function leftovers(contract: Contract): void {
  contract('a job whose starter was killed is found and removed', async (t) => {
    const job = jobOf(t, { agent: 'left', command: programs.stubborn() })
    const starter = await startElsewhere(t, job)
    // Its starter lives: it may still be waiting.
    expect(await t.adapter.sweep(t.workspace)).toEqual({ jobs: [], networks: [] })
    const gone = new Promise((resolve) => starter.once('exit', resolve))
    starter.kill('SIGKILL')
    await gone
    expect(await t.adapter.list({ workspace: t.workspace })).toEqual([])
    const swept = await t.adapter.sweep(t.workspace)
    expect(swept.jobs).toHaveLength(1)
    await expectNone(t)
  })

  contract('sweep of all jobs ends those that run', async (t) => {
    const session = await t.adapter.job(jobOf(t, { command: programs.stubborn() }))
    for await (const chunk of session.stdout) if (decode(chunk).includes('up')) break
    expect((await t.adapter.sweep(t.newWorkspace(), { jobs: 'all' })).jobs).toEqual([])
    expect((await t.adapter.sweep(t.workspace, { jobs: 'all' })).jobs).toHaveLength(1)
    expect(await within(session.exit, 'the end of the job')).toBeGreaterThan(0)
    await expectNone(t)
  })
}

/** Another process of ours that waits for the job; it has printed something when this resolves. */
async function startElsewhere(t: Scope, job: JobSpec): Promise<ChildProcess> {
  const program = join(t.folder, 'starter.mjs')
  await build({
    entryPoints: [fileURLToPath(new URL('../../helpers/runtime-job.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'silent',
  })
  // Packages are found from the tree, not from the temporary folder.
  const cwd = fileURLToPath(new URL('../../..', import.meta.url))
  const args = ['--input-type=module', '-', t.adapter.id, join(t.folder, 'state'), JSON.stringify(job)]
  const child = spawn(process.execPath, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] })
  t.defer(async () => void child.kill('SIGKILL'))
  child.stdin.end(await readFile(program))
  const up = (async () => {
    for await (const chunk of child.stdout) if (String(chunk).includes('up')) return
    throw new Error('the starter of the job ended')
  })()
  await within(up, 'the start of a job by another process')
  return child
}
