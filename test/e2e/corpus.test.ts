/** The manifests of the corpus that can run here, on a real engine: what the plan says is what the container has. */
import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BARE_IMAGE, makeBareImage, removeBareImage } from '../helpers/bare-image.ts'
import { CORPUS, expectedOf, names } from '../helpers/corpus.ts'
import { createWorkspace, engine, isContainerEngine, platform, waitFor, type Workspace } from '../helpers/workspace.ts'

interface Plan {
  image: { value: string }
  workdir: string | null
  env: { name: string; value: string | null; from: string }[]
  mounts: { source: string; target: string; mode: 'ro' | 'rw' }[]
  network: { value: { mode: string } }
}
interface Status {
  agents: { name: string; state: string; supervision?: { probes: Record<string, string | null>; restarts: number } }[]
}

/** Started under other names, or only because somebody needs them. */
const BY_OTHERS: Readonly<Record<string, string>> = { 'needs-store': 'store' }
/** It has no shell to look around with; it is asked over HTTP. */
const WITHOUT_SHELL = 'run-distroless'
const ENVIRONMENT = { LLM_MODEL_FAST: 'small', LLM_MODEL_DEEP: 'large', SPEED_TIER: 'gold', ACHILLES_DEBUG: '1' }

const runnable = names().filter((name) => expectedOf(name).run === true)
const agents = runnable.map((name) => BY_OTHERS[name] ?? name)

// On plain processes there are neither images nor mounts, which is what is compared here. Rootless podman is the same program
// as the rootful one, which runs it; what differs between the two is in the contract. PLOINKY_TEST_CORPUS=1 runs it there too.
const isHere =
  isContainerEngine &&
  (engine !== 'podman-rootless' || process.env['PLOINKY_TEST_CORPUS'] === '1') &&
  platform === 'node'
