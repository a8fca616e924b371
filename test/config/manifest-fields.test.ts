/** The fields beyond image, command, environment and ports: what each spelling means. */
import { describe, expect, it } from 'vitest'
import { DEFAULT_RESTART, type Manifest, parseManifest } from '../../src/config/manifest/index.ts'
import { PloinkyError } from '../../src/core/error.ts'

const parse = (value: unknown, profile = 'dev'): Manifest =>
  parseManifest(JSON.stringify(value), { file: '/m.json', profile })

/** What is refused, as `path: message`. */
function refused(value: unknown, profile = 'dev'): string {
  try {
    parse(value, profile)
  } catch (error) {
    if (error instanceof PloinkyError && error.code === 'MANIFEST_INVALID') return error.message
    throw error
  }
  throw new Error('it was accepted')
}

describe('enable', () => {
  it.each([
    ['db', { ref: 'db' }],
    ['basic/db', { ref: 'basic/db' }],
    ['basic:db as store', { ref: 'basic:db', alias: 'store' }],
    ['AS Store db NO-WAIT Global', { ref: 'db', alias: 'Store', noWait: true, mode: { kind: 'global' } }],
    ['db devel shop', { ref: 'db', mode: { kind: 'devel', repo: 'shop' } }],
    ['db:global', { ref: 'db', mode: { kind: 'global' } }],
    [
      { agent: 'db', as: 'a', noWait: 'true' },
      { ref: 'db', alias: 'a', noWait: true },
    ],
    [
      { spec: 'db no-wait', profile: 'qa' },
      { ref: 'db', noWait: true, profile: 'qa' },
    ],
  ])('%j', (enable, expected) => {
    const base = { mode: { kind: 'isolated' }, noWait: false, alias: null, profile: null }
    expect(parse({ enable: [enable] }).dependencies).toEqual([{ ...base, path: 'enable[0]', ...expected }])
    expect(parse({ enable }).dependencies).toEqual([{ ...base, path: 'enable', ...expected }])
  })

  it('of a profile adds to those of the root; the same one counts once', () => {
    const source = { enable: ['a', 'b'], profiles: { default: { enable: ['b no-wait', 'b as c'] } } }
    const found = parse(source).dependencies.map(({ ref, alias, noWait }) => [ref, alias, noWait])
    expect(found).toEqual([
      ['a', null, false],
      ['b', null, true],
      ['b', 'c', false],
    ])
  })

  it.each([
    ['a b', 'enable[0]: expected one agent, found "a" and "b"'],
    ['../x', 'enable[0]: expected "[repo/]agent", found "../x"'],
    ['a as', 'enable[0]: expected a name after "as", found ""'],
    ['a devel ..', 'enable[0]: expected a repository after "devel", found ".."'],
    [{}, 'enable[0].agent: expected the name of an agent'],
    [{ agent: 'a', alias: 'x y' }, 'enable[0].alias: expected a name, found "x y"'],
  ])('refuses %j', (enable, message) => {
    expect(refused({ enable: [enable] })).toContain(message)
  })
})

describe('volumes', () => {
  it('take their options by place, later layers win', () => {
    const source = {
      volumes: { 'data/x': '/var/x', '.data/y': '/etc/y.conf:ro' },
      volumeOptions: {
        '/var/x': { chmod: '0770', makeWorldWritableSubdirs: ['a/b'], generated: true, required: 'yes' },
      },
      profiles: { default: {}, dev: { volumes: { other: '/var/x' } } },
    }
    expect(parse(source).volumes).toEqual([
      {
        ...{ host: 'other', key: null, target: '/var/x', readOnly: false, chmod: 0o770 },
        ...{ worldWritable: ['a/b'], generated: true, required: true, path: 'profiles.dev.volumes.other' },
      },
      expect.objectContaining({ host: '.data/y', target: '/etc/y.conf', readOnly: true, chmod: null }),
    ])
  })

  it('persistent storage is one of them', () => {
    const runtime = {
      resources: { persistentStorage: { key: 'dpu', containerPath: '/data', chmod: 777 }, env: { A: '{{X}}' } },
    }
    const { volumes, resourceEnv } = parse({ runtime })
    expect(volumes).toMatchObject([{ host: null, key: 'dpu', target: '/data', chmod: 0o777 }])
    expect(resourceEnv).toEqual([{ name: 'A', template: '{{X}}', path: 'runtime.resources.env.A' }])
  })

  it('options may be for what another profile mounts', () => {
    const source = {
      volumeOptions: { '/b': { readOnly: true } },
      profiles: { default: {}, prod: { volumes: { b: '/b' } } },
    }
    expect(parse(source).volumes).toEqual([])
    expect(parse(source, 'prod').volumes).toMatchObject([{ target: '/b', readOnly: true }])
  })

  it.each([
    [{ volumes: { a: 'relative' } }, 'volumes.a: expected an absolute path below "/", found "relative"'],
    [{ volumes: { a: '/' } }, 'volumes.a: expected an absolute path below "/"'],
    [{ volumes: { a: '/x/../etc' } }, 'volumes.a: a path may not go up'],
    [{ volumes: { '': '/x' } }, 'expected a folder or file of the workspace'],
    [{ volumes: { a: '/x' }, volumeOptions: { '/y': {} } }, 'no volume is mounted at "/y"'],
    [{ volumes: { a: '/x' }, volumeOptions: { '/x': { chmod: '9' } } }, 'expected a mode such as "0770", found "9"'],
    [
      { volumes: { a: '/x' }, volumeOptions: { '/x': { makeWorldWritableSubdirs: ['../y'] } } },
      'expected a folder below the volume, found "../y"',
    ],
    [{ runtime: 'docker' }, 'runtime: expected an object, found "docker"'],
    [
      { runtime: { resources: { persistentStorage: { key: '..', containerPath: '/x' } } } },
      'expected a name, found ".."',
    ],
  ])('refuses %j', (source, message) => {
    expect(refused(source)).toContain(message)
  })
})

