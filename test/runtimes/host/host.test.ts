import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RuntimeAdapter, WorkloadSpec } from '../../../runtimes/adapter.ts'
import { hostRuntime } from '../../../runtimes/host/index.ts'
import { silentLogger } from '../../../src/core/log.ts'
import { Secret } from '../../../src/core/secret.ts'
import { until } from '../../../src/core/time.ts'
import type { Platform } from '../../../src/platform/index.ts'
import { testPlatform } from '../../helpers/runtime-engines.ts'
import { specFor } from '../../helpers/runtime-spec.ts'

const IDLE = ['sh', '-c', `trap 'exit 0' TERM; echo up; while :; do sleep 1000 & wait $!; done`]
const isLinux = process.platform === 'linux'

let folder = ''
let stateDir = ''
let adapters: RuntimeAdapter[] = []

function open(platform: Platform = testPlatform): RuntimeAdapter {
  const adapter = hostRuntime.create({ platform, log: silentLogger, stateDir })
  adapters.push(adapter)
  return adapter
}

/** A workspace of this test's own: instances are found by it, also by their processes' tags. */
const workspace = (): string => `ht${folder.split('-').at(-1)?.toLowerCase()}`
const spec = (overrides: Partial<WorkloadSpec> = {}): WorkloadSpec =>
  specFor(workspace(), { command: IDLE, ...overrides })

const isAlive = async (pid: number): Promise<boolean> => (await testPlatform.processes.info(pid)) !== null
const gone = (pid: number): Promise<true> =>
  until(async () => ((await isAlive(pid)) ? null : true), { timeoutMs: 20_000, what: `the end of ${pid}` })

async function logged(adapter: RuntimeAdapter, name: string, text: string): Promise<string> {
  for await (const line of adapter.logs(name, { follow: true })) if (line.text.includes(text)) return line.text
  throw new Error(`no "${text}" in the logs`)
}

async function output(source: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of source) text += decoder.decode(chunk, { stream: true })
  return text
}

async function allFiles(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ploinky-test-'))
  stateDir = join(folder, 'state')
})
afterEach(async () => {
  const adapter = open()
  for (const { name } of await adapter.list({ workspace: workspace() }).catch(() => [])) await adapter.remove(name)
  await Promise.all(adapters.map((one) => one[Symbol.asyncDispose]()))
  adapters = []
  await rm(folder, { recursive: true, force: true })
})

describe('ports of plain processes', () => {
  const ports = [{ container: 7000, host: 0, hostIp: '127.0.0.1', protocol: 'tcp' as const }]

  it('are told to the program, and kept over a stop and over a change of the spec', async () => {
    const adapter = open()
    const command = ['sh', '-c', `echo "port $PORT $PLOINKY_PORT_7000"; exec sleep 100000`]
    const first = await adapter.apply(spec({ ports, command }))
    const host = first.workload.ports[0]?.host
    expect(host).toBeGreaterThan(1023)
    expect(await logged(adapter, first.workload.name, 'port')).toBe(`port ${host} ${host}`)
    await adapter.stop(first.workload.name)
    expect(await adapter.endpoint(first.workload.name, 7000)).toBeNull()
    expect((await adapter.apply(spec({ ports, command }))).workload.ports[0]?.host).toBe(host)
    const changed = await adapter.apply(spec({ ports, command, env: { NEW: '1' } }))
    expect(changed.outcome).toBe('replaced')
    expect(changed.workload.ports[0]?.host).toBe(host)
  })

  it('differ between agents, also between those that do not listen yet', async () => {
    const adapter = open()
    const agents = ['one', 'two', 'three', 'four']
    const started = await Promise.all(agents.map((agent) => adapter.apply(spec({ agent, ports }))))
    expect(new Set(started.map(({ workload }) => workload.ports[0]?.host)).size).toBe(4)
  })
})

