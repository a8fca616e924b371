/** What an agent is given: its environment and mounts, whatever its manifest asks for. */
import { describe, expect, it } from 'vitest'
import { type EnableMode, parseManifest } from '../../../src/config/manifest/index.ts'
import { workspacePaths } from '../../../src/config/paths.ts'
import { Secret } from '../../../src/core/secret.ts'
import { cliCommand } from '../../../src/features/agents/plan/command.ts'
import { type PlannedValue, planWorkload } from '../../../src/features/agents/plan/workload.ts'
import { resolveEnvironment, type Sources } from '../../../src/features/variables/index.ts'

interface Given {
  secrets?: Record<string, string>
  environment?: Record<string, string>
  profile?: string
  builtIn?: boolean
  images?: boolean
  bindMounts?: boolean
  mode?: EnableMode
}

function plan(source: object, given: Given = {}) {
  const profile = given.profile ?? 'dev'
  const manifest = parseManifest(JSON.stringify(source), { file: '/m.json', profile })
  const secrets = new Map(Object.entries(given.secrets ?? {}).map(([name, value]) => [name, new Secret(value)]))
  const sources: Sources = {
    ...{ workspaceRoot: '/ws', secrets, environment: given.environment ?? {}, dotenv: null },
    ...{ made: new Map(), exposed: {} },
  }
  const { values } = resolveEnvironment({ agent: 'demo', repo: 'mine', ...manifest }, sources)
  const env = new Map<string, PlannedValue>()
  for (const [name, { value, from }] of values) env.set(name, { value, from: from.text })
  return planWorkload({
    agent: 'demo',
    definition: {
      repo: 'mine',
      agent: 'demo',
      ref: 'mine/demo',
      builtIn: given.builtIn ?? false,
      dir: '/repos/mine/demo',
      codeDir: '/repos/mine/demo/code',
      skillsDir: null,
      manifestFile: '/repos/mine/demo/manifest.json',
    },
    manifest,
    mode: given.mode ?? { kind: 'isolated' },
    workspaceId: 'abcd1234',
    paths: workspacePaths('/ws'),
    assetsDir: '/dist',
    profile,
    capabilities: { images: given.images ?? true, bindMounts: given.bindMounts ?? given.images ?? true },
    image: manifest.image,
    env,
    nodeModules: null,
  }).spec
}

/** Names from outside that an agent was given. */
const taken = (manifest: object, given: Given): string[] => {
  const own = new Set(Object.keys(plan({}).env))
  return Object.keys(plan(manifest, given).env)
    .filter((name) => !own.has(name))
    .sort()
}

describe('the environment', () => {
  const environment = {
    HOME: '/root',
    LLM_URL: 'u',
    LLM_API_KEY: 'k',
    MY_LLM_: 'm',
    PLOINKY_MASTER_KEY: 'master',
    'BASH_FUNC_x%%': 'f',
  }
  const secrets = { LLM_TOKEN: 't', PLOINKY_OPERATOR_TOKEN: 'operator' }

  it('never holds keys and tokens of the workspace, by any spelling', () => {
    const ways = [
      ['PLOINKY_MASTER_KEY', 'PLOINKY_OPERATOR_TOKEN'],
      ['PLOINKY_*'],
      ['*'],
      ['PLOINKY*TOKEN'],
      [
        { name: 'A', varName: 'PLOINKY_MASTER_KEY' },
        { name: 'B', varName: 'PLOINKY_OPERATOR_TOKEN' },
      ],
    ]
    for (const env of ways) {
      const values = Object.values(plan({ env }, { environment, secrets }).env).map((value) =>
        typeof value === 'string' ? value : value.reveal(),
      )
      expect(values).not.toContain('master')
      expect(values).not.toContain('operator')
    }
  })

  it('takes no value from what every object inherits', () => {
    expect(taken({ env: ['constructor', 'toString', '__defineGetter__'] }, { environment })).toEqual([])
  })

  it('cannot replace what the agent is told about itself', () => {
    expect(plan({ env: { AGENT_NAME: 'other', PORT: '1', WORKSPACE_PATH: '/etc' } }).env).toMatchObject({
      AGENT_NAME: 'demo',
      PORT: '7000',
      WORKSPACE_PATH: '/ws/agents/demo',
    })
  })

  it('shows no secret when it is printed', () => {
    const spec = plan({ env: ['LLM_TOKEN'] }, { secrets: { LLM_TOKEN: 'hunter2' } })
    expect(JSON.stringify(spec)).not.toContain('hunter2')
  })
})