describe('probes', () => {
  it.each([
    [{ script: 'check.sh' }, { kind: 'exec', argv: ['sh', './check.sh'] }],
    [{ exec: 'curl -f "http://x/a b"' }, { kind: 'exec', argv: ['curl', '-f', 'http://x/a b'] }],
    [{ exec: ['a', 'b c'] }, { kind: 'exec', argv: ['a', 'b c'] }],
    [{ http: '/health' }, { kind: 'http', port: null, path: '/health' }],
    [{ http: { port: 80 } }, { kind: 'http', port: 80, path: '/' }],
    [{ tcp: true }, { kind: 'tcp', port: null }],
    [{ tcp: 5432 }, { kind: 'tcp', port: 5432 }],
    [{ mcp: true }, { kind: 'mcp' }],
  ])('%j', (probe, action) => {
    expect(parse({ health: { liveness: probe } }).health.liveness).toEqual({
      ...{ action, initialDelaySeconds: 0, intervalSeconds: 1, timeoutSeconds: 5, failureThreshold: 5 },
      ...{ successThreshold: 1, continuous: true, path: 'health.liveness' },
    })
  })

  it('takes old spellings', () => {
    const liveness = { script: 'a.sh', retries: 3, continuous: false }
    expect(parse({ health: { liveness } }).health.liveness).toMatchObject({ failureThreshold: 3, continuous: false })
  })

  it.each([
    [{ liveness: {} }, 'health.liveness: expected one of script, exec, http, tcp, mcp, found none'],
    [{ liveness: { mcp: true, tcp: 1 } }, 'found tcp and mcp'],
    [{ liveness: { script: '../x.sh' } }, 'expected the name of a file in the code folder, found "../x.sh"'],
    [{ liveness: { script: '-x' } }, 'expected the name of a file in the code folder'],
    [{ readiness: { http: 'health' } }, 'expected a path such as "/health"'],
    [{ startup: { exec: '' } }, 'expected a command'],
  ])('refuses %j', (health, message) => {
    expect(refused({ health })).toContain(message)
  })

  it('restart is a word or numbers', () => {
    expect(parse({}).restart).toEqual(DEFAULT_RESTART)
    expect(parse({ restart: 'never' }).restart).toEqual({ ...DEFAULT_RESTART, policy: 'never' })
    expect(parse({ restart: { backoffSeconds: 60 } }).restart).toMatchObject({ maxBackoffSeconds: 60 })
    expect(refused({ restart: 'sometimes' })).toContain('restart: ')
    expect(refused({ restart: { backoffSeconds: 0 } })).toContain('a crash loop would take a processor')
  })
})