describe('secrets', () => {
  it.runIf(isLinux)('are in no argument and in no file, and still reach programs started later', async () => {
    const adapter = open()
    const secret = `pl0inky-${process.pid}-t0p-s3cret`
    const { workload } = await adapter.apply(spec({ env: { KEY: new Secret(secret), PLAIN: 'visible' } }))
    await logged(adapter, workload.name, 'up')
    const files = await allFiles(stateDir)
    expect(files.length).toBeGreaterThan(2)
    for (const file of files) expect(await readFile(file, 'utf8'), file).not.toContain(secret)
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
    expect(lines.some((line) => line.includes('ploinky-host'))).toBe(true)
    expect(lines.filter((line) => line.includes(secret))).toEqual([])
    const session = await open().exec(workload.name, ['sh', '-c', 'echo "$KEY $PLAIN"'])
    expect(await output(session.stdout)).toBe(`${secret} visible\n`)
  })

  it('are kept where nobody else can look', async () => {
    const { workload } = await open().apply(spec({ env: { KEY: new Secret('s') } }))
    const mode = async (path: string): Promise<number> => (await stat(join(stateDir, workload.name, path))).mode & 0o777
    expect(await mode('')).toBe(0o700)
    expect(await mode('record.json')).toBe(0o600)
    expect(await mode('log/stdout.log')).toBe(0o600)
  })

  it("of the operator's environment do not reach any program", async () => {
    const adapter = open({ ...testPlatform, env: { ...testPlatform.env, OPERATOR_TOKEN: 'mine' } })
    process.env['OPERATOR_TOKEN'] = 'mine'
    try {
      const show = ['sh', '-c', 'echo "token:${OPERATOR_TOKEN-none}"']
      const { workload } = await adapter.apply(spec({ command: ['sh', '-c', `${show[2]}; exec sleep 100000`] }))
      expect(await logged(adapter, workload.name, 'token:')).toBe('token:none')
      expect(await output((await adapter.exec(workload.name, show)).stdout)).toBe('token:none\n')
      const tty = await adapter.openTty(workload.name, show, { cols: 80, rows: 24 })
      expect(await output(tty.output)).toBe('token:none\r\n')
      const handed = await adapter.interactive(workload.name, show, { tty: false })
      expect((await testPlatform.processes.run(handed)).stdout).toBe('token:none\n')
    } finally {
      delete process.env['OPERATOR_TOKEN']
    }
  })
})

describe('records', () => {
  it('of a process id that is somebody else by now lead to no signal', async () => {
    const adapter = open()
    const { workload } = await adapter.apply(spec())
    await adapter.stop(workload.name)
    const stranger = spawn('sleep', ['100000'], { detached: true, stdio: 'ignore' })
    try {
      const path = join(stateDir, workload.name, 'record.json')
      const record = JSON.parse(await readFile(path, 'utf8'))
      await rm(join(stateDir, workload.name, 'exit'))
      await writeFile(join(stateDir, workload.name, 'pid'), `${stranger.pid}\n`)
      await writeFile(path, JSON.stringify({ ...record, supervisor: { ...record.supervisor, pid: stranger.pid } }))
      expect(await adapter.inspect(workload.name)).toMatchObject({ state: 'dead', pid: null })
      expect(await adapter.stop(workload.name)).toBe(false)
      expect(await adapter.remove(workload.name)).toBe(true)
      expect(await isAlive(stranger.pid ?? 0)).toBe(true)
    } finally {
      stranger.kill('SIGKILL')
    }
  })

  it('that are torn are reported by name, not reset', async () => {
    const adapter = open()
    const { workload } = await adapter.apply(spec())
    await adapter.stop(workload.name)
    const path = join(stateDir, workload.name, 'record.json')
    const before = await readFile(path, 'utf8')
    for (const torn of ['', '{"version":1,', '[]', '{"version":2}', before.replace(workload.name, 'another')]) {
      await writeFile(path, torn)
      await expect(adapter.inspect(workload.name)).rejects.toMatchObject({ code: 'STATE_INVALID', details: { path } })
      await expect(adapter.apply(spec())).rejects.toMatchObject({ code: 'STATE_INVALID' })
      expect(await readFile(path, 'utf8')).toBe(torn)
    }
    await writeFile(path, before)
    expect(await adapter.inspect(workload.name)).toMatchObject({ state: 'stopped' })
  })

  it.each(['../state', '..', '/etc', 'a/b', '', '.hidden', 'a..b', 'x'.repeat(300), 'a\0b'])(
    'of the name %j are not looked for outside the folder',
    async (name) => {
      const adapter = open()
      expect(await adapter.inspect(name)).toBeNull()
      expect(await adapter.stop(name)).toBe(false)
      expect(await adapter.remove(name)).toBe(false)
    },
  )
})