describe('mounts and limits', () => {
  it('the package is never writable, code only in the dev profile', () => {
    const writable = (given: Given, manifest: object = {}) =>
      plan(manifest, given).mounts.flatMap(({ target, readOnly }) => (readOnly ? [] : [target]))
    expect(writable({})).toEqual(['/code', '/ws/agents/demo', '/shared'])
    expect(writable({ profile: 'prod' })).toEqual(['/ws/agents/demo', '/shared'])
    expect(writable({ builtIn: true }, { profiles: { dev: { mounts: { code: 'rw' } } } })).toEqual([
      '/ws/agents/demo',
      '/shared',
    ])
  })

  it('modes: the working folder, the whole workspace without its state, or a clone', () => {
    const seen = (mode: EnableMode) =>
      plan({}, { mode }).mounts.flatMap(({ source, target, readOnly }) =>
        target.startsWith('/ws') ? [`${source} ${target} ${readOnly ? 'ro' : 'rw'}`] : [],
      )
    expect(seen({ kind: 'isolated' })).toEqual(['/ws/agents/demo /ws/agents/demo rw'])
    expect(seen({ kind: 'global' })).toEqual(['/ws /ws rw', '/ws/.ploinky/running/hidden /ws/.ploinky ro'])
    expect(seen({ kind: 'devel', repo: 'shop' })).toEqual([
      '/ws/agents/demo /ws/agents/demo rw',
      '/ws/.ploinky/repos/shop /ws/.ploinky/repos/shop rw',
    ])
    expect(plan({}, { mode: { kind: 'global' } }).env['WORKSPACE_PATH']).toBe('/ws')
  })

  it('volumes are inside the workspace, and none of its state', () => {
    const sources = (volumes: object) =>
      plan({ volumes })
        .mounts.slice(5)
        .map(({ source, target }) => [source, target])
    expect(sources({ 'data/x': '/x', '.ploinky/data/y': '/y', '/ws/z/': '/z' })).toEqual([
      ['/ws/data/x', '/x'],
      ['/ws/.ploinky/data/y', '/y'],
      ['/ws/z', '/z'],
    ])
    // The state stays hidden also there.
    expect(sources({ '.': '/all' })).toEqual([
      ['/ws', '/all'],
      ['/ws/.ploinky/running/hidden', '/all/.ploinky'],
    ])
  })

  it.each([
    [{ '../x': '/x' }, 'is outside of the workspace'],
    [{ '/etc': '/x' }, 'is outside of the workspace'],
    [{ 'a/../../b': '/x' }, 'is outside of the workspace'],
    [{ '.ploinky': '/x' }, 'holds the state of the workspace'],
    [{ '.ploinky/.secrets': '/x' }, 'is state of the workspace'],
    [{ '.ploinky/agents.broken-1': '/x' }, 'is state of the workspace'],
    [{ '.ploinky/data/../running': '/x' }, 'is state of the workspace'],
    [{ x: '/Agent/server' }, 'is taken'],
    [{ x: '/code' }, 'is taken'],
    [{ x: '/ws/agents/demo' }, 'is taken'],
  ])('refuses %j', (volumes, message) => {
    expect(() => plan({ volumes })).toThrow(message)
  })

  it('has a limit on processes, ports on loopback, and no more rights', () => {
    const spec = plan({ ports: ['8080:80'] })
    expect(spec.limits.pids).toBeGreaterThan(0)
    expect(spec.ports.map(({ hostIp }) => hostIp)).toEqual(['127.0.0.1'])
    expect(spec.security.addCapabilities).toEqual([])
  })
})

describe('where it runs and is reached', () => {
  it('in the code folder, also the program of the image', () => {
    expect(plan({ start: 'server.mjs' }).workdir).toBe('/code')
    expect(plan({ agent: './run.sh' }).workdir).toBe('/code')
    expect(plan({ start: 'server.mjs', workdir: '/srv' }).workdir).toBe('/srv')
  })

  it('nothing is published without a network, unless it is asked for', () => {
    expect(plan({ network: { mode: 'none' } }).ports).toEqual([])
    expect(plan({ network: { mode: 'host' } }).ports).toHaveLength(1)
    expect(plan({ network: { mode: 'none' }, ports: [':80'] }).ports).toHaveLength(1)
  })
})

describe('argv', () => {
  it('install comes first, once in the life of a container', () => {
    const script = (manifest: object, given: Given = {}) => plan(manifest, given).command?.at(-1)?.split('\n')
    expect(script({ install: 'npm ci', agent: 'node x' })).toEqual([
      'cd "${PLOINKY_CODE_DIR:-/code}" || exit 1',
      'if [ ! -e /tmp/.ploinky-installed ]; then',
      '(',
      'npm ci',
      ') || { code=$?; echo "ploinky: install failed with code $code" >&2; exit "$code"; }',
      ': >/tmp/.ploinky-installed',
      'fi',
      'node x',
    ])
    expect(script({ install: 'x' })?.at(-1)).toBe('exec sh /Agent/server/AgentServer.sh')
    expect(script({ install: 'x', start: `redis --name="it's"` })?.at(-1)).toBe(`exec 'redis' '--name=it'\\''s'`)
    // A plain process has no container whose life could be told.
    expect(script({ install: 'x', agent: 'y' }, { images: false })).not.toContain('fi')
  })

  it('a hostile word stays one word', () => {
    const hostile = ['; rm -rf ~', '$(id)', '-e', '', 'a b', "'", '"']
    const { main: _main, ...manifest } = parseManifest('{"cli": "node chat.js"}', { file: '/m', profile: 'dev' })
    expect(cliCommand({ ...manifest, main: { kind: 'agent-server' } }, hostile)).toEqual([
      ...['sh', '-c', 'node chat.js "$@"', 'cli'],
      ...hostile,
    ])
    expect(plan({ start: 'run "$(id)" ;' }).command).toEqual(['run', '$(id)', ';'])
  })

  it('a program of an image needs an engine', () => {
    expect(() => plan({ start: '', image: 'x' }, { images: false })).not.toThrow()
    expect(plan({ start: 'x' }, { images: false }).image).toBeNull()
  })
})

describe('without images', () => {
  const source = { 'lite-sandbox': true, agent: 'node x.mjs', install: 'npm ci' }

  it('a sandbox has its own /tmp, and so knows that it has installed; a plain process does not', () => {
    const [sandboxed, plain] = [true, false].map((bindMounts) => plan(source, { images: false, bindMounts }))
    expect(sandboxed?.command?.[2]).toContain('/tmp/.ploinky-installed')
    expect(plain?.command?.[2]).not.toContain('/tmp/.ploinky-installed')
  })

  it('a program listens where nobody else reaches it', () => {
    const { env, image } = plan(source, { images: false, bindMounts: true })
    expect([image, env['PLOINKY_BIND']]).toEqual([null, '127.0.0.1'])
    expect(plan(source).env).not.toHaveProperty('PLOINKY_BIND')
  })
})