describe('network and security', () => {
  it.each([
    [undefined, { mode: 'default' }],
    [{ mode: 'host' }, { mode: 'host' }],
    [{ mode: 'bridge' }, { mode: 'default' }],
    ['shop', { mode: 'networks', attachments: [{ name: 'shop', aliases: [] }] }],
    [
      { name: 'shop', aliases: 'db' },
      { mode: 'networks', attachments: [{ name: 'shop', aliases: ['db'] }] },
    ],
    [
      { attachments: ['a', { name: 'b', primary: true, aliases: ['x'] }] },
      {
        mode: 'networks',
        attachments: [
          { name: 'b', aliases: ['x'] },
          { name: 'a', aliases: [] },
        ],
      },
    ],
  ])('%j', (network, need) => {
    expect(parse({ network }).network).toEqual(need)
  })

  it('of an active profile adds to what the default one asks for', () => {
    const profiles = {
      default: { containerSecurity: { privileged: true } },
      dev: { containerSecurity: { shmSize: '1g' } },
    }
    expect(parse({ profiles }).security).toEqual({ privileged: true, gpu: false, shmBytes: 1024 ** 3 })
  })

  it.each([
    [{ network: { name: '../x' } }, 'expected the name of a network'],
    [{ network: { name: 'x', mode: 'host' } }, '"host" and named networks exclude each other'],
    [{ network: { name: 'x', aliases: ['a b'] } }, 'expected a host name as alias'],
    [{ network: { mode: 'hst' } }, 'did you mean "host"?'],
    [{ containerSecurity: { shmSize: 'big' } }, 'expected a size such as "256m"'],
  ])('refuses %j', (source, message) => {
    expect(refused(source)).toContain(message)
  })
})

describe('hooks', () => {
  it('of the strongest layer; several lines are one that ends at the first failure', () => {
    const source = {
      install: 'root',
      preinstall: ['a', ' ', 'b'],
      profiles: { default: { install: 'default' }, qa: { install: 'qa' } },
    }
    expect(parse(source).hooks).toEqual({
      install: { line: 'default', path: 'profiles.default.install' },
      preinstall: { line: 'a && b', path: 'preinstall' },
    })
    expect(parse(source, 'qa').hooks.install).toEqual({ line: 'qa', path: 'profiles.qa.install' })
    expect(parse({ update: 'git pull' }).update).toEqual({ line: 'git pull', path: 'update' })
  })

  it('start and agent together: one is the main process, the other runs beside it', () => {
    expect(parse({ start: 'x y', agent: 'node a.js' })).toMatchObject({
      main: { kind: 'image', args: ['x', 'y'] },
      sidecar: 'node a.js',
    })
  })

  it('ready is an open port for start alone, MCP as soon as there is an agent line', () => {
    expect(parse({ start: 'x' }).readiness.protocol).toBe('tcp')
    expect(parse({ start: 'x', agent: 'node a.js' }).readiness.protocol).toBe('mcp')
    expect(parse({ agent: 'node a.js' }).readiness.protocol).toBe('mcp')
    expect(parse({ start: 'x', agent: 'a', readiness: { protocol: 'tcp' } }).readiness.protocol).toBe('tcp')
  })

  it('run of the first generation is the interactive program', () => {
    expect(parse({ run: 'x' }).cli).toBe('x')
    expect(parse({ run: 'x', cli: 'y' }).cli).toBe('y')
  })
})

describe('profiles', () => {
  const profiles = { default: { env: ['A=1'] }, dev: { env: ['A=2'] }, lan: { env: ['A=3'] } }
  it.each([
    ['dev', '2'],
    ['lan', '3'],
    ['prod', '1'],
  ])('%s', (profile, value) => {
    expect(parse({ profiles }, profile).env[0]?.default).toBe(value)
  })

  it('a workspace whose profile is not declared gets defaultProfile', () => {
    expect(parse({ profiles, defaultProfile: 'lan' }, 'prod')).toMatchObject({ profiles: ['default', 'lan'] })
  })

  it('mounts are writable in dev, and read-only elsewhere', () => {
    expect(parse({}, 'dev').mounts).toEqual({ code: 'rw', skills: 'rw' })
    expect(parse({}, 'prod').mounts).toEqual({ code: 'ro', skills: 'ro' })
    expect(parse({ profiles: { default: { mounts: { skills: 'rw' } } } }, 'qa').mounts).toEqual({
      code: 'ro',
      skills: 'rw',
    })
  })
})