describe.runIf(isHere)('agents of the corpus', () => {
  let workspace: Workspace
  let hasBareImage = false

  beforeAll(async () => {
    hasBareImage = makeBareImage()
    workspace = await createWorkspace()
    await workspace.run(['init'])
    const repo = join(workspace.dir, '.ploinky/repos/corpus')
    await mkdir(repo, { recursive: true })
    for (const name of runnable) await cp(join(CORPUS, name), join(repo, name), { recursive: true })
    await writeFile(
      join(workspace.dir, '.ploinky/enabled_repos.json'),
      JSON.stringify({ version: 1, repos: ['builtin', 'corpus'] }),
    )
    await writeFile(join(workspace.dir, '.env'), 'SOUL_GATEWAY_API_KEY=soul\n')
    await workspace.run(['var', 'OPENAI_API_KEY', 'sk-secret'])
    for (const name of runnable) {
      if (BY_OTHERS[name] === undefined && (name !== WITHOUT_SHELL || hasBareImage))
        await workspace.run(['enable', 'agent', `corpus/${name}`])
    }
  })
  afterAll(async () => {
    await workspace[Symbol.asyncDispose]()
    if (hasBareImage) removeBareImage()
  })

  const start = async (...args: string[]) => {
    const { code, stdout, stderr } = await workspace.run(['start', ...args, '--yes', '--json'], { env: ENVIRONMENT })
    const report = (stdout === '' ? { agents: [] } : JSON.parse(stdout)) as {
      agents: { agent: string; state: string; outcome: string; error?: { message: string } }[]
    }
    return { code, stderr, agents: report.agents }
  }
  const inside = async (agent: string, ...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await workspace.run(['exec', agent, '--', ...argv])
    if (code !== 0) throw new Error(`exec in ${agent} ended with ${code}: ${stderr}`)
    return stdout.trim()
  }
  const page = async (path: string): Promise<string> => await (await workspace.fetch(`/services/${path}`)).text()
  const modeOf = async (path: string): Promise<number> => (await stat(join(workspace.dir, path))).mode & 0o777

  it('all of them become ready', async () => {
    const { code, agents: found, stderr } = await start()
    const failed = found
      .filter(({ state }) => state === 'failed')
      .map(({ agent, error }) => `${agent}: ${error?.message}`)
    expect(failed, `${failed.join('; ')} ${stderr}`).toEqual([])
    expect(code).toBe(0)
    // Started by its name only.
    expect(found.map(({ agent }) => agent)).not.toContain('limits')
    const named = await start('limits')
    expect(named.agents).toMatchObject([{ agent: 'limits', state: 'ready' }])
    const ready = async (): Promise<true | undefined> => {
      const { agents: all } = await workspace.json<Status>(['status'])
      return all.every(({ state }) => state === 'ready') ? true : undefined
    }
    expect(await waitFor('every agent is ready', ready, 60_000)).toBe(true)
  })

  it.each(agents.filter((name) => name !== WITHOUT_SHELL))('%s: the container is what was planned', async (name) => {
    const plan = await workspace.json<Plan>(['plan', name], { env: ENVIRONMENT })
    const look = 'env; echo ---; readlink /proc/1/cwd; echo ---; cat /proc/mounts'
    const [env = '', workdir = '', mounts = ''] = (await inside(name, 'sh', '-c', look)).split('---\n')
    const has = new Set(env.split('\n'))
    const lacking = plan.env.filter(({ name: key, value }) => value !== null && !has.has(`${key}=${value}`))
    expect(lacking).toEqual([])
    const secrets = plan.env.filter(({ value }) => value === null).map(({ name: key }) => key)
    expect(secrets.filter((key) => !new RegExp(`^${key}=.`, 'm').test(env))).toEqual([])
    expect(workdir.trim()).toBe(plan.workdir)
    const seen = new Map(
      mounts.split('\n').map((line) => {
        const [, target = '', , options = ''] = line.split(' ')
        return [target, options.split(',')[0]] as const
      }),
    )
    expect(plan.mounts.filter(({ target, mode }) => seen.get(target) !== mode)).toEqual([])
  })

  it('an image without a shell serves, with its own entry point', async () => {
    if (!hasBareImage) return
    expect((await workspace.json<Plan>(['plan', WITHOUT_SHELL])).image.value).toBe(BARE_IMAGE)
    expect(await page(`${WITHOUT_SHELL}/page.txt`)).toBe('no shell here\n')
    expect(await inside(WITHOUT_SHELL, '/busybox', 'env')).toContain('WHO=distroless')
    await expect(inside(WITHOUT_SHELL, 'sh', '-c', 'true')).rejects.toThrow(/ended with 12[67]/)
  })

  it('only cli: the line of the manifest is what a person is given', async () => {
    const { code, stdout } = await workspace.run(['cli', 'cli-only'], { input: '6*7\n' })
    expect([code, stdout.trim()]).toEqual([0, '42'])
  })

  it('wildcards bring what fits, and nothing else', async () => {
    const env = JSON.parse(await page('env-wildcards/')) as Record<string, string>
    expect(env).toMatchObject(ENVIRONMENT)
    expect(Object.keys(env)).not.toContain('OPENAI_API_KEY')
    expect(await inside('env-strings', 'sh', '-c', 'echo $OPENAI_API_KEY $SOUL_GATEWAY_API_KEY')).toBe('sk-secret soul')
  })

  it('ports: the service is reached on the port that was declared', async () => {
    expect(await page('ports-free/x')).toBe('/x hello /code')
    expect(await page('run-start-relative/')).toBe('/code')
  })

  it('networks: the alias is reached from the other agent, and there is none where none is wanted', async () => {
    expect(await inside('network-attachments', 'wget', '-qO-', 'http://db:7000/')).toBe('the database')
    expect(await inside('network-attachments', 'wget', '-qO-', 'http://db.internal:7000/')).toBe('the database')
    expect(await inside('network-none', 'sh', '-c', 'ls /sys/class/net')).toBe('lo')
  })

  it('a need has its alias and its profile', async () => {
    expect(await page('store/')).toBe('store store')
  })

  it('a program beside the main one runs', async () => {
    expect(await inside('run-sidecar', 'ls', '/tmp/beside')).toBe('/tmp/beside')
    expect((await workspace.run(['logs', 'run-sidecar'])).stdout).toContain('the one beside')
  })

  it('hooks left their marks, in their order', async () => {
    expect(await readFile(join(workspace.dir, 'order.txt'), 'utf8')).toBe('preinstall\naftercreation\nhostpost\n')
    expect(await inside('hooks-all', 'cat', '/tmp/order')).toBe('install\npostinstall')
    expect(await inside('run-mcp', 'cat', '/tmp/installed', '/tmp/done')).toBe('installed\ndone')
  })

  it('volumes: made with their modes, written, and kept', async () => {
    expect(await modeOf('.ploinky/data/app')).toBe(0o770)
    expect(await modeOf('.ploinky/data/app/tmp/cache')).toBe(0o777)
    expect(await modeOf('.data/spool')).toBe(0o777)
    expect(await inside('volumes-generated', 'cat', '/etc/made.conf')).toBe('made')
    await inside('volumes-options', 'sh', '-c', 'echo kept > /var/lib/app/file')
    await expect(inside('volumes-options', 'sh', '-c', 'echo no > /etc/app.conf')).rejects.toThrow(/[Rr]ead-only/)
    await inside('volumes-in-code', 'sh', '-c', 'test -e /code/readme.txt && echo kept > /code/data/file')
    await inside('storage', 'sh', '-c', 'echo kept > "$DOCS_PATH/file"')
    for (const file of ['app/file', 'in-code/file', 'corpus-docs/file'])
      expect(await readFile(join(workspace.dir, '.ploinky/data', file), 'utf8'), file).toBe('kept\n')
  })

  it('entry point and working folder are those of the manifest', async () => {
    expect(await inside('run-entrypoint', 'cat', '/tmp/where')).toBe('/var')
  })

  it('probes pass, and nothing is restarted', async () => {
    const probesOf = async (name: string) => {
      const { agents: all } = await workspace.json<Status>(['status'])
      const { probes, restarts } = all.find((item) => item.name === name)?.supervision ?? {}
      const asked = Object.values(probes ?? {}).filter((state) => state !== null)
      return asked.length > 0 && asked.every((state) => state === 'passing') ? { probes, restarts } : undefined
    }
    for (const [name, count] of Object.entries({ 'health-scripts': 2, 'health-kinds': 3 })) {
      const { probes = {}, restarts } = await waitFor(`probes of ${name} pass`, () => probesOf(name), 60_000)
      expect(Object.values(probes).filter((state) => state === 'passing')).toHaveLength(count)
      expect(restarts).toBe(0)
    }
  })

  it('in production, code and skills are read-only', async () => {
    await expect(inside('mounts-prod', 'sh', '-c', 'echo x > /code/new')).resolves.toBe('')
    expect((await workspace.run(['profile', 'prod'])).code).toBe(0)
    const { agents: found } = await start('mounts-prod')
    expect(found).toMatchObject([{ agent: 'mounts-prod', state: 'ready', outcome: 'replaced' }])
    await expect(inside('mounts-prod', 'sh', '-c', 'echo x > /code/new')).rejects.toThrow(/[Rr]ead-only/)
    await expect(inside('mounts-prod', 'sh', '-c', 'echo x > /code/skills/x')).rejects.toThrow(/[Rr]ead-only/)
    expect(await inside('mounts-prod', 'cat', '/code/skills/greet/SKILL.md')).toBe('# Greet')
  })
})