describe.runIf(isLinux)('processes of an instance', () => {
  it('are ended by a stop also in sessions of their own and without their environment', async () => {
    const adapter = open()
    const daemons = `setsid sh -c 'trap "" TERM; echo $$ >"$0/one"; sleep 100000 & echo $! >"$0/two"; wait' "$0" &
      env -i setsid sh -c 'trap "" TERM; echo $$ >"$0/three"; exec sleep 100000' "$0" &
      trap 'exit 0' TERM; while [ ! -s "$0/one" ] || [ ! -s "$0/two" ] || [ ! -s "$0/three" ]; do sleep 0.05; done
      echo up; while :; do sleep 1000 & wait $!; done`
    const { workload } = await adapter.apply(spec({ command: ['sh', '-c', daemons, folder] }))
    await logged(adapter, workload.name, 'up')
    const files = ['one', 'two', 'three'].map((file) => join(folder, file))
    const pids = (await Promise.all(files.map((file) => readFile(file, 'utf8')))).map(Number)
    for (const pid of pids) expect(await isAlive(pid)).toBe(true)
    await adapter.stop(workload.name)
    for (const pid of pids) await gone(pid)
    expect((await adapter.inspect(workload.name))?.state).toBe('stopped')
  })

  it('are found when their supervisor was killed, and make room for the next start', async () => {
    const adapter = open()
    const { workload } = await adapter.apply(spec())
    const supervisor = Number(workload.id.split('-')[0])
    process.kill(supervisor, 'SIGKILL')
    await gone(supervisor)
    expect(await adapter.inspect(workload.name)).toMatchObject({ state: 'dead', exitCode: null })
    expect(await isAlive(workload.pid ?? 0)).toBe(true)
    const again = await adapter.apply(spec())
    await gone(workload.pid ?? 0)
    expect(again.workload.state).toBe('running')
  })

  it('end with the main program, as those of a container do', async () => {
    const adapter = open()
    const command = ['sh', '-c', `sleep 100000 & echo $! >"$0/child"; exit 3`, folder]
    const { workload } = await adapter.apply(spec({ command }))
    await until(async () => ((await adapter.inspect(workload.name))?.state === 'stopped' ? true : null), {
      timeoutMs: 20_000,
      what: 'the end',
    })
    await gone(Number(await readFile(join(folder, 'child'), 'utf8')))
    expect((await adapter.inspect(workload.name))?.exitCode).toBe(3)
  })
})

describe('a spec that cannot be a plain process', () => {
  it.each<[string, Partial<WorkloadSpec>, string, RegExp]>([
    ['no command', { command: null }, 'CONFIG_INVALID', /no command/],
    ['another user', { user: 'nobody-here' }, 'CAPABILITY_UNSUPPORTED', /nobody-here/],
    ['no such folder', { workdir: '/no/such/folder' }, 'CONFIG_INVALID', /\/no\/such\/folder/],
    ['no such program', { command: ['no-such-program-here'] }, 'RUNTIME_FAILED', /no-such-program-here/],
    ['a name with an equals sign', { env: { 'A=B': '1' } }, 'CONFIG_INVALID', /A=B/],
  ])('%s', async (_what, overrides, code, message) => {
    const adapter = open()
    await adapter.apply(spec())
    const running = await adapter.list({ workspace: workspace() })
    const error = await adapter.apply(spec(overrides)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, message: expect.stringMatching(message), hint: expect.any(String) })
    // A typing error must not cost a running agent.
    expect(await adapter.list({ workspace: workspace() })).toEqual(running)
  })

  it('finds its files through the mounts', async () => {
    const code = join(folder, 'my code')
    await mkdir(code)
    await writeFile(join(code, 'hello.sh'), `echo "hello from $(pwd) with $DATA"; exec sleep 100000`)
    await chmod(join(code, 'hello.sh'), 0o755)
    const adapter = open()
    const { workload } = await adapter.apply(
      spec({
        command: ['sh', '/code/hello.sh'],
        workdir: '/code',
        env: { DATA: '/code/data' },
        mounts: [{ source: code, target: '/code', readOnly: true }],
      }),
    )
    expect(await logged(adapter, workload.name, 'hello')).toBe(`hello from ${code} with ${code}/data`)
  })
})