describe('variables that nobody sets', () => {
  it.each([
    [{ derive: 'derived-master' }, { kind: 'derived', name: 'A', repo: null, agent: null, bytes: 32, format: 'hex' }],
    [
      {
        derive: 'derived-master',
        deriveName: 'N',
        deriveRepo: 'r',
        deriveAgentName: 'a',
        deriveBytes: 16,
        deriveFormat: 'base64',
      },
      { kind: 'derived', name: 'N', repo: 'r', agent: 'a', bytes: 16, format: 'base64' },
    ],
    [{ generatedSecret: true }, { kind: 'generated', name: 'A', shared: false }],
    [{ sharedGeneratedSecret: 'KEY' }, { kind: 'generated', name: 'KEY', shared: true }],
    [{ generatedSecret: false }, null],
  ])('%j', (fields, origin) => {
    expect(parse({ env: { A: fields } }).env[0]?.origin).toEqual(origin)
    expect(parse({ env: [{ name: 'A', ...fields }] }).env[0]?.origin).toEqual(origin)
  })

  it.each([
    [{ derive: 'other' }, 'env.A.derive: expected "derived-master"'],
    [{ derive: true, deriveBytes: 1 }, 'env.A.deriveBytes: expected 16 to 1024, found 1'],
    [{ derive: true, deriveFormat: 'b64' }, 'env.A.deriveFormat: expected hex, base64, base64url'],
    [{ generatedSecret: 'a/b' }, 'expected a name for the secret'],
  ])('refuses %j', (fields, message) => {
    expect(refused({ env: { A: fields } })).toContain(message)
  })

  it('expose gives a fixed value or takes another variable', () => {
    const expected = [
      { name: 'A', source: 'B', default: null, required: true },
      { name: 'C', source: 'C', default: '5', required: false },
    ]
    expect(parse({ expose: { A: '$B', C: 5 } }).env).toMatchObject(expected)
    expect(
      parse({
        expose: [
          { name: 'A', ref: '$B' },
          { name: 'C', value: 5 },
        ],
      }).env,
    ).toMatchObject(expected)
    expect(refused({ expose: [{ value: 1 }] })).toContain('expected a name with a value or a reference')
  })

  it('secrets are names', () => {
    expect(parse({ profiles: { default: { secrets: ['A'] }, dev: { secrets: ['B'] } } }).secrets).toEqual([
      { name: 'A', path: 'profiles.default.secrets[0]' },
      { name: 'B', path: 'profiles.dev.secrets[0]' },
    ])
    expect(refused({ secrets: ['a b'] })).toContain('secrets[0]: not a variable name: "a b"')
  })
})

describe('ports in ranges', () => {
  it.each([
    ['8000-8002', [8000, 8001, 8002], [8000, 8001, 8002]],
    ['8000-8001:9000-9001', [8000, 8001], [9000, 9001]],
    ['0:9000-9001', [0, 0], [9000, 9001]],
  ])('%s', (source, hosts, containers) => {
    const { ports } = parse({ ports: [source] })
    expect(ports.map(({ host }) => host)).toEqual(hosts)
    expect(ports.map(({ container }) => container)).toEqual(containers)
  })

  it.each(['8002-8000', '1-70000', '1-400', '8000-8001:9000', '8000:9000-9001'])('refuses %s', (source) => {
    expect(refused({ ports: [source] })).toContain('expected [ip:]host[:container]')
  })

  it('refuses one that is published twice', () => {
    expect(refused({ ports: ['80', '80:81'] })).toContain('port 80 is published by ports[0] already')
  })
})

it('takes variables in an image reference', () => {
  expect(parse({ image: '${REG}/app:${TAG}' }).image).toBe('${REG}/app:${TAG}')
  expect(refused({ image: '${RE G}/app' })).toContain('image: expected an image reference')
})

it('says where a value comes from', () => {
  const source = { container: 'a', profiles: { default: { ports: 1 }, dev: { openPorts: 2, network: 'n' } } }
  expect(parse(source).origins).toEqual({
    image: 'container',
    ports: 'profiles.dev.openPorts',
    network: 'profiles.dev.network',
  })
})

describe('warnings', () => {
  const warned = (source: object) => parse(source).warnings.map(({ path, message }) => `${path}: ${message}`)

  it.each([
    [{ env: [{ name: 'A', requierd: true }] }, 'env[0].requierd: unknown key, ignored; did you mean "required"?'],
    [{ env: { A: { defualt: 1 } } }, 'env.A.defualt: unknown key, ignored; did you mean "default"?'],
    [
      { profiles: { default: { env: { A: { runtime: false } } } } },
      'profiles.default.env.A.runtime: known, not honoured by this version',
    ],
    [{ enable: { agent: 'a', nowait: true } }, 'enable.nowait: unknown key, ignored; did you mean "noWait"?'],
    [{ enable: ['b', { agent: 'a', allias: 'x' }] }, 'enable[1].allias: unknown key, ignored; did you mean "alias"?'],
    [
      { expose: [{ name: 'A', valeu: 'x', value: 'y' }] },
      'expose[0].valeu: unknown key, ignored; did you mean "value"?',
    ],
    [
      { network: { attachments: [{ name: 'a', primry: true }] } },
      'network.attachments[0].primry: unknown key, ignored; did you mean "primary"?',
    ],
  ])('%j', (source, warning) => {
    expect(warned(source).map((text) => text.replace(/ \(line \d+\)$/, ''))).toContain(warning)
  })
})
