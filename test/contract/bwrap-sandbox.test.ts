/** What a sandbox keeps away from its agents. With the real bubblewrap, as root and as a user without rights. */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bwrapRuntime } from '../../runtimes/bwrap/index.ts'
import type { RuntimeAdapter, WorkloadSpec } from '../../runtimes/adapter.ts'
import { silentLogger } from '../../src/core/log.ts'
import { Secret } from '../../src/core/secret.ts'
import { until } from '../../src/core/time.ts'
import type { Platform } from '../../src/platform/index.ts'
import { bwrapEngine, chooseEngine, testPlatform } from '../helpers/runtime-engines.ts'
import { specFor } from '../helpers/runtime-spec.ts'
import { collect, decode, failure, marker } from './runtime/kit.ts'

const choice = await chooseEngine(bwrapEngine(), bwrapRuntime)
/** The tests of another engine's run are not listed one by one. */
const suite = (title: string, tests: () => void): void => void (choice.run && describe(title, tests))
const IDLE = ['sh', '-c', `trap 'exit 0' TERM; echo up; while :; do sleep 1000 & wait $!; done`]
const SECRET = 'pl0inky-t0p-s3cret'

let folder = ''
let adapter: RuntimeAdapter

function open(platform: Platform = testPlatform): RuntimeAdapter {
  return bwrapRuntime.create({ platform, log: silentLogger, stateDir: join(folder, '.ploinky/run') })
}

const workspace = (): string => `bt${folder.split('-').at(-1)?.toLowerCase()}`
const spec = (overrides: Partial<WorkloadSpec> = {}): WorkloadSpec =>
  specFor(workspace(), { command: IDLE, ...overrides })

async function start(overrides: Partial<WorkloadSpec> = {}): Promise<string> {
  const { workload } = await adapter.apply(spec(overrides))
  expect(workload.state).toBe('running')
  return workload.name
}

async function sh(name: string, text: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const session = await adapter.exec(name, ['sh', '-c', text, 'sandbox', ...args])
  const [out, err, code] = await Promise.all([collect(session.stdout), collect(session.stderr), session.exit])
  return { code, out: decode(out), err: decode(err) }
}

async function terminal(name: string, text: string): Promise<string> {
  const session = await adapter.openTty(name, ['sh', '-c', text], { cols: 80, rows: 24 })
  return decode(await collect(session.output))
}

/** Of every process of this host: its id and the file under /proc. */
async function ofAll(file: 'cmdline' | 'environ'): Promise<Map<number, string>> {
  const pids = (await readdir('/proc')).filter((pid) => /^\d+$/.test(pid))
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')))
  return new Map(pids.map((pid, index) => [Number(pid), texts[index] ?? '']))
}