describe.runIf(isLinux)('a terminal without the native library', () => {
  const withoutPty: Platform = { ...testPlatform, pty: async () => null }

  it('is made by script: real, of the right size, resizable, with the exit code and odd words', async (context) => {
    if ((await testPlatform.processes.which('script')) === null) context.skip('there is no "script" on this machine')
    const adapter = open(withoutPty)
    expect(await adapter.detect()).toMatchObject({ available: true })
    expect(adapter.capabilities.tty).toBe(true)
    const { workload } = await adapter.apply(spec())
    const odd = `it's "odd" $HOME \`id\` 🦀`
    const program = `[ -t 0 ] && stty size; printf '<%s>\\n' "$1"; read -r line; stty size; echo "got $line"; exit 7`
    const size = { cols: 91, rows: 33 }
    const tty = await adapter.openTty(workload.name, ['sh', '-c', program, 'sh', odd], size)
    let screen = ''
    const reading = (async () => {
      for await (const chunk of tty.output) screen += new TextDecoder().decode(chunk)
    })()
    await expect.poll(() => screen, { timeout: 15_000 }).toContain(`<${odd}>`)
    expect(screen).toContain('33 91')
    await tty.resize(120, 40)
    tty.write(new TextEncoder().encode('me\r'))
    expect(await tty.closed).toBe(7)
    await reading
    expect(screen).toContain('40 120')
    expect(screen).toContain('got me')
    expect((await readdir(join(stateDir, workload.name))).filter((name) => name.startsWith('tty-'))).toEqual([])
  })

  it('passes Ctrl-C and can be killed', async (context) => {
    if ((await testPlatform.processes.which('script')) === null) context.skip('there is no "script" on this machine')
    const adapter = open(withoutPty)
    const { workload } = await adapter.apply(spec())
    const start = async () => {
      const tty = await adapter.openTty(workload.name, ['sh', '-c', 'echo ready; sleep 1000'], { cols: 80, rows: 24 })
      let screen = ''
      void (async () => {
        for await (const chunk of tty.output) screen += new TextDecoder().decode(chunk)
      })()
      await expect.poll(() => screen, { timeout: 15_000 }).toContain('ready')
      return tty
    }
    const interrupted = await start()
    interrupted.write(new Uint8Array([3]))
    expect(await interrupted.closed).toBe(130)
    const killed = await start()
    await killed.kill()
    expect(await killed.closed).not.toBe(0)
  })

  it('is an error with a hint where there is neither', async () => {
    const platform: Platform = {
      ...withoutPty,
      processes: { ...testPlatform.processes, which: async (name) => (name === 'script' ? null : `/bin/${name}`) },
    }
    const adapter = open(platform)
    await adapter.detect()
    expect(adapter.capabilities.tty).toBe(false)
    const { workload } = await adapter.apply(spec())
    await expect(adapter.openTty(workload.name, ['sh'], { cols: 80, rows: 24 })).rejects.toMatchObject({
      code: 'CAPABILITY_UNSUPPORTED',
      hint: expect.stringContaining('node-pty'),
    })
  })
})

describe('logs over a change of generation', () => {
  it('are read from both files, also by a reader in the middle', async () => {
    const adapter = open()
    const { workload } = await adapter.apply(
      spec({
        command: ['sh', '-c', `while [ ! -e "$0/go" ]; do sleep 0.05; done; echo new; exec sleep 100000`, folder],
      }),
    )
    const log = join(stateDir, workload.name, 'log', 'stdout')
    await writeFile(`${log}.log`, 'old one\nold two\n')
    const following = adapter.logs(workload.name, { follow: true })[Symbol.asyncIterator]()
    expect((await following.next()).value?.text).toBe('old one')
    expect((await following.next()).value?.text).toBe('old two')
    // What the supervisor does when the file is too large, with one line more before it.
    await writeFile(`${log}.old`, 'old one\nold two\nold three\n')
    await writeFile(`${log}.log`, '')
    const third = following.next()
    expect((await third).value?.text).toBe('old three')
    await writeFile(join(folder, 'go'), '')
    expect((await following.next()).value?.text).toBe('new')
    await following.return?.()
    const all: string[] = []
    for await (const { text } of adapter.logs(workload.name)) all.push(text)
    expect(all).toEqual(['old one', 'old two', 'old three', 'new'])
    const last: string[] = []
    for await (const { text } of adapter.logs(workload.name, { tail: 2 })) last.push(text)
    expect(last).toEqual(['old three', 'new'])
  })
})
