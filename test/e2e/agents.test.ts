/** Agents as real repositories have them: needs and aliases, hooks, volumes, modes, profiles, probes of readiness. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkspace, isContainerEngine, type Workspace } from '../helpers/workspace.ts'

const ALPINE = 'docker.io/library/alpine:3'
const NODE = 'docker.io/library/node:24-alpine'

interface Report {
  agents: { agent: string; state: string; outcome: string; error?: { code: string; message: string } }[]
}

describe.runIf(isContainerEngine)('agents of a repository', () => {
  let workspace: Workspace
  beforeAll(async () => {
    workspace = await createWorkspace()
    await workspace.run(['init'])
    await mkdir(join(workspace.dir, '.ploinky/repos/shop'), { recursive: true })
    await writeFile(
      join(workspace.dir, '.ploinky/enabled_repos.json'),
      JSON.stringify({ version: 1, repos: ['builtin', 'shop'] }),
    )
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  async function define(name: string, manifest: object, files: Record<string, string> = {}): Promise<void> {
    const dir = join(workspace.dir, '.ploinky/repos/shop', name)
    await mkdir(join(dir, 'code'), { recursive: true })
    await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest))
    for (const [file, text] of Object.entries(files)) await writeFile(join(dir, file), text)
  }
  const inside = async (agent: string, ...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await workspace.run(['exec', agent, '--', ...argv])
    if (code !== 0) throw new Error(`exec ended with ${code}: ${stderr}`)
    return stdout.trim()
  }
  const started = async (...args: string[]) => {
    const { code, stdout, stderr } = await workspace.run(['start', ...args, '--json'])
    const report = (stdout === '' ? { agents: [] } : JSON.parse(stdout)) as Report
    return { code, stderr, agents: new Map(report.agents.map((item) => [item.agent, item])) }
  }

  it('what an agent needs comes first, under its alias; what nobody waits for comes too', async () => {
    const idle = { container: ALPINE, start: 'sleep 1000', readiness: { protocol: 'none' } }
    await define('base', { ...idle, start: "sh -c 'echo base is up; sleep 1000'", agent: 'echo beside; sleep 1000' })
    await define('late', idle)
    await define('db', { ...idle, enable: ['base'] })
    const server = `require('http').createServer((q, r) => r.end(process.env.SHOP_MODE)).listen(7000)`
    await define('web', {
      ...{ container: NODE, agent: `node -e "${server}"`, readiness: { protocol: 'http' } },
      ...{ enable: ['shop/db as store', 'late no-wait'] },
      profiles: { default: { env: { SHOP_MODE: 'default' } }, prod: { env: { SHOP_MODE: 'prod' } } },
    })
    const { code, agents, stderr } = await started('web')
    expect([code, stderr].join(' ')).toMatch(/^0/)
    expect([...agents.values()].map(({ agent, state }) => `${agent} ${state}`)).toEqual([
      ...['web ready', 'store ready', 'base ready', 'late starting'],
    ])
    expect(stderr.indexOf('base: ready')).toBeLessThan(stderr.indexOf('store: starting'))
    expect(stderr.indexOf('store: ready')).toBeLessThan(stderr.indexOf('web: starting'))
    expect(await (await workspace.fetch('/services/web/')).text()).toBe('default')
    // The program beside the main one runs, and its output is in the log.
    expect((await workspace.run(['logs', 'base'])).stdout).toMatch(/base is up[^]*beside|beside[^]*base is up/)
  })

  it('another profile gives another environment, and only that agent is replaced', async () => {
    expect((await workspace.run(['profile', 'prod'])).code).toBe(0)
    const { agents } = await started('web')
    expect(agents.get('web')?.outcome).toBe('replaced')
    expect(await (await workspace.fetch('/services/web/')).text()).toBe('prod')
    expect((await workspace.run(['profile', 'dev'])).code).toBe(0)
  })

  it('one that fails stops those that need it, not the others, and the exit code says so', async () => {
    const idle = { container: ALPINE, start: 'sleep 1000', readiness: { protocol: 'none' } }
    await define('broken', { container: ALPINE, start: "sh -c 'echo no such thing >&2; exit 3'" })
    await define('needy', { ...idle, enable: ['broken', 'base'] })
    const { code, agents } = await started('needy')
    expect(code).toBe(5)
    expect(agents.get('broken')?.error?.message).toContain('no such thing')
    expect(agents.get('needy')?.error?.message).toBe('Agent "needy" was not started: it needs "broken", which failed')
    expect(agents.get('base')?.state).toBe('ready')
    await workspace.run(['disable', 'agent', 'needy'])
    await workspace.run(['disable', 'agent', 'broken'])
  })

  it('hooks run in their order; those on this machine only when they are allowed', async () => {
    const idle = { container: ALPINE, start: 'sleep 1000', readiness: { protocol: 'none' } }
    await define('hooked', {
      ...idle,
      profiles: {
        default: {
          env: { SECRET_WORD: { default: 'open-sesame' } },
          preinstall: 'echo preinstall $SECRET_WORD >> order.txt',
          hosthook_aftercreation: `echo aftercreation >> "$PLOINKY_WORKSPACE_ROOT/order.txt"`,
          install: 'echo install > /tmp/order',
          postinstall: 'echo postinstall >> /tmp/order; cat /tmp/order',
          hosthook_postinstall: `echo hostpost >> "$PLOINKY_WORKSPACE_ROOT/order.txt"`,
        },
      },
    })
    const refused = await started('hooked')
    expect(refused.code).toBe(8)
    expect(refused.stderr).toContain('CONFIRMATION_REQUIRED')
    expect(existsSync(join(workspace.dir, 'order.txt'))).toBe(false)
    const { code, stderr } = await started('hooked', '--yes')
    expect([code, stderr].join(' ')).toMatch(/^0/)
    expect(await readFile(join(workspace.dir, 'order.txt'), 'utf8')).toBe(
      'preinstall open-sesame\naftercreation\nhostpost\n',
    )
    expect(await inside('hooked', 'cat', '/tmp/order')).toBe('install\npostinstall')
    // It runs already: nothing of it is repeated.
    expect((await started('hooked')).agents.get('hooked')?.outcome).toBe('unchanged')
    expect((await readFile(join(workspace.dir, 'order.txt'), 'utf8')).split('\n')).toHaveLength(4)
  })

  it.each([
    ['postinstall', { postinstall: 'echo oh dear; exit 7' }, /postinstall of "failing" .* ended with code 7: oh dear/],
    ['install', { install: 'echo cannot >&2; exit 9' }, /install failed with code 9/],
    ['hosthook_aftercreation', { hosthook_aftercreation: 'exit 4' }, /hosthook_aftercreation of "failing"/],
  ])('a failed %s stops that agent and leaves nothing of it', async (_name, hooks, message) => {
    const idle = { container: ALPINE, start: 'sleep 1000', readiness: { protocol: 'none' } }
    await define('failing', { ...idle, ...hooks })
    const { code, agents, stderr } = await started('failing', '--yes')
    expect(code, stderr).toBe(5)
    expect(agents.get('failing')?.error?.message).toMatch(message)
    const { agents: all } = await workspace.json<{ agents: { name: string; state: string }[] }>(['status'])
    expect(all.find(({ name }) => name === 'failing')?.state).toMatch(/stopped|failed/)
    expect(all.find(({ name }) => name === 'hooked')?.state).toBe('ready')
    await workspace.run(['disable', 'agent', 'failing'])
  })

  it('volumes hold what is written, also when the container is made anew', async () => {
    const idle = { container: ALPINE, start: 'sleep 1000', readiness: { protocol: 'none' } }
    const manifest = (word: string) => ({
      ...idle,
      ...{ volumes: { 'data/x': '/x', 'data/app.conf': '/etc/app.conf:ro' }, env: { WORD: word } },
      runtime: {
        resources: { persistentStorage: { key: 'keep', containerPath: '/keep' } },
      },
    })
    await define('storing', manifest('one'))
    expect((await started('storing')).code).toBe(0)
    await inside('storing', 'sh', '-c', 'echo kept > /x/file; echo kept > /keep/file')
    await expect(inside('storing', 'sh', '-c', 'echo no > /etc/app.conf')).rejects.toThrow(/[Rr]ead-only/)
    await define('storing', manifest('two'))
    expect((await started('storing')).agents.get('storing')?.outcome).toBe('replaced')
    expect(await inside('storing', 'cat', '/x/file', '/keep/file')).toBe('kept\nkept')
    expect(await readFile(join(workspace.dir, '.ploinky/data/keep/file'), 'utf8')).toBe('kept\n')
  })

  it('an agent of the whole workspace sees it, but not its state', async () => {
    await define('seeing', { container: ALPINE, start: 'sleep 1000', readiness: { protocol: 'none' } })
    await writeFile(join(workspace.dir, 'note.txt'), 'hello')
    expect((await workspace.run(['enable', 'agent', 'seeing', 'global', 'as', 'eye'])).code).toBe(0)
    expect((await started('eye')).code).toBe(0)
    expect(await inside('eye', 'sh', '-c', 'cat "$WORKSPACE_PATH/note.txt"; ls -A "$WORKSPACE_PATH/.ploinky"')).toBe(
      'hello',
    )
    await expect(inside('eye', 'sh', '-c', 'echo x > "$WORKSPACE_PATH/.ploinky/x"')).rejects.toThrow(/[Rr]ead-only/)
  })

  it('a required value that is missing is named before anything starts', async () => {
    await define('wanting', {
      ...{ container: ALPINE, start: 'sleep 1000', enable: ['base as base2'] },
      env: { MY_API_KEY: { required: true } },
    })
    const { code, stderr } = await started('wanting')
    expect(code).toBe(3)
    expect(stderr).toContain('(env.MY_API_KEY in ')
    expect(stderr).not.toContain('base2: starting')
    await workspace.run(['disable', 'agent', 'wanting'])
    await workspace.run(['disable', 'agent', 'base2'])
  })

  it('a tcp port counts as ready when the program listens, not when the engine forwards it', async () => {
    const server = `setTimeout(() => { require('fs').writeFileSync('/tmp/up', ''); require('net').createServer(() => {}).listen(5432) }, 2000)`
    await define('slow', {
      ...{ container: NODE, start: `node -e "${server}"`, ports: [':5432'] },
      readiness: { protocol: 'tcp' },
    })
    expect((await started('slow')).agents.get('slow')?.state).toBe('ready')
    expect(await inside('slow', 'ls', '/tmp/up')).toBe('/tmp/up')
  })

  it('plan and validate say what would be run and what is wrong', async () => {
    const plan = await workspace.json<{ order: string[][]; env: { name: string; from: string }[] }>(['plan', 'web'])
    expect(plan.order.at(-1)).toEqual(['web'])
    expect(plan.env.find(({ name }) => name === 'SHOP_MODE')?.from).toBe('default of profiles.default.env.SHOP_MODE')
    await define('wrong', { ports: ['x'], enable: ['a b'], volums: {} })
    const { code, stdout } = await workspace.run(['validate', '.ploinky/repos/shop/wrong'])
    expect(code).toBe(3)
    expect(stdout).toContain('ports[0]: expected [ip:]host[:container][/tcp|/udp], found "x" (line 1)')
    expect(stdout).toContain('enable[0]: expected one agent, found "a" and "b" (line 1)')
  })

  it('all are stopped in the opposite order: what others need goes after them', async () => {
    const idle = { container: ALPINE, start: 'sleep 1000', readiness: { protocol: 'none' } }
    await define('floor', idle)
    // Slow to end: without an order it would be the last.
    const start = `sh -c 'trap "sleep 1; exit 0" TERM; sleep 1000 & wait'`
    await define('house', { ...idle, start, enable: ['floor'] })
    expect((await started('house')).code).toBe(0)
    expect((await workspace.run(['stop'])).code).toBe(0)
    const { events } = await workspace.json<{ events: { subject: string }[] }>(['events', '--type', 'agent.stopped'])
    const stopped = events.map(({ subject }) => subject)
    // Newest first.
    expect(stopped.indexOf('floor')).toBeLessThan(stopped.indexOf('house'))
    expect(stopped.indexOf('floor')).toBeGreaterThanOrEqual(0)
    expect(stopped.indexOf('base')).toBeLessThan(stopped.indexOf('store'))
    expect(stopped.indexOf('store')).toBeLessThan(stopped.indexOf('web'))
  })
})