const running = async (text: string): Promise<number> =>
  [...(await ofAll('cmdline')).values()].filter((line) => line.replaceAll('\0', ' ').includes(text)).length

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ploinky-test-'))
  adapter = open()
})
afterEach(async () => {
  for (const { name } of await adapter.list({ workspace: workspace() })) await adapter.remove(name)
  await adapter[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

suite('files in a sandbox', () => {
  it('are the mounts and the system, not the workspace, not homes, no engine', async () => {
    const [code, other] = [join(folder, 'code'), join(folder, 'agents/other')]
    await Promise.all([code, other].map((path) => mkdir(path, { recursive: true })))
    await mkdir(join(folder, '.ploinky'), { recursive: true })
    await writeFile(join(folder, '.ploinky/.secrets'), 'KEY=value')
    await writeFile(join(code, 'hello.sh'), 'echo hello from $(pwd)')
    const mounts = [{ source: code, target: '/code', readOnly: true }]
    const name = await start({ mounts, workdir: '/code' })
    expect((await sh(name, 'sh /code/hello.sh')).out).toBe('hello from /code\n')
    const hidden = [join(folder, '.ploinky/.secrets'), other, folder, code, homedir(), '/root', '/sys', '/boot', '/mnt']
    hidden.push(
      '/var/run/docker.sock',
      '/run/docker.sock',
      '/run/podman/podman.sock',
      '/etc/shadow',
      '/etc/ssl/private',
    )
    for (const path of hidden) expect([path, (await sh(name, '[ -e "$1" ]', path)).code]).toEqual([path, 1])
    expect((await sh(name, 'ls -A / /home /tmp /run')).out.split('\n')).not.toContain('root')
    expect((await sh(name, 'cat /etc/passwd')).out).toMatch(/^root:x:0:0:agent:/)
  })

  it('of the system cannot be written, not even by whoever is root outside', async () => {
    const name = await start()
    const paths = [
      '/usr/made',
      '/etc/made',
      '/etc/ld.so.preload',
      '/made',
      '/bin/made',
      '/proc/sys/kernel/core_pattern',
    ]
    for (const path of [...paths, '/proc/sys/vm/drop_caches', '/proc/sys/user/max_user_namespaces']) {
      expect([path, (await sh(name, '(: >>"$1") 2>&1', path)).code]).not.toEqual([path, 0])
    }
    for (const path of ['/usr', '/etc', '/', '/proc/sys']) {
      expect([path, (await sh(name, 'mount -o remount,rw,bind "$1" 2>&1', path)).code]).not.toEqual([path, 0])
      // Nor in a user namespace of the agent's own, where it would have all capabilities.
      const inner = await sh(name, 'unshare --user --map-root-user --mount mount -o remount,rw,bind "$1" 2>&1', path)
      expect([path, inner.code]).not.toEqual([path, 0])
    }
    expect((await sh(name, ': >/tmp/made && : >"$HOME/made" && : >/dev/shm/made')).code).toBe(0)
  })

  it.each([
    '/usr',
    '/usr/local/lib/x',
    '/etc',
    '/etc/ld.so.preload',
    '/',
    '/proc/1',
    '/lib64',
    '/dev',
    '/opt',
    'code',
    '/a/../etc',
  ])('are not mounted on %s', async (target) => {
    const error = await failure(
      adapter.apply(spec({ mounts: [{ source: folder, target, readOnly: true }] })),
      'CONFIG_INVALID',
    )
    expect(error.hint).toContain('ploinky start')
    expect(await adapter.list({ workspace: workspace() })).toEqual([])
  })

  it('are not created where a link of the agent leads', async () => {
    const [code, skills, victim] = ['code', 'skills', 'victim'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    await Promise.all([code, skills].map((path) => mkdir(path)))
    await symlink(`../../../..${victim}`, join(code, 'skills'))
    const mounts = [
      { source: skills, target: '/code/skills', readOnly: true },
      { source: code, target: '/code', readOnly: false },
    ]
    const error = await failure(adapter.apply(spec({ mounts })), 'CONFIG_INVALID')
    expect(error.message).toContain(join(code, 'skills'))
    expect(await readdir(folder)).not.toContain('victim')
    await rm(join(code, 'skills'))
    await mkdir(join(code, 'skills'))
    await writeFile(join(skills, 'one.md'), 'found')
    const name = await start({ mounts })
    expect((await sh(name, 'cat /code/skills/one.md')).out).toBe('found')
  })

  it('that cannot be mounted are an error with its reason, and leave nothing', async () => {
    const code = join(folder, 'code')
    await mkdir(code)
    // A place inside a read-only folder that is not there cannot be made.
    const mounts = ['/code', '/code/missing'].map((target) => ({ source: code, target, readOnly: true }))
    const error = await failure(adapter.apply(spec({ mounts })), 'RUNTIME_FAILED')
    expect(error.message).toContain('/code/missing')
    expect(await adapter.list({ workspace: workspace() })).toEqual([])
    expect(await readdir(code)).toEqual([])
  })
})

suite('processes in a sandbox', () => {
  const facts = `grep -E '^(Cap|NoNewPrivs)' /proc/self/status | tr -d '\\t' | tr '\\r\\n' '  '`
  const NONE = /CapInh:0+ +CapPrm:0+ +CapEff:0+ +CapBnd:0+ +CapAmb:0+ +NoNewPrivs:1 /

  it('have no capabilities: the main one, those started later, those on a terminal', async () => {
    const name = await start({ command: ['sh', '-c', `${facts}; echo; exec sleep 100000`] })
    const logs = async (): Promise<string | null> => {
      for await (const { text } of adapter.logs(name)) if (text.includes('NoNewPrivs')) return text
      return null
    }
    expect(await until(logs, { timeoutMs: 20_000, what: 'the facts' })).toMatch(NONE)
    expect((await sh(name, facts)).out).toMatch(NONE)
    expect(await terminal(name, facts)).toMatch(NONE)
  })

  it('see each other and nobody else', async () => {
    const one = await start({ agent: 'one' })
    await start({ agent: 'two', command: ['sleep', '7654321'] })
    const { out } = await sh(one, 'cat /proc/[0-9]*/cmdline | tr "\\000" " "')
    expect(out).toContain('sleep 1000')
    expect(out).not.toContain('sleep 7654321')
    expect((await sh(one, 'kill -0 "$1" 2>/dev/null', String(process.pid))).code).not.toBe(0)
  })

  it('are all gone after a removal, whatever they did', async () => {
    const mark = marker()
    const stray = `env -i setsid sh -c 'trap "" TERM HUP; while :; do sleep "$0"; done' ${mark} & `
    const name = await start({ command: ['sh', '-c', `${stray} trap '' TERM; while :; do sleep ${mark}; done`] })
    const session = await adapter.exec(name, ['sh', '-c', `${stray} sleep ${mark}`])
    await until(async () => ((await running(`sleep ${mark}`)) >= 4 ? true : null), { timeoutMs: 20_000, what: 'all' })
    expect(await adapter.remove(name)).toBe(true)
    expect(await running(mark)).toBe(0)
    expect(await session.exit).not.toBe(0)
  })

  it('end with the main program', async () => {
    const mark = marker()
    const name = await start({ command: ['sh', '-c', `setsid sleep ${mark} & sleep 0.5; exit 3`] })
    const ended = async () => ((await adapter.inspect(name))?.state === 'stopped' ? true : null)
    await until(ended, { timeoutMs: 20_000, what: 'the end' })
    expect(await adapter.inspect(name)).toMatchObject({ exitCode: 3 })
    await until(async () => ((await running(mark)) === 0 ? true : null), { timeoutMs: 20_000, what: 'the end of all' })
  })

  it('have a terminal of their own', async () => {
    const name = await start()
    expect((await terminal(name, 'tty')).trim()).toBe('/dev/pts/0')
    expect((await sh(name, ': </dev/tty')).code).not.toBe(0)
  })

  it('without a network reach nothing of this host, also when started later', async () => {
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const dial = `node -e 'require("net").connect(${port}, "127.0.0.1").on("connect", () => process.exit(0)).on("error", () => process.exit(9))'`
    try {
      const ports = [{ container: 7000, host: 0, hostIp: '127.0.0.1', protocol: 'tcp' as const }]
      const cut = await start({ agent: 'cut', network: { mode: 'none' }, ports })
      expect((await sh(cut, dial)).code).toBe(9)
      expect(await adapter.endpoint(cut, 7000)).toBeNull()
      expect((await sh(await start({ agent: 'open' }), dial)).code).toBe(0)
    } finally {
      server.close()
    }
  })
})

suite('jobs in a sandbox', () => {
  it('see what agents see, without capabilities, in a session of their own', async () => {
    const { name: _name, ports: _ports, stopGraceSeconds: _grace, ...job } = spec()
    const other = join(folder, 'other')
    await mkdir(other)
    const text = `grep -E '^(CapEff|CapBnd)' /proc/self/status; cut -d' ' -f6 /proc/self/stat
for path in "$@"; do [ ! -e "$path" ] || echo "sees $path"; done; env`
    const hidden = [folder, other, homedir(), '/run/docker.sock', '/etc/shadow']
    const env = { KEY: new Secret(SECRET), LD_PRELOAD: '' }
    const session = await adapter.job({ ...job, env, command: ['sh', '-c', text, 'job', ...hidden] })
    const [out, err, code] = await Promise.all([collect(session.stdout), collect(session.stderr), session.exit])
    expect({ code, err: decode(err) }).toEqual({ code: 0, err: '' })
    const [effective, bounding, sid, ...rest] = decode(out).split('\n')
    expect([effective, bounding]).toEqual(['CapEff:\t0000000000000000', 'CapBnd:\t0000000000000000'])
    // 0 would be a session of the outside, whose terminal it could reach.
    expect(Number(sid)).toBeGreaterThan(0)
    expect(rest.filter((line) => line.startsWith('sees'))).toEqual([])
    expect(rest).toContain(`KEY=${SECRET}`)
    expect(await readdir(join(folder, '.ploinky/run/.jobs'))).toEqual([])
  })

  it('end altogether when they are given up, whatever they did', async () => {
    const { name: _name, ports: _ports, stopGraceSeconds: _grace, ...job } = spec()
    const mark = marker()
    const stray = `env -i setsid sh -c 'trap "" TERM HUP; while :; do sleep "$0"; done' ${mark} & `
    const giveUp = new AbortController()
    const command = ['sh', '-c', `${stray} trap '' TERM; while :; do sleep ${mark}; done`]
    const session = await adapter.job({ ...job, command }, { signal: giveUp.signal })
    await until(async () => ((await running(`sleep ${mark}`)) >= 2 ? true : null), { timeoutMs: 20_000, what: 'both' })
    giveUp.abort()
    expect(await session.exit).not.toBe(0)
    expect(await running(mark)).toBe(0)
  })
})

suite('the environment of a sandbox', () => {
  it('is built from nothing', async () => {
    process.env['OPERATOR_TOKEN'] = 'mine'
    adapter = open({ ...testPlatform, env: { ...testPlatform.env, OPERATOR_TOKEN: 'mine' } })
    try {
      const name = await start({ env: { OWN: 'yes' } })
      const shown = [(await sh(name, 'env')).out, await terminal(name, 'env')]
      const handed = await adapter.interactive(name, ['env'], { tty: false })
      shown.push((await testPlatform.processes.run(handed)).stdout)
      for (const text of shown) {
        const names = text.split(/\r?\n/).map((line) => line.split('=')[0] ?? '')
        expect(names).toContain('OWN')
        const known =
          /^(OWN|PATH|HOME|USER|LOGNAME|SHELL|LANG|PWD|OLDPWD|_|SHLVL|TERM|COLORTERM|PLOINKY_WORKLOAD|PLOINKY_EXEC|)$/
        expect(names.filter((item) => !known.test(item))).toEqual([])
      }
      const { out } = await sh(name, 'cat /proc/[0-9]*/environ | tr "\\000" "\\n"')
      expect(out).not.toContain('mine')
    } finally {
      delete process.env['OPERATOR_TOKEN']
    }
  })

  it('carries secrets on no command line and in no file', async () => {
    const name = await start({ env: { KEY: new Secret(SECRET) } })
    const session = await adapter.exec(name, ['sh', '-c', 'echo "$KEY $LATE"; exec sleep 100000'], {
      env: { LATE: new Secret(`late-${SECRET}`) },
    })
    const first = await session.stdout[Symbol.asyncIterator]().next()
    expect(decode(first.value)).toBe(`${SECRET} late-${SECRET}\n`)
    const lines = await ofAll('cmdline')
    expect([...lines.values()].some((line) => line.includes('ploinky-sandbox'))).toBe(true)
    expect([...lines.values()].filter((line) => line.includes(SECRET))).toEqual([])
    const files = await readdir(join(folder, '.ploinky/run'), { recursive: true, withFileTypes: true })
    const texts = files
      .filter((file) => file.isFile())
      .map((file) => readFile(join(file.parentPath, file.name), 'utf8'))
    expect(texts.length).toBeGreaterThan(4)
    for (const text of await Promise.all(texts)) expect(text).not.toContain(SECRET)
    await session.kill()
  })

  it('means nothing to the programs that lead into it', async () => {
    const env = {
      LD_PRELOAD: '/tmp/evil.so',
      LD_LIBRARY_PATH: '/tmp',
      SHELLOPTS: 'xtrace',
      PS4: '$(id)',
      PATH: '/usr/bin:/bin',
    }
    const name = await start({ env, command: ['sleep', '7654322'] })
    const session = await adapter.exec(name, ['sleep', '7654322'])
    const inside = (line: string): boolean => line.startsWith('sleep\x007654322')
    await until(async () => ([...(await ofAll('cmdline')).values()].filter(inside).length >= 2 ? true : null), {
      timeoutMs: 20_000,
      what: 'both programs',
    })
    const [lines, environments] = [await ofAll('cmdline'), await ofAll('environ')]
    const outer = [...lines].filter(([, line]) => line.includes('7654322') && !inside(line)).map(([pid]) => pid)
    expect(outer.length).toBeGreaterThan(2)
    const names = outer.flatMap((pid) =>
      (environments.get(pid) ?? '').split('\0').map((entry) => entry.split('=')[0] ?? ''),
    )
    expect(names.filter((item) => Object.hasOwn(env, item) && item !== 'PATH')).toEqual([])
    await session.kill()
  })

  it.each(['BASH_FUNC_x%%', 'A-B', 'PLOINKY_SANDBOX_N', '1A', 'A B'])('has no variable %j', async (odd) => {
    await failure(adapter.apply(spec({ env: { [odd]: '1' } })), 'CONFIG_INVALID')
  })
})

if (!choice.run) {
  const { failure: isFailure, reason } = choice
  if (isFailure) it('bwrap is there', () => expect.fail(reason))
  else it.skip(`bwrap: not run (${reason})`, () => {})
}
